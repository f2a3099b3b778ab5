"""A region that a policy closes costs three calls; one that it does not close is looked at, all of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgscan import catalog, gather
from orgscan.collector import Bookmark, Collector, Reader, collector
from orgscan.errors import forbidden_by
from orgscan.gather import Gathering
from orgscan.model import GLOBAL, Resource, Target
from orgscan.scouts import ENOUGH, SERVICES, one_policy, scouts
from orgscan.spool import Spool
from tests.scans import HERE, NOW
from tests.test_engine import NOWHERE

EVERYWHERE = Target(HERE.account, GLOBAL)
ALL = ("sqs", "rds", "kms", "logs", "ec2", "acm", "backup")
POLICY = "arn:aws:organizations::9:policy/o-abcd/service_control_policy/p-{}"
DENIES = "with an explicit deny in a service control policy"


def refused(
    call: str, why: str = f"{DENIES}: {POLICY.format('1')}", code: str = "AccessDenied"
) -> ClientError:
    said = f"User: u is not authorized to perform: {call} {why}"
    return ClientError({"Error": {"Code": code, "Message": said}}, call.partition(":")[2])


@dataclass
class Region:
    """Services, each with one collector of a kind of its own; most of them are denied."""

    answers: dict[str, Callable[[Reader], Any]] = field(default_factory=dict)
    services: tuple[str, ...] = ALL
    asked: list[str] = field(default_factory=list)

    def collectors(self) -> list[Collector[Any]]:
        return [self._collector(service) for service in self.services]

    def _collector(self, service: str) -> Collector[Any]:
        kind: type[Any] = type(f"Thing{service.title()}", (Resource,), {})

        def things(aws: Reader) -> Iterator[Resource]:
            self.asked.append(service)
            yield from self.answers.get(service, deny)(aws) or ()

        things.__name__ = service
        return collector(kind, calls=(f"{service}:ListThings",))(things)

    def gather(self) -> dict[str, str]:
        """Service -> reason and detail of its gap; '' for what was seen."""
        spool, collectors = Spool(), self.collectors()
        gathering = Gathering(spool, NOWHERE, HERE, NOW, lambda: float("inf"), salt="", resume=False)
        assert gathering.run(collectors)
        gaps = {each.name: spool.gap(each.resource) for each in collectors}
        return {name: f"{gap.reason}: {gap.detail}" if gap else "" for name, gap in gaps.items()}


def deny(aws: Reader) -> Any:
    raise refused(f"{aws.name}:ListThings")


def answer(_: Reader) -> Any:
    return ()


def test_a_closed_region_is_asked_three_times_and_every_kind_has_its_gap() -> None:
    region = Region()
    gaps = region.gather()
    assert region.asked == ["ec2", "logs", "kms"]
    assert gaps.keys() == {*ALL}
    one = "denied-by-scp: every call in eu-west-1, such as ec2:ListThings (p-1)"
    assert {gaps[service] for service in ALL if service not in region.asked} == {one}


@pytest.mark.parametrize("spared", [*ALL])
def test_what_answers_first_opens_the_region(spared: str) -> None:
    region = Region(answers={spared: answer})
    gaps = region.gather()
    if spared in ("ec2", "logs", "kms"):
        assert sorted(region.asked) == sorted(ALL)
        assert gaps[spared] == ""
        assert {gaps[service] for service in ALL if service != spared} == {
            f"denied-by-scp: {service}:ListThings (p-1)" for service in ALL if service != spared
        }
    else:
        assert region.asked == ["ec2", "logs", "kms"]
        assert gaps[spared]  # nobody asked, so nobody calls it clean


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    "other",
    [
        refused("x:ListThings", f"{DENIES}: {POLICY.format('2')}"),
        refused("x:ListThings", "because no service control policy allows the x:ListThings action"),
        refused("x:ListThings", "with an explicit deny in an identity-based policy"),
        refused("x:ListThings", "because no identity-based policy allows the x:ListThings action"),
        refused("x:ListThings", code="Throttling"),
        TimeoutError("hangs"),
    ],
    ids=["another policy", "not allowed", "the role", "the role does not allow", "throttled", "fault"],
)
def test_what_is_refused_otherwise_closes_nothing(other: Exception, number: int) -> None:
    def refuse(_: Reader) -> Any:
        raise other

    region = Region(answers={("ec2", "logs", "kms")[number]: refuse})
    assert region.gather().keys() == {*ALL}
    assert sorted(region.asked) == sorted(ALL)


def test_a_policy_that_aws_names_in_some_answers_only_is_one() -> None:
    def unnamed(aws: Reader) -> Any:
        raise refused(f"{aws.name}:ListThings", DENIES)

    region = Region(answers={"ec2": unnamed, "kms": unnamed})
    assert region.gather()["rds"] == "denied-by-scp: every call in eu-west-1, such as logs:ListThings (p-1)"
    assert len(region.asked) == ENOUGH
    region = Region(answers=dict.fromkeys(ALL, unnamed))
    assert region.gather()["rds"] == "denied-by-scp: every call in eu-west-1, such as ec2:ListThings"


def test_what_was_denied_behind_the_first_page_was_not_closed() -> None:
    def second_page(aws: Reader) -> Any:
        aws.turn(Bookmark(0, {"NextToken": "2"}))
        raise refused("ec2:ListThings")

    def second_item(_: Reader) -> Any:
        yield Resource(arn="first")
        raise refused("ec2:ListThings")

    for late in (second_page, second_item):
        region = Region(answers={"ec2": late})
        region.gather()
        assert sorted(region.asked) == sorted(ALL)


def test_a_service_that_hangs_keeps_nobody_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "WAIT_S", 0.0)
    asked = Event()

    def hang(_: Reader) -> Any:
        assert asked.wait(10)  # until somebody else is asked, who therefore did not wait
        return ()

    def wake(_: Reader) -> Any:
        asked.set()
        return ()

    region = Region(answers={**dict.fromkeys(ALL, answer), "ec2": hang, "backup": wake})
    assert set(region.gather().values()) == {""}
    assert sorted(region.asked) == sorted(ALL)


def test_where_another_invocation_has_been_nobody_goes_ahead() -> None:
    region, spool = Region(), Spool()
    collectors = region.collectors()
    spool.end(collectors[0].resource, None)
    gathering = Gathering(spool, NOWHERE, HERE, NOW, lambda: float("inf"), salt="", resume=False)
    assert gathering.run(collectors)
    assert sorted(region.asked) == sorted(ALL[1:])


def test_only_regions_are_closed_and_only_where_it_spares_calls() -> None:
    collectors = Region().collectors()
    assert [each.name for each in scouts(collectors, HERE)] == ["ec2", "logs", "kms"]
    assert scouts(collectors, EVERYWHERE) == ()
    assert scouts(Region(services=("ec2", "logs", "kms")).collectors(), HERE) == ()
    assert scouts(Region(services=("ec2", "logs", "backup", "glue")).collectors(), HERE) == ()


def test_of_the_catalogue_those_go_ahead_that_ask_least() -> None:
    regional = catalog.everything().needed(once=False)
    assert [each.name for each in scouts(regional, HERE)] == ["ebs-encryption", "logs-log-groups", "kms-keys"]
    services = {call.partition(":")[0] for each in regional for call in each.calls}
    assert set(SERVICES) <= services


def test_one_policy() -> None:
    assert one_policy(["", "p-1", "p-1"])
    assert not one_policy(["p-1", "p-1"])
    assert not one_policy(["p-1", "p-1", None])
    assert not one_policy(["p-1", "p-1", "p-2"])
    assert not one_policy([])


def test_only_an_explicit_denial_of_a_service_control_policy_closes() -> None:
    assert forbidden_by(refused("a:B")) == "p-1"
    assert forbidden_by(refused("a:B", DENIES)) == ""
    assert forbidden_by(refused("a:B", "because no service control policy allows the a:B action")) is None
    assert forbidden_by(KeyError(DENIES)) is None
