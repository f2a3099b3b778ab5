"""Planning without a cloud: what AWS answers is served by hand where moto cannot say it."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from benchmarks.fleet import Raw
from orgscan import catalog
from orgscan.model import Target
from orgscan.plan import Plan, Planner
from orgscan.session import Clients
from orgscan.settings import Configuration, Scope
from orgscan.store import FindingStore
from tests.twins import TableTwin

STARTED = datetime(2026, 1, 15, 6, 0, 0, 123456, tzinfo=UTC)
EXECUTION = "8f14e45f-ceea-467f-a0e6-7a5b1f7c0c55"
REGIONAL = "ebs-volume-unattached"
ONCE = "iam-root-mfa-disabled"
EU = Scope(regions=("eu-west-1",))
STATIC = Scope(organization=False, accounts=("111111111111", "222222222222"), regions=("eu-west-1",))


class Answers(list[Any]):
    """What a client gets instead of moto's answers, in turn; the requests are kept."""

    def serve(self, client: Any, operation: str) -> "Answers":
        self.requests: list[Any] = []
        event = f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}"
        client.meta.events.register_first(event, self._answer)
        return self

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        self.requests.append(request.body)
        status, body = self.pop(0)
        return AWSResponse(request.url, status, HTTPHeaders(), Raw(body))


def page(**members: Any) -> tuple[int, bytes]:
    return 200, json.dumps(members).encode()


def refusal(code: str, message: str) -> tuple[int, bytes]:
    return 400, json.dumps({"__type": code, "message": message}).encode()


def regions(**opted: str) -> tuple[int, bytes]:
    """DescribeRegions' answer: region (with underscores) -> opt-in status."""
    rows = "".join(
        f"<item><regionName>{name.replace('_', '-')}</regionName><optInStatus>{status}</optInStatus></item>"
        for name, status in opted.items()
    )
    return 200, f"<DescribeRegionsResponse><regionInfo>{rows}</regionInfo></DescribeRegionsResponse>".encode()


ALWAYS, ON, OFF = "opt-in-not-required", "opted-in", "not-opted-in"
"""What AWS says of a region in an account."""


def account(number: int, name: str = "", **facts: str) -> Mapping[str, str]:
    return {"Id": f"{number:012}", "Name": name or f"account-{number}", **facts}


def store(table: Any) -> FindingStore:
    """Over a twin of boto3's table."""
    return FindingStore(table)


def planner(
    home: Clients,
    scope: Scope,
    enter: Callable[[str], Clients] | None = None,
    table: Any = None,
    **configured: Any,
) -> Planner:
    """Of owners it asks only when it is told to, so that tests of other matters serve no answers to that."""

    def anyone(_: str) -> Clients:
        return home

    return Planner(
        catalog=catalog.everything(),
        configuration=Configuration(scope=scope, **{"account_owners": False, **configured}),
        home=home,
        enter=enter or anyone,
        store=store(table or TableTwin()),
    )


def plan(made: Planner, **request: Any) -> tuple[Plan, Sequence[Target]]:
    return made.plan(request, started=STARTED, execution=EXECUTION)


def names(targets: Sequence[Target]) -> list[str]:
    return sorted({target.account_name for target in targets})


def places(targets: Sequence[Target]) -> list[str]:
    return [f"{target.account[0]} {target.region}" for target in targets]
