"""Resources that nobody, or somebody sloppy, tagged."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from local.faults.compute import run, terminate
from local.faults.data import database, function, zipped
from local.faults.network import address
from local.faults.storage import bucket
from local.place import Place, scenario, tag_list

TAGS, VALUE, SHAPE = "tag-required-key-missing", "tag-value-not-allowed", "tag-value-pattern-mismatch"
VARIANT, COSTS = "tag-forbidden-key-present", "tag-cost-allocation-incomplete"
DATA, MIGRATION = "tag-data-classification-missing", "tag-map-migrated-missing-or-invalid"


@scenario(copies=2)
def untagged_instance(place: Place) -> None:
    """Its volume is untagged too, which is a finding of its own."""
    instance = run(place, "untagged", tags={})
    # The volume's are the ones to be mended: an instance's alone would set the two apart.
    tags = tag_list(place.tags("tagged-at-last"))
    mend = partial(place.client("ec2").create_tags, Resources=[instance.volume], Tags=tags)
    place.fails(TAGS, COSTS, DATA, resource=instance.volume_arn, mend=mend)
    place.fails(TAGS, COSTS, resource=instance.arn)


@scenario()
def instance_without_owner(place: Place) -> None:
    instance = run(place, "orphan", tags=place.tags("orphan", Owner=""))
    remove = partial(terminate, place, instance)
    for arn in (instance.arn, instance.volume_arn):
        place.fails(TAGS, COSTS, resource=arn, remove=remove)


@scenario()
def address_with_an_empty_owner(place: Place) -> None:
    made, arn = address(place, "unowned")
    place.client("ec2").create_tags(Resources=[made], Tags=[{"Key": "Owner", "Value": ""}])
    place.client("ec2").associate_address(AllocationId=made, InstanceId=run(place, "unowned").id)
    place.fails(TAGS, resource=arn)


@scenario()
def bucket_with_keys_in_the_wrong_case(place: Place) -> None:
    tags = {key.lower(): value for key, value in place.tags("exports").items()}
    name, arn = bucket(place, "exports", tags=tags)
    s3 = place.client("s3")
    right = {"TagSet": tag_list(place.tags(name))}
    place.fails(
        TAGS,
        COSTS,
        VARIANT,
        resource=arn,
        mend=lambda: s3.put_bucket_tagging(Bucket=name, Tagging=right),
    )


@scenario(copies=2)
def untagged_bucket(place: Place) -> None:
    name, arn = bucket(place, "scratch", tags={})
    place.fails(TAGS, COSTS, DATA, resource=arn, remove=lambda: place.client("s3").delete_bucket(Bucket=name))


@scenario(copies=2)
def untagged_function(place: Place) -> None:
    _, arn = function(place, "experiment", tags={}, **zipped("python3.13"))
    tags = place.tags("experiment")
    place.fails(
        TAGS,
        COSTS,
        MIGRATION,
        resource=arn,
        mend=lambda: place.client("lambda").tag_resource(Resource=arn, Tags=tags),
    )


@scenario()
def untagged_database(place: Place) -> None:
    _, arn = database(place, "scratch", Tags=[])
    place.fails(TAGS, COSTS, DATA, resource=arn)


@scenario(copies=2)
def more_tags_than_asked_for(place: Place) -> None:
    tags = place.tags("labelled", Team="maps", CostCenter="CC-1234", **{"kubernetes.io/name": "x"})
    instance = run(place, "labelled", tags=tags)
    for arn in (instance.arn, instance.volume_arn):
        place.looks_like(TAGS, VALUE, SHAPE, VARIANT, COSTS, DATA, MIGRATION, resource=arn)


@scenario(copies=2)
def two_spellings_of_one_key(place: Place) -> None:
    instance = run(place, "twice", tags=place.tags("twice", owner="nobody"))
    ec2 = place.client("ec2")
    for name, arn in ((instance.id, instance.arn), (instance.volume, instance.volume_arn)):
        mend = partial(ec2.delete_tags, Resources=[name], Tags=[{"Key": "owner"}])
        place.fails(VARIANT, resource=arn, mend=mend)
        place.looks_like(TAGS, resource=arn)


@scenario(copies=2)
def environment_that_nobody_knows(place: Place) -> None:
    """Of a bucket: it costs, so that the other policy knows no better."""
    tags = place.tags("live", Environment="live")
    name, arn = bucket(place, "live", tags=tags)
    right = {"TagSet": tag_list(place.tags("live"))}
    s3 = place.client("s3")
    place.fails(VALUE, COSTS, resource=arn, mend=lambda: s3.put_bucket_tagging(Bucket=name, Tagging=right))


@scenario()
def environment_in_capitals(place: Place) -> None:
    """Fine for one policy and not for the other."""
    tags = place.tags("loud", Environment=place.account.stage.upper())
    _, arn = function(place, "loud", tags=tags, **zipped("python3.13"))
    place.fails(VALUE, resource=arn)
    place.looks_like(COSTS, resource=arn)


@scenario()
def cost_center_that_is_none(place: Place) -> None:
    _, arn = function(
        place, "thrift", tags=place.tags("thrift", CostCenter="marketing"), **zipped("python3.13")
    )
    place.fails(SHAPE, COSTS, resource=arn)


@scenario()
def agreement_with_a_number_alone(place: Place) -> None:
    tags = place.tags("moved", **{"map-migrated": "12345"})
    _, arn = function(place, "moved", tags=tags, **zipped("python3.13"))
    place.fails(MIGRATION, resource=arn)


def parameters(accounts: Iterable[str]) -> Mapping[str, Any]:
    """Thresholds without which something planted is no fault: who has such an agreement."""
    return {MIGRATION: {"in_scope_accounts": [*accounts], "in_scope_types": ["AWS::Lambda::Function"]}}


CONFIGURED = frozenset(parameters([]))


@scenario()
def data_that_nobody_classified(place: Place) -> None:
    _, arn = database(place, "unclassified", Tags=tag_list(place.tags("unclassified", DataClassification="")))
    place.fails(DATA, resource=arn)
    place.looks_like(TAGS, COSTS, resource=arn)
