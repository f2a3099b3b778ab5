"""Log groups."""

from functools import partial

from local import past
from local.faults.data import function, zipped
from local.faults.load import receive
from local.place import Place, scenario

FOREVER, UNUSED = "cloudwatch-log-group-no-retention", "cloudwatch-log-group-unused"
GIB = 1024**3


def group(place: Place, name: str, *, days: float, gib: float, retention: int = 30) -> tuple[str, str]:
    """A log group's name and ARN; `retention` 0 is for ever."""
    logs = place.client("logs")
    logs.create_log_group(logGroupName=name, tags=place.tags(name))
    logs.create_log_stream(logGroupName=name, logStreamName="main")
    if retention:
        logs.put_retention_policy(logGroupName=name, retentionInDays=retention)
    past.age_log_group(place.account.id, place.region, name, days=days, stored_bytes=round(gib * GIB))
    return name, place.arn("logs", f"log-group:{name}")


def delete(place: Place, name: str) -> None:
    place.client("logs").delete_log_group(logGroupName=name)


@scenario(copies=2)
def log_group_that_keeps_all(place: Place) -> None:
    name, arn = group(place, place.name("/acme/shop"), days=20, gib=12, retention=0)
    place.fails(
        FOREVER,
        resource=arn,
        mend=lambda: place.client("logs").put_retention_policy(logGroupName=name, retentionInDays=30),
        remove=partial(delete, place, name),
    )


@scenario()
def log_group_that_keeps_a_lot(place: Place) -> None:
    _, arn = group(place, place.name("/acme/clicks"), days=20, gib=900, retention=0)
    place.fails(FOREVER, resource=arn)


@scenario(copies=2)
def log_group_of_a_function_that_is_gone(place: Place) -> None:
    name, arn = group(place, f"/aws/lambda/{place.name('retired')}", days=200, gib=3)
    place.fails(UNUSED, resource=arn, remove=partial(delete, place, name))


@scenario()
def log_group_without_events(place: Place) -> None:
    _, arn = group(place, place.name("/acme/never"), days=61, gib=0)
    place.fails(UNUSED, resource=arn)


@scenario()
def log_group_that_is_written_now_and_then(place: Place) -> None:
    name, arn = group(place, place.name("/acme/monthly"), days=400, gib=1)
    receive(place, name, days_ago=30)
    place.looks_like(UNUSED, FOREVER, resource=arn)


@scenario()
def log_group_of_a_new_function(place: Place) -> None:
    """Empty as yet."""
    name, _ = function(place, "greeting", **zipped("python3.13"))
    _, arn = group(place, f"/aws/lambda/{name}", days=50, gib=0)
    place.looks_like(UNUSED, resource=arn)
