"""Scope and request -> the targets of one scan; what is wrong is said before any account is touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING

from orgscan import regions
from orgscan.catalog import AnyCheck, Catalog
from orgscan.coverage import Reach
from orgscan.errors import NO_ANSWER, gap
from orgscan.membership import JOINED, KNOWN, Move, Remembered, moves
from orgscan.meter import NOTHING, Spent
from orgscan.model import GLOBAL, Category, Standing, Target
from orgscan.organization import Account, CannotPlan, Organization, Selection, UnknownUnit, within
from orgscan.ownership import OwnersUnread, Registrar, take
from orgscan.port import Store
from orgscan.regions import Known
from orgscan.request import InvalidScanRequest, Nameable, ScanRequest, shown
from orgscan.schema import NewerTable
from orgscan.settings import Configuration

if TYPE_CHECKING:
    from orgscan.session import Clients

ACCOUNTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one scan set out to do."""

    scan: str
    started: str
    """ISO 8601 UTC."""
    schedule: str
    notify: bool
    partition: str
    checks: tuple[str, ...]
    skipped: tuple[Account, ...]
    """In scope, but not active."""
    accounts: int
    """Active ones."""
    planned: int
    """Targets to look at."""
    absent: int = 0
    """Targets that earlier scans looked at and nobody does any more."""
    retiring: tuple[Category, ...] = ()
    """In these, findings of checks that no longer exist are closed: those of which the scan asks for all."""
    members: tuple[str, ...] = ()
    """Ids of the organization's accounts, in any state; without one, of those in scope."""
    spent: Spent = NOTHING
    """By planning."""
    moves: tuple[Move, ...] = ()
    """Accounts that joined, left or changed state, as far as nobody was told when the scan started."""
    digest: bool = False
    """Everything that is open is told, whether or not anything changed."""
    owners_unread: tuple[OwnersUnread, ...] = ()
    """Accounts whose owners or units could not be read, by cause."""

    @property
    def moment(self) -> datetime:
        """When it started: the only clock of checks and suppressions."""
        return datetime.fromisoformat(self.started)

    def reach(self, known: Iterable[str]) -> Reach:
        """`known`: the ids of all checks that are switched on."""
        return Reach(checks=frozenset(self.checks), known=frozenset(known), retiring=frozenset(self.retiring))


