"""Volumes, their tags and types, and snapshots of them."""

from functools import partial
from typing import Any

from local import past
from local.faults.compute import encryption, run, run_since, snapshot
from local.faults.load import measure, measure_volume, steady
from local.place import Place, scenario, specified

ABSENT = {"ec2:GetSnapshotBlockPublicAccessState": {"State": "unblocked"}}

DEFAULT, GP2, IDLE = "ebs-default-encryption-disabled", "ebs-volume-gp2", "ebs-volume-idle"
TAGS, PUBLIC = "ebs-volume-tags-differ-from-instance", "ebs-snapshot-public"
OLD, ORPHANED = "ebs-snapshot-old", "ebs-snapshot-orphaned"


def disk(place: Place, what: str, *, type_: str = "gp3", tags: dict[str, str] | None = None) -> str:
    """A fresh volume's id."""
    made = place.client("ec2").create_volume(
        AvailabilityZone=f"{place.region}a",
        Size=50,
        VolumeType=type_,
        TagSpecifications=specified("volume", place.tags(place.name(what)) if tags is None else tags),
        **encryption(place, on=True),
    )
    return str(made["VolumeId"])


def kept(place: Place, what: str, *, days: float, lost: bool = False, **tags: str) -> tuple[str, str]:
    """A snapshot's id and ARN; `lost`: its volume is deleted."""
    volume = disk(place, what)
    made = snapshot(place, volume, place.tags(place.name(what), **tags))
    past.age_snapshot(place.account.id, place.region, made, days=days)
    if lost:
        place.client("ec2").delete_volume(VolumeId=volume)
    return made, f"arn:aws:ec2:{place.region}::snapshot/{made}"


def remove(place: Place, made: str) -> None:
    place.client("ec2").delete_snapshot(SnapshotId=made)


def share(place: Place, made: str, how: str, **whom: Any) -> None:
    place.client("ec2").modify_snapshot_attribute(
        SnapshotId=made, Attribute="createVolumePermission", OperationType=how, **whom
    )


@scenario(copies=2)
def region_that_encrypts_nothing_by_itself(place: Place) -> None:
    """As AWS makes it; everywhere else the baseline turned encryption on."""
    turn = partial(past.encrypt_volumes, place.account.id, place.region)
    turn(on=False)
    place.fails(DEFAULT, resource=place.arn("ec2", "ebs-encryption-by-default"), mend=partial(turn, on=True))


@scenario(copies=2)
def volume_of_an_old_type(place: Place) -> None:
    made = disk(place, "photos", type_="gp2")
    place.fails(
        GP2,
        resource=place.arn("ec2", f"volume/{made}"),
        remove=lambda: place.client("ec2").delete_volume(VolumeId=made),
    )


@scenario()
def volume_of_a_new_type(place: Place) -> None:
    """Nothing is wrong with it, whatever its region does by default."""
    arn = place.arn("ec2", f"volume/{disk(place, 'videos')}")
    place.looks_like(GP2, DEFAULT, resource=arn)


@scenario()
def one_of_two_data_volumes_is_idle(place: Place) -> None:
    tags = place.tags(place.name("analysis"), Environment="dev")
    instance = run_since(place, "analysis", days=90, tags=tags)
    measure(place, instance.id, cpu=steady(40), network_mib_a_day=5_000)
    ec2 = place.client("ec2")
    idle, used = disk(place, "analysis", tags=tags), disk(place, "analysis", tags=tags)
    for device, volume, operations in (("/dev/sdf", idle, 0), ("/dev/sdg", used, 7)):
        ec2.attach_volume(Device=device, InstanceId=instance.id, VolumeId=volume)
        past.age_volume(place.account.id, place.region, volume, days=80)
        measure_volume(place, volume, operations_a_day=operations)
    place.fails(IDLE, resource=place.arn("ec2", f"volume/{idle}"))
    place.looks_like(IDLE, resource=place.arn("ec2", f"volume/{used}"))


@scenario(copies=2)
def volume_with_the_tags_of_another_team(place: Place) -> None:
    instance = run(place, "handed-over")
    ec2 = place.client("ec2")
    ec2.create_tags(Resources=[instance.volume], Tags=[{"Key": "Owner", "Value": "former@acme.example"}])
    right = [{"Key": "Owner", "Value": place.tags("")["Owner"]}]
    place.fails(
        TAGS,
        resource=instance.volume_arn,
        mend=lambda: ec2.create_tags(Resources=[instance.volume], Tags=right),
    )


@scenario()
def volume_with_a_name_and_tags_of_its_own(place: Place) -> None:
    instance = run(place, "named")
    own = [{"Key": "Name", "Value": "root disk"}, {"Key": "Mount", "Value": "/"}]
    place.client("ec2").create_tags(Resources=[instance.volume], Tags=own)
    place.looks_like(TAGS, resource=instance.volume_arn)


@scenario(copies=2)
def public_snapshot(place: Place) -> None:
    made, arn = kept(place, "demo", days=3)
    share(place, made, "add", GroupNames=["all"])
    place.fails(
        PUBLIC,
        resource=arn,
        mend=partial(share, place, made, "remove", GroupNames=["all"]),
        remove=partial(remove, place, made),
    )


@scenario()
def snapshot_shared_with_a_partner(place: Place) -> None:
    made, arn = kept(place, "partner", days=3)
    share(place, made, "add", UserIds=["999999999999"])
    place.looks_like(PUBLIC, resource=arn)


@scenario(copies=2)
def forgotten_snapshot(place: Place) -> None:
    made, arn = kept(place, "before-upgrade", days=120)
    place.fails(OLD, resource=arn, remove=partial(remove, place, made))


@scenario()
def nightly_snapshot_that_nobody_deleted(place: Place) -> None:
    _, arn = kept(place, "nightly", days=10, BackupType="Automated")
    place.fails(OLD, resource=arn)


@scenario()
def snapshot_kept_for_the_auditors(place: Place) -> None:
    _, arn = kept(place, "books", days=400, RetentionDays="3650")
    place.looks_like(OLD, resource=arn)


@scenario(copies=2)
def snapshot_of_a_volume_that_is_gone(place: Place) -> None:
    made, arn = kept(place, "old-shop", days=40, lost=True)
    place.fails(ORPHANED, resource=arn, remove=partial(remove, place, made))


@scenario()
def snapshot_that_outlived_everything(place: Place) -> None:
    """Two faults in one resource."""
    made, arn = kept(place, "first-shop", days=900, lost=True)
    place.fails(OLD, ORPHANED, resource=arn, remove=partial(remove, place, made))


@scenario()
def snapshot_of_aws_backup(place: Place) -> None:
    """A plan deletes it when its time has come, and the volume may be long gone."""
    made, arn = kept(place, "vault", days=400, lost=True)
    past.mark(place.account.id, place.region, made, **{"aws:backup:source-resource": "vol-1"})
    place.looks_like(OLD, ORPHANED, resource=arn)
