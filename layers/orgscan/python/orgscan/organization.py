"""Who is in the organization, read at the start of every scan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from orgscan.errors import NO_ANSWER, OutOfTime, code_of, gap
from orgscan.model import Gap, account_state
from orgscan.settings import Scope

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

CALLS = (
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
    "organizations:ListTagsForResource",
)


class CannotPlan(Exception):
    """Nothing can be scanned; the message says what a person can do about it."""


class UnknownUnit(Exception):
    """No organizational unit or root has this id."""


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    state: str = "ACTIVE"
    management: str = field(default="", compare=False)
    """The id of the account that manages the organization; empty without one."""
    joined: str = field(default="", compare=False)
    """When, as a scan's id begins ('20260115T060000'); empty where Organizations does not say."""

    @property
    def active(self) -> bool:
        return self.state == "ACTIVE"

    @property
    def pays(self) -> bool:
        """Its own bill, as far as Organizations tells."""
        return self.management in ("", self.id)


@dataclass(frozen=True, slots=True)
class Selection:
    """A narrowing of accounts: each field that is set must hold."""

    accounts: Collection[str] = ()
    ous: Collection[str] = ()
    tags: Mapping[str, str] | None = None
    exclude: Collection[str] = ()


class Organization:
    """The organization as Organizations tells it; asks only what a selection needs, and nothing twice."""

    def __init__(self, client: OrganizationsClient) -> None:
        self._client = client
        self._below: dict[str, tuple[list[str], list[str]]] = {}
        """Unit or root -> the ids of accounts and of units in it."""
        self._tagged: dict[str, Mapping[str, str]] = {}

    def accounts(self) -> list[Account]:
        """All, in any state. Raises CannotPlan when Organizations does not answer."""
        try:
            return sorted(map(_account, self._pages("list_accounts", "Accounts")), key=lambda each: each.id)
        except NO_ANSWER as error:
            lost = gap("organizations", error)
            raise CannotPlan(
                f"the organization's accounts cannot be listed ({lost.reason}: {lost.detail})."
                " Deploy orgscan in the management account or a delegated administrator,"
                " or set accounts.organization to false and list accounts.ids in orgscan.yaml."
            ) from error

    def select(self, accounts: Iterable[Account], by: Selection) -> list[Account]:
        """Raises UnknownUnit; CannotPlan when units or tags cannot be read: a guess would scan others."""
        chosen = [each for each in accounts if not by.accounts or each.id in by.accounts]
        chosen = [each for each in chosen if each.id not in by.exclude]
        try:
            if by.ous:
                inside = {member for ou in by.ous for member in self._members(ou)}
                chosen = [each for each in chosen if each.id in inside]
            if by.tags:
                wanted = by.tags.items()
                chosen = [each for each in chosen if wanted <= self.tags(each.id).items()]
        except NO_ANSWER as error:
            lost = gap("organizations", error)
            raise CannotPlan(
                f"accounts cannot be selected by unit or tag ({lost.reason}: {lost.detail})."
                " Allow the plan function what is missing, or select accounts by id."
            ) from error
        return chosen

    def above(
        self, wanted: Collection[str], seconds_left: Callable[[], float]
    ) -> tuple[dict[str, tuple[str, ...]], Gap | None]:
        """Account -> ids of the root and the units that it is in, from the top; and why some are missing.

        Asks from the top down until all that are `wanted` are found: a page for 20 accounts, and one or two
        for each unit, however few of its accounts are wanted.
        """
        found: dict[str, tuple[str, ...]] = {}
        try:
            paths: list[tuple[str, ...]] = [(root["Id"],) for root in self._pages("list_roots", "Roots")]
            while paths and len(found) < len(wanted):
                if seconds_left() <= 0:
                    return found, gap("organizations", OutOfTime())
                path = paths.pop()
                accounts, units = self._in(path[-1])
                found |= dict.fromkeys((each for each in accounts if each in wanted), path)
                paths += ((*path, unit) for unit in reversed(units))
        except NO_ANSWER as error:
            return found, gap("organizations", error)
        return found, None

    def tags(self, resource: str, wait: Callable[[], None] = lambda: None) -> Mapping[str, str]:
        """Of an account, unit or root. `wait`: called before it is asked. Raises NO_ANSWER."""
        if resource not in self._tagged:
            wait()
            tags = self._pages("list_tags_for_resource", "Tags", ResourceId=resource)
            self._tagged[resource] = {tag["Key"]: tag["Value"] for tag in tags}
        return self._tagged[resource]

    def _members(self, ou: str) -> Iterator[str]:
        """Accounts below a unit or root, however deep."""
        try:
            accounts, units = self._in(ou)
        except ClientError as error:
            if code_of(error) == "ParentNotFoundException":
                raise UnknownUnit(f"{ou} is not a unit or root of this organization") from error
            raise
        yield from accounts
        for unit in units:
            yield from self._members(unit)

    def _in(self, ou: str) -> tuple[list[str], list[str]]:
        """Accounts and units directly in it."""
        if ou not in self._below:
            accounts = self._pages("list_accounts_for_parent", "Accounts", ParentId=ou)
            units = self._pages("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=ou)
            self._below[ou] = ([each["Id"] for each in accounts], [each["Id"] for each in units])
        return self._below[ou]

    def _pages(self, operation: Any, field: str, **arguments: str) -> Iterator[Any]:
        # A page may be empty while more follow; only the missing token ends the list. But botocore reads
        # an answer that broke off as one without fields, and that is no last page.
        for page in self._client.get_paginator(operation).paginate(**arguments):
            if field not in page and "NextToken" not in page:
                raise ResponseParserError(f"{operation}: the answer has no {field}")
            yield from page.get(field, [])


def within(scope: Scope) -> Selection:
    return Selection(scope.accounts, scope.ous, scope.account_tags, scope.exclude_accounts)


def _account(told: Mapping[str, Any]) -> Account:
    joined = told.get("JoinedTimestamp")
    return Account(
        told["Id"],
        told.get("Name", ""),
        account_state(told),
        # An account's ARN is that of the organization, which belongs to who manages it.
        told.get("Arn", "::::").split(":")[4],
        f"{joined.astimezone(UTC):%Y%m%dT%H%M%S}" if joined else "",
    )
