"""What the options ask for, as the input of an execution."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from orgscan import catalog, regions
from orgscan.model import ACCOUNT_ID
from orgscan.request import InvalidScanRequest, Nameable, ScanRequest, shown

if TYPE_CHECKING:
    from infra.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """As it was typed; the names are those of `ScanRequest`."""

    accounts: Sequence[str] = ()
    ous: Sequence[str] = ()
    account_tags: Sequence[tuple[str, str]] = ()
    regions: Sequence[str] = ()
    checks: Sequence[str] = ()
    categories: Sequence[str] = ()
    schedule: str = ""
    notify: bool = True
    digest: bool = False

    @property
    def narrowed(self) -> dict[str, Any]:
        """The scope, as far as it was named."""
        others = ("schedule", "notify", "digest")
        lists = {name: value for name, value in asdict(self).items() if name not in others}
        named = {name: [*value] for name, value in lists.items() if value}
        return named | ({"account_tags": dict(self.account_tags)} if self.account_tags else {})

    @property
    def anything(self) -> bool:
        return bool(self.narrowed or self.schedule or self.digest or not self.notify)


def build(wanted: Wanted, config: Config) -> dict[str, Any]:
    """The input, as orgscan.yaml allows it. Raises InvalidScanRequest with everything that is wrong."""
    request = wanted.narrowed
    if wanted.schedule:
        if request:
            what = f"schedule: {shown(wanted.schedule)} must stand alone: it has a scope of its own"
            raise InvalidScanRequest([what])
        own = {each.name: each.request for each in config.schedules}
        request = own.get(wanted.schedule, {"schedule": wanted.schedule})
    if not wanted.notify:
        request |= {"notify": False}
    if wanted.digest:
        request |= {"digest": True}
    _, problems = ScanRequest.parse(request, _nameable(config, wanted.accounts))
    if problems:
        raise InvalidScanRequest(problems)
    return request


def _nameable(config: Config, accounts: Sequence[str]) -> Nameable:
    """As far as orgscan.yaml tells. Which accounts exist, and who is in an OU, only planning will know."""
    from infra.fields import REGIONS  # noqa: PLC0415 (pydantic, which no other command need wait for)

    told = config.runtime()
    scope = told.scope
    return Nameable(
        accounts={
            each
            for each in accounts
            if re.fullmatch(ACCOUNT_ID, each)
            and each not in scope.exclude_accounts
            and each in (scope.accounts or (each,))
        },
        checks=catalog.everything().ids(without=told.off),
        schedules=told.schedules,
        region=lambda pattern: regions.refusal(pattern, scope.regions, REGIONS),
        organization=scope.organization,
    )
