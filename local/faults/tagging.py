"""Resources that nobody, or somebody sloppy, tagged."""

from functools import partial

from local.faults.compute import run, terminate
from local.faults.data import database, function, zipped
from local.faults.network import address
from local.faults.storage import bucket
from local.place import Place, scenario, tag_list

TAGS = "tag-required-key-missing"


@scenario(copies=2)
def untagged_instance(place: Place) -> None:
    """Its volume is untagged too, which is a finding of its own."""
    instance = run(place, "untagged", tags={})
    # The volume's are the ones to be mended: an instance's alone would set the two apart.
    tags = tag_list(place.tags("tagged-at-last"))
    mend = partial(place.client("ec2").create_tags, Resources=[instance.volume], Tags=tags)
    place.fails(TAGS, resource=instance.volume_arn, mend=mend)
    place.fails(TAGS, resource=instance.arn)


@scenario()
def instance_without_owner(place: Place) -> None:
    instance = run(place, "orphan", tags=place.tags("orphan", Owner=""))
    remove = partial(terminate, place, instance)
    for arn in (instance.arn, instance.volume_arn):
        place.fails(TAGS, resource=arn, remove=remove)


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
    place.fails(TAGS, resource=arn, mend=lambda: s3.put_bucket_tagging(Bucket=name, Tagging=right))


@scenario(copies=2)
def untagged_bucket(place: Place) -> None:
    name, arn = bucket(place, "scratch", tags={})
    place.fails(TAGS, resource=arn, remove=lambda: place.client("s3").delete_bucket(Bucket=name))


@scenario(copies=2)
def untagged_function(place: Place) -> None:
    _, arn = function(place, "experiment", tags={}, **zipped("python3.13"))
    tags = place.tags("experiment")
    place.fails(TAGS, resource=arn, mend=lambda: place.client("lambda").tag_resource(Resource=arn, Tags=tags))


@scenario()
def untagged_database(place: Place) -> None:
    _, arn = database(place, "scratch", Tags=[])
    place.fails(TAGS, resource=arn)


@scenario(copies=2)
def more_tags_than_asked_for(place: Place) -> None:
    instance = run(place, "labelled", tags=place.tags("labelled", CostCenter="CC-1234", owner="nobody"))
    place.looks_like(TAGS, resource=instance.arn)
