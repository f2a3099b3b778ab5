"""Instances and volumes."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from local import past
from local.faults.load import busy_nights, measure, steady
from local.place import Place, scenario, specified

PRODUCTION = ("prod", "staging")


@dataclass(frozen=True, slots=True)
class Instance:
    """`volume` is its root volume."""

    id: str
    arn: str
    volume: str
    volume_arn: str


def run(  # noqa: PLR0913 (the ways in which instances differ)
    place: Place,
    what: str,
    *,
    tokens: str = "required",
    endpoint: str = "enabled",
    encrypted: bool = True,
    backed_up: bool = True,
    groups: tuple[str, ...] = (),
    subnet: str = "",
    tags: dict[str, str] | None = None,
    user_data: str = "",
) -> Instance:
    """A running instance whose root volume has the same tags, and a snapshot if production needs one."""
    ec2 = place.client("ec2")
    tags = place.tags(place.name(what)) if tags is None else tags
    disk = {
        "VolumeSize": 30,
        "VolumeType": "gp3",
        "DeleteOnTermination": True,
        **encryption(place, on=encrypted),
    }
    reservation = ec2.run_instances(
        ImageId="ami-0a1b2c3d4e5f60718",
        InstanceType="m5.large",
        MinCount=1,
        MaxCount=1,
        MetadataOptions={"HttpTokens": tokens, "HttpEndpoint": endpoint},
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": disk}],
        SecurityGroupIds=groups,
        **({"SubnetId": subnet} if subnet else {}),
        TagSpecifications=specified("instance", tags) + specified("volume", tags),
        **({"UserData": user_data} if user_data else {}),
    )
    (made,) = reservation["Instances"]
    volume = made["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    if backed_up and tags.get("Environment") in PRODUCTION:
        snapshot(place, volume, place.tags(f"{what}-backup"))
    instance = made["InstanceId"]
    return Instance(
        instance, place.arn("ec2", f"instance/{instance}"), volume, place.arn("ec2", f"volume/{volume}")
    )


def encryption(place: Place, *, on: bool) -> dict[str, Any]:
    """With a key of the company's: for AWS's own, moto would generate an RSA key in each region."""
    return {"Encrypted": on, **({"KmsKeyId": place.arn("kms", "alias/acme-volumes")} if on else {})}


def snapshot(place: Place, volume: str, tags: dict[str, str]) -> str:
    made = place.client("ec2").create_snapshot(VolumeId=volume, TagSpecifications=specified("snapshot", tags))
    return str(made["SnapshotId"])


def run_since(place: Place, what: str, *, days: float, tags: dict[str, str] | None = None) -> Instance:
    """An instance launched that long ago."""
    instance = run(place, what, tags=tags)
    past.age_instance(place.account.id, place.region, instance.id, days=days)
    past.age_volume(place.account.id, place.region, instance.volume, days=days)
    return instance


def stop(place: Place, instance: Instance, *, days: float) -> None:
    place.client("ec2").stop_instances(InstanceIds=[instance.id])
    past.age_instance(place.account.id, place.region, instance.id, days=days + 100)
    past.age_stop(place.account.id, place.region, instance.id, days=days)


def terminate(place: Place, instance: Instance) -> None:
    place.client("ec2").terminate_instances(InstanceIds=[instance.id])


def volume(place: Place, what: str, *, days: float, encrypted: bool = True) -> tuple[str, str]:
    """An unattached volume's id and ARN."""
    created = place.client("ec2").create_volume(
        AvailabilityZone=f"{place.region}a",
        Size=200,
        VolumeType="gp3",
        TagSpecifications=specified("volume", place.tags(place.name(what))),
        **encryption(place, on=encrypted),
    )
    past.age_volume(place.account.id, place.region, created["VolumeId"], days=days)
    return created["VolumeId"], place.arn("ec2", f"volume/{created['VolumeId']}")


@scenario(copies=3)
def metadata_service_answers_version_1(place: Place) -> None:
    instance = run(place, "queue-worker", tokens="optional")
    place.fails(
        "ec2-instance-imdsv1-allowed",
        resource=instance.arn,
        mend=lambda: place.client("ec2").modify_instance_metadata_options(
            InstanceId=instance.id, HttpTokens="required"
        ),
        remove=partial(terminate, place, instance),
    )


@scenario()
def metadata_service_of_a_stopped_instance(place: Place) -> None:
    instance = run(place, "nightly-batch", tokens="optional")
    stop(place, instance, days=1)
    place.fails("ec2-instance-imdsv1-allowed", resource=instance.arn)
    place.looks_like("ec2-instance-stopped-long", resource=instance.arn)


@scenario()
def metadata_service_turned_off(place: Place) -> None:
    instance = run(place, "hardened", tokens="optional", endpoint="disabled")
    place.looks_like("ec2-instance-imdsv1-allowed", resource=instance.arn)


@scenario(copies=3)
def idle_instance(place: Place) -> None:
    instance = run_since(place, "old-intranet", days=30)
    measure(place, instance.id, cpu=steady(1.4), network_mib_a_day=1.5)
    place.fails(
        "ec2-instance-idle",
        resource=instance.arn,
        mend=lambda: place.client("ec2").stop_instances(InstanceIds=[instance.id]),
        remove=partial(terminate, place, instance),
    )


