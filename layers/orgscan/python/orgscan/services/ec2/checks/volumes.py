"""What we expect of volumes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Confidence, Money, Severity, Target
from orgscan.services.ec2.facts import Snapshot, Volume

KUBERNETES = ("kubernetes.io/created-for", "ebs.csi.aws.com/cluster")
"""How tag keys begin on volumes that a cluster made."""
PRODUCTION = {"Environment": ["production", "prod", "staging", "stg"]}
NOTHING: dict[str, list[str]] = {}


def monthly(volume: Volume, target: Target) -> Money | None:
    return prices.volume(target, volume.type, volume.size_gib, volume.iops, volume.mibps)


@check(
    Volume,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Take a snapshot if the data may be needed, then delete the volume.",
    equivalent=("trusted-advisor:DAvU99Dc4C",),
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
