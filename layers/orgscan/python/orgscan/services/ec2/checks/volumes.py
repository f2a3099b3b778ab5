"""What we expect of volumes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from orgscan import prices
from orgscan.check import Problem, Problems, View, check, enough
from orgscan.model import (
    Category,
    Confidence,
    Metric,
    Money,
    Series,
    Severity,
    Target,
)
from orgscan.services.ec2.facts import EbsEncryption, Instance, Snapshot, Volume

KUBERNETES = ("kubernetes.io/created-for", "ebs.csi.aws.com/cluster")
"""How tag keys begin on volumes that a cluster made."""
PRODUCTION = {"Environment": ["production", "prod", "staging", "stg"]}
NOTHING: dict[str, list[str]] = {}
DAY = 86400
READS = Metric("AWS/EBS", "VolumeReadOps", "Sum", DAY)
WRITES = Metric("AWS/EBS", "VolumeWriteOps", "Sum", DAY)
BASE_MIBPS, BIG_MIBPS = 125, 250
"""What comes with gp3, and what gp2 gives above `BIG_GIB`."""
BIG_GIB = 170


def monthly(volume: Volume, target: Target) -> Money | None:
    return prices.volume(target, volume.type, volume.size_gib, volume.iops, volume.mibps)


@check(
    Volume,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Take a snapshot if the data may be needed, then delete the volume.",
    equivalent=("trusted-advisor:DAvU99Dc4C",),
    cli=(
        "aws ec2 create-snapshot --volume-id {name} --region {region}",
        "aws ec2 wait snapshot-completed --snapshot-ids '<snapshot-id>' --region {region}",
        "aws ec2 delete-volume --volume-id {name} --region {region}",
    ),
)
def ebs_volume_unattached(volume: Volume, view: View, *, min_age_days: int = 7) -> Problems:
    """A volume is not attached to any instance.

    It costs the same as one in use. Its age counts from its creation, as EC2 does not say when a volume was
    detached. Informational for volumes of a Kubernetes cluster, where the claim may be bound again.
    """
    if volume.state != "available" or volume.created > view.now - timedelta(days=min_age_days):
        return
    unused = f"{volume.size_gib} GiB of {volume.type}, created {volume.created:%Y-%m-%d}, attached to nothing"
    price = monthly(volume, view.target)
    if any(key.startswith(KUBERNETES) for key in view.tags(volume)):
        saving = prices.doubted(price, Confidence.LOW)
        yield Problem(f"{unused}; made by Kubernetes", severity=Severity.INFORMATIONAL, saving=saving)
    else:
        yield Problem(unused, saving=price)


@check(
    Volume,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Copy a snapshot of it with encryption, and put a volume made from that in its place.",
    maps=("CIS AWS 3.0 2.2.1", "FSBP EC2.3"),
    equivalent=("prowler:ec2_ebs_volume_encryption",),
    cli=(
        "aws ec2 stop-instances --instance-ids '<instance-id>' --region {region}",
        "aws ec2 wait instance-stopped --instance-ids '<instance-id>' --region {region}",
        "aws ec2 create-snapshot --volume-id {name} --region {region}",
        "aws ec2 wait snapshot-completed --snapshot-ids '<snapshot-id>' --region {region}",
        (
            "aws ec2 copy-snapshot --source-snapshot-id '<snapshot-id>' --source-region {region} "
            "--encrypted --region {region}"
        ),
        "aws ec2 wait snapshot-completed --snapshot-ids '<encrypted-snapshot-id>' --region {region}",
        (
            "aws ec2 create-volume --snapshot-id '<encrypted-snapshot-id>' --availability-zone "
            "'<zone-of-the-instance>' --region {region}"
        ),
        "aws ec2 detach-volume --volume-id {name} --region {region}",
        "aws ec2 wait volume-available --volume-ids {name} --region {region}",
        (
            "aws ec2 attach-volume --volume-id '<new-volume-id>' --instance-id '<instance-id>' "
            "--device '<device>' --region {region}"
        ),
        "aws ec2 start-instances --instance-ids '<instance-id>' --region {region}",
    ),
    cdk="""
        ec2.CfnVolume(self, "Volume", availability_zone="<zone>", size="<gib>", encrypted=True)
    """,
)
def ebs_volume_unencrypted(volume: Volume) -> Problems:
    """A volume is not encrypted.

    Its snapshots are not either, and whoever they are shared with reads them without needing a key.
    """
    if volume.encrypted:
        return
    if volume.instances:
        yield f"not encrypted, attached to {', '.join(volume.instances)}"
    else:
        yield Problem("not encrypted, attached to nothing", severity=Severity.LOW)


@check(
    Volume,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Add the volume to a backup plan or to a snapshot policy.",
    also=(Snapshot,),
    maps=("FSBP EC2.28",),
    equivalent=(
        "prowler:ec2_ebs_volume_snapshots_exists",
        "prowler:ec2_ebs_volume_protected_by_backup_plan",
        "prowler:dlm_ebs_snapshot_lifecycle_policy_exists",
        "trusted-advisor:H7IgTzjTYb",
    ),
    cli=(
        "aws ec2 create-snapshot --volume-id {name} --region {region}",
        (
            "aws backup list-backup-plans --query 'BackupPlansList[].[BackupPlanId, BackupPlanName]' "
            "--region {region}"
        ),
        (
            "aws backup create-backup-selection --backup-plan-id '<backup-plan-id>' "
            "--backup-selection SelectionName='<selection-name>',IamRoleArn='<role-arn>',Resources={arn} "
            "--region {region}"
        ),
    ),
    cdk="""
        backup.CfnBackupSelection(
            self,
            "Volumes",
            backup_plan_id="<backup-plan-id>",
            backup_selection=backup.CfnBackupSelection.BackupSelectionResourceTypeProperty(
                selection_name="volumes",
                iam_role_arn="<role-arn>",
                resources=["<volume-arn>"],
            ),
        )
    """,
)
def ebs_volume_no_recent_snapshot(
    volume: Volume,
    view: View,
    *,
    max_age_days: int = 7,
    scope_tag: Mapping[str, Sequence[str]] = PRODUCTION,
    exempt_tag: Mapping[str, Sequence[str]] = NOTHING,
) -> Problems:
    """An in-use volume has no completed snapshot within the allowed age.

    What was written since the last one is lost with the volume. The account's own snapshots in the region are
    looked at, whoever took them: people, AWS Backup or Data Lifecycle Manager. A plan that took none does
    not count. `scope_tag` and `exempt_tag` map tag keys to values, in any case; no values means any.
    """
    tags = view.tags(volume)
    in_scope = (not scope_tag or _tagged(tags, scope_tag)) and not _tagged(tags, exempt_tag)
    oldest = view.now - timedelta(days=max_age_days)
    if volume.state != "in-use" or volume.created > oldest or not in_scope:
        return
    snapshots = view.related(Snapshot, "volume", volume.id)
    newest = max((each.started for each in snapshots if each.completed), default=None)
    if newest is None:
        yield "no completed snapshot"
    elif newest < oldest:
        yield f"the newest completed snapshot is of {newest:%Y-%m-%d}"


def _tagged(tags: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    return any(
        key in tags and (not values or tags[key].casefold() in {value.casefold() for value in values})
        for key, values in wanted.items()
    )


@check(
    EbsEncryption,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Turn on EBS encryption by default in the region.",
    maps=(
        "CIS AWS 3.0 2.2.1",
        "CIS AWS 5.0 5.1.1",
        "CIS AWS 6.0 6.1.1",
        "CIS AWS 7.0 6.1.1",
        "FSBP EC2.7",
    ),
    equivalent=("prowler:ec2_ebs_default_encryption",),
    cli=("aws ec2 enable-ebs-encryption-by-default --region {region}",),
)
def ebs_default_encryption_disabled(encryption: EbsEncryption) -> Problems:
    """EBS encryption by default is off in a region.

    Whoever makes a volume there and does not think of encryption gets a plain one. Regions without volumes
    count too: the setting is for the first.
    """
    if not encryption.by_default:
        yield "new volumes are encrypted only where their maker asks for it"


@check(
    Volume,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Change the volume's type to gp3, which works while it is in use.",
    cli=(
        (
            "aws ec2 modify-volume --volume-id {name} --volume-type gp3 --iops '<iops>' --throughput "
            "'<mib-per-second>' --region {region}"
        ),
    ),
    cdk="""
        ec2.CfnVolume(
            self,
            "Volume",
            availability_zone="<zone>",
            size="<gib>",
            volume_type="gp3",
            iops="<iops>",
            throughput="<mib-per-second>",
        )
    """,
)
def ebs_volume_gp2(volume: Volume, view: View) -> Problems:
    """A volume is of type gp2, where gp3 does the same or more for less.

    gp3 is taken to need the IOPS of gp2, three per GiB, and 250 MiB/s above 170 GiB. Where that much
    throughput would cost more than gp3 saves (up to 250 GiB), the saving is that with the 125 MiB/s that are
    included, and unsure.
    """
    if volume.type != "gp2":
        return
    iops = max(3000, min(16000, 3 * volume.size_gib))
    mibps = BIG_MIBPS if volume.size_gib > BIG_GIB else BASE_MIBPS
    saving = _saved_by_gp3(volume, view.target, iops, mibps)
    if saving and saving.monthly_usd <= 0:
        mibps = BASE_MIBPS
        saving = prices.doubted(_saved_by_gp3(volume, view.target, iops, mibps), Confidence.LOW)
    text = f"{volume.size_gib} GiB of gp2, to be replaced by gp3 with {iops} IOPS and {mibps} MiB/s"
    yield Problem(text, saving=saving)


def _saved_by_gp3(volume: Volume, target: Target, iops: int, mibps: int) -> Money | None:
    now = prices.volume(target, "gp2", volume.size_gib)
    then = prices.volume(target, "gp3", volume.size_gib, iops, mibps)
    if not now or not then:
        return None
    saved = round(now.monthly_usd - then.monthly_usd, 2)
    return replace(now, monthly_usd=saved, confidence=Confidence.MEDIUM)


@check(
    Volume,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Take a snapshot, then detach and delete the volume.",
    also=(Instance,),
    measures=(READS, WRITES),
    equivalent=("trusted-advisor:DAvU99Dc4C",),
    cli=(
        "aws ec2 create-snapshot --volume-id {name} --region {region}",
        "aws ec2 wait snapshot-completed --snapshot-ids '<snapshot-id>' --region {region}",
        "aws ec2 detach-volume --volume-id {name} --region {region}",
        "aws ec2 wait volume-available --volume-ids {name} --region {region}",
        "aws ec2 delete-volume --volume-id {name} --region {region}",
    ),
)
def ebs_volume_idle(
    volume: Volume,
    view: View,
    *,
    window_days: int = 7,
    max_ops_per_day: float = 1,
    min_datapoint_share: float = 0.8,
) -> Problems:
    """An attached volume was practically not read or written over the window.

    Its instance ran all the time and never used it. Root volumes are left out, and volumes of instances that
    did not run over the whole window, for they could not be used.
    """
    start = view.now - timedelta(days=window_days)
    if volume.state != "in-use" or volume.created > start or not volume.attachments:
        return
    for id_ in volume.instances:
        instances = view.related(Instance, "id", id_)
        if not instances or volume.id == instances[0].root_volume:
            return
        if instances[0].state != "running" or instances[0].launched > start:
            return
    sufficient = partial(enough, "ebs-volume-idle", days=window_days, share=min_datapoint_share)
    (reads,) = view.measure(volume, READS, days=window_days)
    sufficient([reads])
    if max(reads.values) >= max_ops_per_day:
        return
    (writes,) = view.measure(volume, WRITES, days=window_days)
    sufficient([writes])
    busiest = _busiest(reads, writes)
    if busiest < max_ops_per_day:
        text = (
            f"{volume.size_gib} GiB of {volume.type}, attached to {', '.join(volume.instances)}: "
            f"{busiest:.0f} reads and writes at most on each of the last {window_days} days"
        )
        yield Problem(text, saving=monthly(volume, view.target))


def _busiest(reads: Series, writes: Series) -> float:
    """Operations on the busiest day; where days are missing, of which nobody knows which, at most so many."""
    if reads.share == writes.share == 1:
        return max(map(sum, zip(reads.values, writes.values, strict=True)))
    return max(reads.values) + max(writes.values)


@check(
    Volume,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Copy the tags of the instance to the volume, and in the template that made it.",
    also=(Instance,),
    cli=(
        "aws ec2 create-tags --resources {name} --tags Key='<tag-key>',Value='<tag-value>' --region {region}",
    ),
    cdk="""
        ec2.CfnInstance(
            self,
            "Instance",
            image_id="<image-id>",
            instance_type="<type>",
            tags=[CfnTag(key="<tag-key>", value="<tag-value>")],
            propagate_tags_to_volume_on_creation=True,
        )
    """,
)
def ebs_volume_tags_differ_from_instance(
    volume: Volume,
    view: View,
    *,
    copy_keys: Sequence[str] = (),
    exclude_prefixes: Sequence[str] = ("aws:", "elasticbeanstalk:"),
    exclude_keys: Sequence[str] = ("Name",),
) -> Problems:
    """An attached volume lacks, or contradicts, tags of its instance.

    Its cost and its owner are then looked for elsewhere than the instance's. Compared are the `copy_keys`
    that the instance has, or all of its keys but those that are excluded. A volume that is attached to
    several instances must agree with one of them.
    """

    def is_copied(key: str) -> bool:
        if copy_keys:
            return key in copy_keys
        return key not in exclude_keys and not key.startswith(tuple(exclude_prefixes))

    differences: list[list[str]] = []
    for attachment in volume.attachments:
        if attachment.state == "attached":
            for instance in view.related(Instance, "id", attachment.instance):
                wanted = {key: value for key, value in view.tags(instance).items() if is_copied(key)}
                differences.append(list(_differences(view.tags(volume), wanted, instance.id)))
    yield from min(differences, key=len, default=())


def _differences(tags: Mapping[str, str], wanted: Mapping[str, str], instance: str) -> Iterator[str]:
    for key, value in wanted.items():
        if key not in tags:
            yield f"{key} is missing: it is '{value}' on {instance}"
        elif tags[key] != value:
            yield f"{key} is '{tags[key]}': it is '{value}' on {instance}"