@scenario()
def idle_instance_with_a_hostile_name(place: Place) -> None:
    """EC2 takes any character in a tag, so that reports must not trust them."""
    hostile = {
        "Name": "<script>alert(1)</script>",
        "Owner": '=HYPERLINK("http://evil.example","invoice")\n-- ',
    }
    instance = run_since(place, "hostile", days=30, tags=place.tags("", **hostile))
    measure(place, instance.id, cpu=steady(0.2), network_mib_a_day=0.1)
    place.fails("ec2-instance-idle", resource=instance.arn)
    for arn in (instance.arn, instance.volume_arn):
        place.fails("tag-cost-allocation-incomplete", "tag-value-pattern-mismatch", resource=arn)


@scenario()
def idle_since_yesterday(place: Place) -> None:
    instance = run_since(place, "new-intranet", days=1)
    measure(place, instance.id, cpu=steady(0.5), network_mib_a_day=0.2)
    place.looks_like("ec2-instance-idle", resource=instance.arn)


@scenario(copies=2)
def busy_instance(place: Place) -> None:
    instance = run_since(place, "web", days=90)
    measure(place, instance.id, cpu=steady(55), network_mib_a_day=9_000)
    place.looks_like("ec2-instance-idle", resource=instance.arn)


@scenario()
def proxy_with_little_cpu_and_much_traffic(place: Place) -> None:
    instance = run_since(place, "proxy", days=90)
    measure(place, instance.id, cpu=steady(2), network_mib_a_day=4_000)
    place.looks_like("ec2-instance-idle", resource=instance.arn)


@scenario()
def batch_instance_that_works_at_night(place: Place) -> None:
    instance = run_since(place, "nightly-report", days=90)
    measure(place, instance.id, cpu=busy_nights(70), network_mib_a_day=1)
    place.looks_like("ec2-instance-idle", resource=instance.arn)


@scenario(copies=2)
def instance_stopped_for_long(place: Place) -> None:
    instance = run(place, "migrated-erp")
    stop(place, instance, days=40)
    place.fails(
        "ec2-instance-stopped-long", resource=instance.arn, remove=partial(terminate, place, instance)
    )


@scenario()
def instance_stopped_yesterday(place: Place) -> None:
    instance = run(place, "build-agent")
    stop(place, instance, days=1)
    place.looks_like("ec2-instance-stopped-long", resource=instance.arn)


@scenario(copies=3)
def forgotten_volume(place: Place) -> None:
    name, arn = volume(place, "restored-data", days=60)
    place.fails(
        "ebs-volume-unattached",
        resource=arn,
        remove=lambda: place.client("ec2").delete_volume(VolumeId=name),
    )


@scenario()
def forgotten_plain_volume(place: Place) -> None:
    """Two faults in one resource."""
    name, arn = volume(place, "old-export", days=400, encrypted=False)
    place.fails(
        "ebs-volume-unattached",
        "ebs-volume-unencrypted",
        resource=arn,
        remove=lambda: place.client("ec2").delete_volume(VolumeId=name),
    )


@scenario()
def volume_of_the_day_before_yesterday(place: Place) -> None:
    _, arn = volume(place, "restore-in-progress", days=2)
    place.looks_like("ebs-volume-unattached", resource=arn)


@scenario(copies=2)
def plain_volume(place: Place) -> None:
    instance = run(place, "legacy-app", encrypted=False)
    place.fails(
        "ebs-volume-unencrypted", resource=instance.volume_arn, remove=partial(terminate, place, instance)
    )


@scenario(copies=2)
def production_volume_without_snapshot(place: Place) -> None:
    tags = place.tags("ledger", Environment="prod")
    instance = run(place, "ledger", backed_up=False, tags=tags)
    past.age_volume(place.account.id, place.region, instance.volume, days=100)
    place.fails(
        "ebs-volume-no-recent-snapshot",
        "backup-resource-unprotected",
        resource=instance.volume_arn,
        mend=partial(snapshot, place, instance.volume, tags),
    )


@scenario()
def production_volume_with_an_old_snapshot(place: Place) -> None:
    tags = place.tags("orders", Environment="staging")
    instance = run(place, "orders", backed_up=False, tags=tags)
    past.age_volume(place.account.id, place.region, instance.volume, days=100)
    made = snapshot(place, instance.volume, place.tags("orders-backup"))
    past.age_snapshot(place.account.id, place.region, made, days=30)
    place.fails("ebs-volume-no-recent-snapshot", resource=instance.volume_arn)
    for arn in (instance.arn, instance.volume_arn):
        place.fails("tag-cost-allocation-incomplete", "tag-value-not-allowed", resource=arn)


@scenario(copies=2)
def production_volume_with_a_fresh_snapshot(place: Place) -> None:
    instance = run(place, "customers", tags=place.tags("customers", Environment="prod"))
    past.age_volume(place.account.id, place.region, instance.volume, days=100)
    place.looks_like("ebs-volume-no-recent-snapshot", resource=instance.volume_arn)


@scenario()
def development_volume_without_snapshot(place: Place) -> None:
    instance = run(place, "playground", backed_up=False, tags=place.tags("playground", Environment="dev"))
    past.age_volume(place.account.id, place.region, instance.volume, days=100)
    place.looks_like("ebs-volume-no-recent-snapshot", resource=instance.volume_arn)


def instance_nobody_measured(place: Place) -> None:
    """Old, running, and without one datapoint: neither idle nor busy can be said. Planted exactly once."""
    instance = run_since(place, "unmeasured", days=60)
    place.unmeasured("ec2-instance-idle", resource=instance.arn)
