"""A small catalogue of nothing that exists: for what is written about checks, whichever there are."""

from collections.abc import Iterator, Sequence
from typing import Any

from orgscan.catalog import AnyCheck, Catalog
from orgscan.check import Problems, View, check
from orgscan.collector import Reader, collector
from orgscan.compliance import Control, Framework
from orgscan.model import Category, Metric, Resource, Severity, Taggable, TagRecord

LIGHT = Metric("Acme/Moon", "Light", "Average", 3600)


class Lamp(Taggable):
    pass


class Switch(Resource):
    pass


class House(Resource):
    pass


@collector(Lamp, calls=("ec2:DescribeVolumes", "ec2:DescribeInstances"))
def lamps(_: Reader) -> Iterator[Lamp]:
    yield from ()


@collector(Switch, calls=("elbv2:DescribeListeners", "s3:ListBuckets"))
def switches(_: Reader) -> Iterator[Switch]:
    yield from ()


@collector(House, calls=("iam:ListUsers",), once=True)
def houses(_: Reader) -> Iterator[House]:
    yield from ()


@collector(TagRecord, calls=("resourcegroupstaggingapi:GetResources",))
def records(_: Reader) -> Iterator[TagRecord]:
    yield from ()


@check(
    Lamp,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Switch it off | or close the <curtain>.",
    also=(Switch,),
    measures=(LIGHT,),
    maps=("Moon 1.0 1", "Moon 1.0 2", "Stars A.1"),
    equivalent=("prowler:lamp_on", "trusted-advisor:Pfx0RwqBli", "trusted-advisor:Lamps left on"),
    refs=("https://acme.example/lamps?a_b=1&c=*",),
    was=("lamp-burns",),
    cli=(
        "aws ec2 describe-volumes --volume-ids {name} --query 'Volumes[].[VolumeId, Size]' --region {region}",
        "lamp: aws ec2 delete-volume --volume-id {name} --region {region}",
        "lantern: aws ec2 modify-volume --volume-id {name} --size '<size>' --region {region}",
    ),
    cdk="""
        ec2.CfnVolume(
            self,
            "Lamp",
            size="<size>",
        )
    """,
)
def lamp_left_on(
    lamp: Lamp, view: View, *, hours: int = 8, exempt: Sequence[str] = ("*-night", "a|b")
) -> Problems:
    """A lamp is on | nobody is there & it burns.

    Lamps named *-night or <any>_* are
    meant to be on. `exempt_*` is code: it is left <alone>.

    A second paragraph, about `hours`.
    """
    yield from (str(lamp), str(view), str(hours), str(exempt))


@check(Switch, severity=Severity.LOW, category=Category.OPERATIONS, fix="Name it.", maps=("Moon 1.0 2",))
def switch_unnamed(switch: Switch) -> Problems:
    """A switch has no name.

    Nobody knows what it does.
    """
    yield str(switch)


@check(House, severity=Severity.CRITICAL, category=Category.SECURITY, fix="Lock it.", maps=("Moon 1.0 10",))
def house_unlocked(house: House) -> Problems:
    """The house is not locked.

    Anyone may come in.
    """
    yield str(house)


@check(Taggable, severity=Severity.LOW, category=Category.TAGGING, fix="Tag it.", also=(TagRecord,))
def thing_untagged(thing: Taggable) -> Problems:
    """A thing carries no tag.

    Nobody knows whose it is.
    """
    yield str(thing)


def _in(service: str, declared: AnyCheck) -> AnyCheck:
    """As if a service's folder declared it."""
    declared.problems.__module__ = f"orgscan.services.{service}.checks"
    return declared


CHECKS: tuple[AnyCheck, ...] = (
    _in("home", house_unlocked),
    _in("light_", lamp_left_on),
    _in("light_", switch_unnamed),
    _in("tags", thing_untagged),
)
COLLECTORS: tuple[Any, ...] = (houses, lamps, records, switches)
CATALOG = Catalog(CHECKS, COLLECTORS)
FRAMEWORKS = (
    Framework(
        name="Moon 1.0",
        title="Good Practice on the Moon v1.0",
        controls=(
            Control(number="1", automated=True),
            Control(number="2", automated=True, needs=("lamp-burns", "switch-unnamed", "wire-<bare>")),
            Control(number="3", automated=False, why_not="nobody can see the <far> side"),
            Control(number="9", automated=True),
            Control(number="10", automated=False),
        ),
    ),
    Framework(name="Stars", title="Among Stars", controls=(Control(number="A.1", automated=None),)),
)
