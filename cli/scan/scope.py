"""What the options ask for: which accounts exist for this scan, how they are entered, what is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cli.doctor.ask import asked
from cli.scan.caller import Caller, CannotScan
from orgscan import session
from orgscan.model import Gap
from orgscan.settings import Configuration, Scope

if TYPE_CHECKING:
    from infra.config import Config
    from orgscan.meter import Meter
    from orgscan.session import Clients

SESSION = "orgscan-scan"
"""As which CloudTrail of an account that is entered names the visitor."""
MANAGER = (
    "use credentials of the management account or a delegated administrator, or name accounts: --account"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """As it was typed."""

    accounts: Collection[str] = ()
    organization: bool = False
    role: str = ""
    external_id: str = ""
    narrowed: Mapping[str, Any]
    """Beside accounts: the fields of `ScanRequest`."""

    def refuse(self, config: Config | None) -> None:
        """What can be told without asking AWS. Raises CannotScan."""
        for name in ("ous", "account_tags"):
            if self.narrowed.get(name) and not self.organization:
                option = {"ous": "--ou", "account_tags": "--account-tag"}[name]
                raise CannotScan(f"{option}: must stand with --organization, which knows of it")
        if self.external_id and not self.role:
            raise CannotScan("--external-id: must stand with --role: it is presented to that role")
        if self.role and not (self.accounts or self.organization):
            raise CannotScan(
                "--role: must stand with --account or --organization: your own account is not entered"
            )
        if self.organization and not (self.role or config):
            raise CannotScan("--organization: must stand with --role NAME or --config, whose role is entered")
        if self.organization and config and not config.accounts.organization:
            raise CannotScan("--organization: must not be given: accounts.organization is false in --config")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Into accounts: one's own as it is, others through a role."""

    home: Clients
    own: str
    role: str
    external_id: str | None
    polite: float

    def enter(self, account: str, meter: Meter) -> Clients:
        """To scan it. Raises what a call may raise."""
        if account == self.own:
            return session.directly(self.home, polite=self.polite, meter=meter)
        return session.assume(
            self.home,
            account,
            role=self.role,
            external_id=self.external_id,
            session_name=SESSION,
            polite=self.polite,
            meter=meter,
        )

    def visits(self, meter: Meter) -> Callable[[str], Clients]:
        """To ask it one question."""
        if not self.role:
            return lambda _: session.directly(self.home, meter=meter)
        elsewhere = session.visits(
            self.home, role=self.role, external_id=self.external_id, session_name=SESSION, meter=meter
        )
        return lambda account: (
            session.directly(self.home, meter=meter) if account == self.own else elsewhere(account)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All that a scan stands on."""

    configuration: Configuration
    request: Mapping[str, Any]
    way: Way
    together: str
    """What is scanned as one: the organization's id, or the ids of accounts."""


def ground(wanted: Wanted, config: Config | None, who: Caller) -> Ground:
    """Raises CannotScan."""
    told = config.runtime() if config else Configuration()
    request = dict(wanted.narrowed)
    if wanted.organization:
        together = _organization(who)
        scope = told.scope
        if wanted.accounts:
            request["accounts"] = [*wanted.accounts]
    else:
        accounts = tuple(sorted({*wanted.accounts} or {who.account}))
        _allowed(accounts, told.scope, who)
        together = " ".join(accounts)
        scope = Scope(organization=False, accounts=accounts, regions=told.scope.regions)
    way = _way(wanted, config, who, told.polite)
    if not (way.role or {*wanted.accounts} <= {who.account}):
        raise CannotScan(
            f"--account: must stand with --role NAME, or --config, whose role is entered:"
            f" the credentials are those of {who.account}"
        )
    return Ground(
        configuration=replace(told, scope=scope, inventory=False),
        request=request,
        way=way,
        together=together,
    )


def _way(wanted: Wanted, config: Config | None, who: Caller, polite: float) -> Way:
    role, external_id = wanted.role, wanted.external_id or None
    if config and not role:
        role, external_id = config.member_role, config.role.external_id
    return Way(home=who.home, own=who.account, role=role, external_id=external_id, polite=polite)


def _allowed(accounts: Collection[str], scope: Scope, who: Caller) -> None:
    """What orgscan.yaml leaves out stays out."""
    for each in accounts:
        if each in scope.exclude_accounts or each not in (scope.accounts or (each,)):
            whose = ", that of the credentials" if each == who.account else ""
            raise CannotScan(f"--account: {each}{whose}: must be among the accounts of --config")


def _organization(who: Caller) -> str:
    """Its id. Raises CannotScan where its accounts cannot be listed."""
    client = who.home.get("organizations")
    told = asked(lambda: client.describe_organization()["Organization"]["Id"])
    lost = told if isinstance(told, Gap) else asked(lambda: client.list_accounts(MaxResults=1))
    if isinstance(lost, Gap):
        raise CannotScan(
            f"--organization: its accounts cannot be listed ({lost.reason}: {lost.detail}): {MANAGER}"
        )
    return str(told)
