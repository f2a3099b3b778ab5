"""What the scan of a target came to is judged like everything else, whatever could not be seen."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from orgscan.catalog import Catalog
from orgscan.collector import Collector
from orgscan.coverage import Look, Resolution
from orgscan.engine import look
from orgscan.model import GLOBAL, Blindness, Finding, Severity, Target
from orgscan.services.account.checks import (
    account_region_not_scanned,
    account_scan_permission_denied,
    organizations_member_scan_role_missing,
)
from orgscan.services.account.collect import account_sightings, region_sightings
from orgscan.spool import Spool
from tests.scans import NOW, finding
from tests.test_engine import DENIED, HERE, NOWHERE, Other, Thing, other_exists, sees, thing_lonely, thing_red

ITSELF = (
    account_region_not_scanned,
    account_scan_permission_denied,
    organizations_member_scan_role_missing,
)
REGION = "arn:aws:account:eu-west-1:123456789012:region/eu-west-1"
ACCOUNT = "arn:aws:account::123456789012:account"
SCP = ClientError(
    {
        "Error": {
            "Code": "AccessDenied",
            "Message": "User: u is not authorized to perform: x:ListThings with an explicit deny in "
            "a service control policy: arn:aws:organizations::9:policy/o/service_control_policy/p-12345678",
        }
    },
    "ListThings",
)
OFF = ClientError({"Error": {"Code": "OptInRequired", "Message": "not subscribed"}}, "ListThings")
DEAD = EndpointConnectionError(endpoint_url="https://x.eu-west-1.amazonaws.com")


def scan(*collectors: Collector[Any], target: Target = HERE, checks: Any = (), **how: Any) -> Look:
    asked = checks or (*ITSELF, thing_red, thing_lonely, other_exists)
    catalog = Catalog(asked, (*collectors, account_sightings, region_sightings))
    seen = look(target, how.pop("enter", lambda: NOWHERE), catalog, now=NOW, **how)
    assert seen
    return seen


def found(seen: Look) -> list[tuple[str, str, Severity, tuple[str, ...]]]:
    return [(each.check, each.resource, each.severity, each.problems) for each in seen.findings]


def refuse() -> Any:
    raise ClientError(
        {"Error": {"Code": "AccessDenied", "Message": "is not authorized to perform: sts:AssumeRole"}},
        "AssumeRole",
    )


def all_raise(error: Exception) -> list[Collector[Any]]:
    return [sees(kind, then=error) for kind in (Thing, Other)]


def test_all_is_well() -> None:
    seen = scan(
        sees(Thing, Thing(arn="t", color="blue")),
        sees(Other, Other(arn="o", owner="t")),
        checks=(*ITSELF, thing_red),
    )
    assert found(seen) == []
    assert seen.coverage.planned == {
        "account-region-not-scanned",
        "account-scan-permission-denied",
        "thing-red",
    }
    assert not seen.coverage.gaps
    assert seen.coverage.resources == {"Thing": 1}


def test_a_denied_action_is_told_with_the_checks_that_need_it() -> None:
    seen = scan(sees(Thing, then=DENIED), sees(Other, Other(arn="o")))
    (denied,) = (each for each in found(seen) if each[0] == "account-scan-permission-denied")
    assert denied == (
        "account-scan-permission-denied",
        REGION,
        Severity.MEDIUM,
        ("x:ListThings is denied; it keeps thing-lonely, thing-red from being judged",),
    )
    assert seen.coverage.gaps.keys() == {"thing-red", "thing-lonely"}


def test_an_account_that_cannot_be_entered_is_one_finding_in_its_global_target() -> None:
    collectors = [sees(Thing), sees(Other)]
    there = Target(HERE.account, GLOBAL)
    seen = scan(*collectors, target=there, enter=refuse)
    assert found(seen) == [
        ("organizations-member-scan-role-missing", ACCOUNT, Severity.HIGH, ("denied: sts:AssumeRole",))
    ]
    assert seen.coverage.gaps.keys() == {"account-scan-permission-denied"}
    beside = scan(*collectors, enter=refuse)
    assert found(beside) == []
    assert beside.coverage.gaps.keys() == beside.coverage.planned
    assert {gap.detail for gap in beside.coverage.gaps.values()} == {"sts:AssumeRole"}


def test_the_role_is_asked_for_even_if_nothing_else_is() -> None:
    there, only = Target(HERE.account, GLOBAL), (organizations_member_scan_role_missing,)
    assert [each[0] for each in found(scan(target=there, checks=only, enter=refuse))] == [only[0].id]
    assert found(scan(target=there, checks=only)) == []


@pytest.mark.parametrize(
    ("error", "severity", "text"),
    [
        (SCP, Severity.LOW, "denied-by-scp: every call in eu-west-1, such as x:ListThings (p-12345678)"),
        (OFF, Severity.MEDIUM, "region-off: every call in eu-west-1, such as ListThings: OptInRequired"),
        (DEAD, Severity.MEDIUM, "unreachable: every call in eu-west-1, such as EndpointConnectionError"),
    ],
    ids=["scp", "off", "dead"],
)
def test_a_region_in_which_every_call_fails_alike(error: Exception, severity: Severity, text: str) -> None:
    seen = scan(*all_raise(error))
    ((check, resource, rated, (problem,)),) = found(seen)
    assert (check, resource, rated) == ("account-region-not-scanned", REGION, severity)
    assert problem.startswith(text)
    # One gap for all that it hides, the missing permissions too.
    assert seen.coverage.gaps.keys() == seen.coverage.planned - {"account-region-not-scanned"}
    assert len({gap.detail for gap in seen.coverage.gaps.values()}) == 1


def test_a_region_that_is_off_is_told_without_a_call() -> None:
    def nobody() -> Any:
        raise AssertionError("the account was entered")

    off = Target(HERE.account, HERE.region, region_off=True)
    seen = scan(sees(Thing), sees(Other), target=off, enter=nobody)
    assert [(check, problems) for check, _, _, problems in found(seen)] == [
        ("account-region-not-scanned", ("region-off: eu-west-1 is not enabled in this account",))
    ]


def test_calls_that_fail_for_different_reasons_do_not_close_a_region() -> None:
    seen = scan(sees(Thing, then=SCP), sees(Other, then=OFF))
    assert [check for check, *_ in found(seen)] == ["account-scan-permission-denied"]
    assert {gap.reason for gap in seen.coverage.gaps.values()} == {
        Blindness.DENIED_BY_SCP,
        Blindness.REGION_OFF,
    }


def test_one_call_that_works_opens_a_region() -> None:
    seen = scan(sees(Thing, then=SCP), sees(Other, Other(arn="o")))
    assert "account-region-not-scanned" not in {check for check, *_ in found(seen)}


def test_what_was_wrong_is_resolved_when_it_is_seen_to_be_right() -> None:
    open_ = [finding(REGION, "account-region-not-scanned"), finding(REGION, "account-scan-permission-denied")]
    seen = scan(sees(Thing), sees(Other))
    assert [seen.coverage.closes(each) for each in open_] == [Resolution.FIXED] * 2
    blind = scan(sees(Thing), sees(Other), enter=refuse)
    assert [blind.coverage.closes(each) for each in open_] == [None, None]


def test_a_region_of_which_nothing_was_asked_is_not_vouched_for() -> None:
    seen = scan(checks=(account_region_not_scanned,))
    assert {gap.reason for gap in seen.coverage.gaps.values()} == {Blindness.NO_DATA}


def test_another_invocation_comes_to_the_same() -> None:
    """The spool keeps what was seen; what it came to is worked out anew."""
    spool = Spool()
    collectors = [sees(Thing, then=DENIED), sees(Other, Other(arn="o"))]
    first, again = (scan(*collectors, spool=spool) for _ in range(2))
    assert list(first.findings) == list(again.findings)
    assert first.coverage.gaps == again.coverage.gaps
    assert sum(isinstance(each, Finding) for each in again.findings) == len(found(first))