def scan_id(started: datetime, execution: str) -> str:
    """Sorts by start, is the same on every retry, and tells two scans of one moment apart."""
    return f"{started:%Y%m%dT%H%M%S}{started.microsecond // 1000:03}Z-{execution[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Answers one request from the configured scope."""

    catalog: Catalog
    configuration: Configuration
    home: Clients
    enter: Callable[[str], Clients]
    """Become an account."""
    store: Store
    seconds_left: Callable[[], float] = lambda: inf

    def plan(self, raw: object, *, started: datetime, execution: str) -> tuple[Plan, Sequence[Target]]:
        """Raises InvalidScanRequest for what was asked, CannotPlan for what stands in the way."""
        on = self._on()
        organization = Organization(self.home.get("organizations"))
        listed, everyone = self._accounts(organization)
        default = self._default()
        known = Nameable(
            accounts={account.id for account in everyone},
            checks=[check.id for check in on],
            schedules=self.configuration.schedules,
            region=lambda pattern: regions.refusal(
                pattern, self.configuration.scope.regions, default.names()
            ),
            organization=self.configuration.scope.organization,
        )
        request, problems = ScanRequest.parse(raw, known)
        if problems:
            raise InvalidScanRequest(problems)
        chosen = self._chosen(organization, request, everyone)
        checks = [check for check in on if _asked(check, request)]
        active = [account for account in chosen if account.active]
        self._adopt()
        before = {each.account: each for each in self.store.remembered()}
        due = self._targets(active, request, checks, default, before) if active and checks else ()
        targets = sorted(due, key=_region_by_region)
        if not targets:
            what = "check" if not checks else "active account" if not active else "account and region"
            raise InvalidScanRequest([f"input: no {what} is left to scan with {shown(raw)}"])
        absent = list(self._absent(request, listed, targets, before))
        scan = scan_id(started, execution)
        day = started.date().isoformat()
        registrar = self._registrar(organization)
        census = take(registrar, self.configuration, active, absent, before, day)
        self._remember(targets, absent, before, scan)
        for account, owner in census.learned.items():
            self.store.remember_owner(account, owner, day)
        moved = [] if request.of_accounts else list(self._moves(listed, everyone, before, scan))
        plan = Plan(
            scan=scan,
            started=started.isoformat(timespec="seconds"),
            schedule=request.schedule,
            notify=request.notify,
            digest=request.digest,
            partition=self.home.partition,
            checks=tuple(check.id for check in checks),
            skipped=tuple(account for account in chosen if not account.active),
            accounts=len(active),
            planned=len(targets),
            absent=len(absent),
            members=tuple(sorted(listed if listed is not None else (each.id for each in everyone))),
            moves=tuple(moved),
            retiring=() if request.checks else tuple(map(Category, request.categories or Category)),
            owners_unread=census.unread,
        )
        return plan, [census.place(each) for each in (*targets, *absent)]

    def _adopt(self) -> None:
        try:
            self.store.adopt()
        except NewerTable as newer:
            raise CannotPlan(str(newer)) from newer
        except NO_ANSWER as error:
            raise unusable("table of findings", error) from error

    def _on(self) -> list[AnyCheck]:
        return [check for check in self.catalog.checks if check.id not in self.configuration.off]

    def _accounts(self, organization: Organization) -> tuple[frozenset[str] | None, list[Account]]:
        """Who is in the organization (None: nobody was asked), and all that the configured scope holds of it.

        In any state.
        """
        scope = self.configuration.scope
        if not scope.organization:
            return None, [Account(each, "") for each in scope.accounts if each not in scope.exclude_accounts]
        everyone = organization.accounts()
        # Who is listed by id and has left must not leave the reports without a word.
        listed = set(scope.accounts) - set(scope.exclude_accounts) - {account.id for account in everyone}
        gone = [Account(each, "", "NOT IN THE ORGANIZATION") for each in sorted(listed)]
        try:
            chosen = [*organization.select(everyone, within(scope)), *gone]
        except UnknownUnit as unknown:
            raise CannotPlan(f"accounts.ous in orgscan.yaml: {unknown}") from unknown
        return frozenset(account.id for account in everyone), chosen

    def _registrar(self, organization: Organization) -> Registrar:
        return Registrar(
            home=self.home,
            organization=organization if self.configuration.scope.organization else None,
            keys=self.configuration.owner_tags,
            polite=self.configuration.polite,
            seconds_left=self.seconds_left,
        )

    def _absent(
        self,
        request: ScanRequest,
        listed: Collection[str] | None,
        targets: Iterable[Target],
        before: Mapping[str, Remembered],
    ) -> Iterator[Target]:
        """What earlier scans looked at and this one does not, though nobody narrowed it."""
        if request.somewhere:
            return
        here = {(target.account, target.region) for target in targets}
        everywhere = self._asks_everywhere(request)
        for known in before.values():
            left = listed is not None and known.account not in listed
            # A scan of a few checks may have nothing to ask in a region; that ends nothing there.
            if left or everywhere:
                standing = Standing.LEFT if left else Standing.OUT_OF_SCOPE
                for region in sorted(known.regions):
                    if (known.account, region) not in here:
                        yield Target(
                            known.account, region, self.home.partition, known.name, standing=standing
                        )

    def _remember(
        self, targets: Iterable[Target], absent: Iterable[Target], before: Mapping[str, Remembered], scan: str
    ) -> None:
        """What is scanned for the first time, what is back, and what is missing."""
        names = {target.account: target.account_name for target in targets}
        for account, where in sorted(_by_account(targets).items()):
            known = before.get(account, Remembered(account, "", frozenset()))
            new, back = where - known.regions, known.came_back(where)
            if new or back:
                self.store.remember(Remembered(account, names[account], frozenset(where), back))
        for account, where in sorted(_by_account(absent).items()):
            self.store.miss(account, where, scan)

    def _moves(
        self,
        listed: Collection[str] | None,
        everyone: Iterable[Account],
        before: Mapping[str, Remembered],
        scan: str,
    ) -> Iterator[Move]:
        """What is news of accounts. What is none is known from now on.

        That is whom the first scan meets, and who comes into the scope and was in the organization before.
        """
        if listed is None:
            return
        since = self.store.told(KNOWN)
        joined = {account.id: account.joined for account in everyone}
        for move in moves(everyone, listed, before, self.configuration.scope.exclude_accounts):
            old = move.word == JOINED and "" < joined[move.account] < since
            if old or not since:
                self.store.first_to_move(move, scan)
            else:
                yield move
        if not since:
            self.store.first_to_tell(KNOWN, scan)

    def _asks_everywhere(self, request: ScanRequest) -> bool:
        asked = self.catalog.only({check.id for check in self._on() if _asked(check, request)})
        return all(asked.planned(once=once) for once in (True, False))

    def _chosen(
        self, organization: Organization, request: ScanRequest, everyone: Sequence[Account]
    ) -> list[Account]:
        wanted = Selection(request.accounts, request.ous, request.account_tags)
        try:
            return organization.select(everyone, wanted)
        except UnknownUnit as unknown:
            raise InvalidScanRequest([f"ous: {unknown}"]) from unknown

    def _default(self) -> Known:
        """The regions that need no opting in, for accounts that do not say which they have enabled."""
        try:
            known = regions.known(self.home.get("ec2"), by_default=True)
        except NO_ANSWER as error:
            lost = gap("regions", error)
            raise CannotPlan(f"regions cannot be listed ({lost.reason}: {lost.detail})") from error
        named = filter(regions.is_name, self.configuration.scope.regions)
        if unknown := [region for region in named if region not in known.names()]:
            raise CannotPlan(f"regions in orgscan.yaml: no such region: {', '.join(unknown)}")
        return known

    def _targets(
        self,
        accounts: Sequence[Account],
        request: ScanRequest,
        checks: Iterable[AnyCheck],
        default: Known,
        before: Mapping[str, Remembered],
    ) -> Iterable[Target]:
        asked = self.catalog.only({check.id for check in checks})
        due = {once: bool(asked.planned(once=once)) for once in (True, False)}
        named = list(filter(regions.is_name, request.regions))  # all are in the configured scope
        patterns = [*self.configuration.scope.regions, *named]
        with ThreadPoolExecutor(ACCOUNTS_AT_ONCE) as pool:
            answers = pool.map(lambda each: regions.of_account(lambda: self.enter(each.id)), accounts)
            for account, own in zip(accounts, answers, strict=True):
                where = regions.planned(patterns, own or default)
                if own is None and account.id in before:
                    # It does not say which are on: where it was scanned before, it is still due.
                    where |= {
                        each: True for each in before[account.id].regions if regions.matches(each, patterns)
                    }
                for region, on in {GLOBAL: True, **where}.items():
                    if due[region == GLOBAL] and (not request.regions or _wants(request, region)):
                        yield Target(
                            account.id,
                            region,
                            self.home.partition,
                            account.name,
                            region_off=own is not None and not on,
                            payer=account.pays,
                            unscanned=self._unscanned(own) if region == GLOBAL else (),
                        )

    def _unscanned(self, own: Known | None) -> tuple[str, ...] | None:
        """The regions that the account has enabled and that no scan is configured to look at."""
        if own is None:
            return None
        scope = self.configuration.scope.regions
        return tuple(
            sorted(each for each, on in own.enabled.items() if on and not regions.matches(each, scope))
        )


def _region_by_region(target: Target) -> tuple[bool, str]:
    """Workers keep their clients from one target to the next, and those are of a region."""
    return target.region != GLOBAL, target.region


def _by_account(targets: Iterable[Target]) -> dict[str, set[str]]:
    """Account -> regions."""
    found: dict[str, set[str]] = defaultdict(set)
    for target in targets:
        found[target.account].add(target.region)
    return found


def _asked(check: AnyCheck, request: ScanRequest) -> bool:
    named = not request.checks or check.id in request.checks
    return named and (not request.categories or check.category in request.categories)


def _wants(request: ScanRequest, region: str) -> bool:
    return regions.matches(region, request.regions) if region != GLOBAL else GLOBAL in request.regions


def unusable(what: str, error: Exception) -> CannotPlan:
    """Somebody deleted it, or its key, or took a permission away. Nothing was scanned, so nothing is lost."""
    lost = gap("hub", error)
    return CannotPlan(
        f"the {what} cannot be used ({lost.reason}: {lost.detail})."
        " docs/operating.md says how to get it back: When the hub has lost something."
    )
