"""Who answers for accounts, as planning reads it: their tags, those of the units above them, their contacts.

Units are asked in every scan. An account is asked at most once a day, and only so many in a scan: what ten
thousand say takes some scans. What was not asked, or did not answer, keeps the owner that was read last.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from orgscan.errors import NO_ANSWER, OutOfTime, code_of, gap
from orgscan.membership import Remembered
from orgscan.model import NOBODY, Blindness, Gap, OwnedBy, Owner, Standing, Target
from orgscan.organization import Account, Organization
from orgscan.owners import named, one_line
from orgscan.pace import Pace
from orgscan.secrets import hide

if TYPE_CHECKING:
    from orgscan.session import Clients
    from orgscan.settings import Configuration

T = TypeVar("T")

CALLS = ("account:GetAlternateContact",)
"""What asks for owners, beside what lists accounts. Anybody may ask STS who they are."""
CONTACTS = ("OPERATIONS", "SECURITY")
"""Kinds of alternate contacts, best first."""
MOST_ACCOUNTS = 1000
"""That are asked in a scan, those first that were not asked for longest."""
SECONDS = 120.0
"""After which no unit and no account is asked any more in a scan."""
WALK_SECONDS = 150.0
"""After which no further unit is looked into: some 1,000 calls, one after the other."""
LAST_SECONDS = 270.0
"""That stay for what planning writes: the rows of ten thousand accounts that it meets for the first time."""
AT_ONCE = 16
LATER = f"not asked yet: a scan asks {MOST_ACCOUNTS:,} accounts at most, for {SECONDS:.0f} s"
CAUSES = 5
"""That are told apart."""
OTHERS = "other causes"
DENIED = (Blindness.DENIED, Blindness.DENIED_BY_SCP)


@dataclass(frozen=True, slots=True)
class OwnersUnread:
    """So many accounts may have another owner, or be in other units, than the plan says."""

    accounts: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What is known of accounts."""

    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Account -> ids of the root and the units that it is in, from the top."""
    owners: Mapping[str, Owner] = field(default_factory=dict)
    learned: Mapping[str, Owner] = field(default_factory=dict)
    """Of the accounts that were asked now."""
    unread: tuple[OwnersUnread, ...] = ()
    """By cause, that of most accounts first."""

    def place(self, target: Target) -> Target:
        """With what is known of its account."""
        above = self.above.get(target.account, ())
        return replace(target, ous=above, owner=self.owners.get(target.account, NOBODY))


class _NotTold(Exception):
    """AWS did not answer, or was not asked any more. The message says why."""


@dataclass(slots=True)
class _Ask:
    """Questions in the hub's own account, at a pace, until a time. What is denied is not asked again."""

    pace: Pace
    seconds_left: Callable[[], float]
    _denied: dict[str, str] = field(default_factory=dict)

    def __call__(self, call: str, ask: Callable[[Callable[[], None]], T]) -> T:
        """`ask` calls what it is given before it asks AWS. Raises _NotTold."""
        if call in self._denied:
            raise _NotTold(self._denied[call])
        try:
            return ask(lambda: self._wait(call))
        except OutOfTime as late:
            raise _NotTold(LATER) from late
        except NO_ANSWER as error:
            lost = gap("owners", error)
            if lost.reason in DENIED:
                self._denied[call] = _words(lost)
            raise _NotTold(_words(lost)) from error

    def _wait(self, call: str) -> None:
        left = self.seconds_left()
        if left <= 0:
            raise OutOfTime
        self.pace.wait("", call, most=left)


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of one account before it is asked."""

    account: Account
    last: Owner
    """As it was read last."""
    read: str
    """On this day; empty: never."""
    unit: str
    """Whom the closest unit names that names anybody."""
    doubt: str
    """Why a closer unit may name somebody else; empty: none does."""

    @property
    def above(self) -> Owner:
        """Of whom the units tell, and if they do not all tell, of whom they did."""
        if self.last.by is OwnedBy.UNIT and self.doubt:
            return self.last
        return Owner(self.unit, OwnedBy.UNIT) if self.unit else NOBODY

    @property
    def now(self) -> Owner:
        """If it is not asked."""
        if self.last.by is OwnedBy.ACCOUNT or not (self.above.name or self.last.by is OwnedBy.UNIT):
            return self.last
        return self.above

    def due(self, day: str) -> bool:
        """It was not asked on this day, or the units named somebody then and no longer do."""
        return self.read != day or (self.last.by is OwnedBy.UNIT and not self.above.name)


@dataclass(slots=True, kw_only=True)
class Registrar:
    """Reads, for one scan, which units accounts are in and who answers for them."""

    home: Clients
    organization: Organization | None
    """None: it is not asked. Then only the hub's own account has a contact that can be read."""
    keys: Sequence[str]
    """Of the tags that name owners."""
    polite: float = 1.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    seconds_left: Callable[[], float] = lambda: inf
    """Of the whole plan. Owners are what it can go without."""

    def units(self, accounts: Collection[Account], elsewhere: Iterable[str]) -> Census:
        """Without owners."""
        above, lost = self._above(accounts, elsewhere)
        files = [
            self._file(each, above.get(each.id), lost, {}, {}) for each in accounts if each.id not in above
        ]
        return Census(above=above, unread=_unread(files, {}))

    def census(
        self,
        accounts: Collection[Account],
        elsewhere: Iterable[str],
        known: Mapping[str, Remembered],
        day: str,
    ) -> Census:
        """`accounts`: whose owners are read. `elsewhere`: others, of whom only units are. `day`: in UTC."""
        above, lost = self._above(accounts, elsewhere)
        ask = _Ask(Pace(self.polite, clock=self.clock, sleep=self.sleep), self._within(SECONDS))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            units = sorted({unit for each in accounts for unit in above.get(each.id, ())})
            told = dict(zip(units, pool.map(lambda unit: self._tagged(ask, unit), units), strict=True))
            files = [self._file(each, above.get(each.id), lost, told, known) for each in accounts]
            due = sorted(
                (each for each in files if each.due(day)), key=lambda each: (each.read, each.account.id)
            )
            asked, hub = due[:MOST_ACCOUNTS], self._hub(ask) if due else ""
            answers = pool.map(lambda each: self._read(ask, each, hub), asked)
            read = dict(zip((each.account.id for each in asked), answers, strict=True))
        learned = {id_: owner for id_, (owner, _) in read.items() if owner}
        owners = {each.account: each.owner for each in known.values()}
        owners |= {each.account.id: learned.get(each.account.id, each.now) for each in files}
        causes = {id_: why for id_, (_, why) in read.items()}
        never = {each.account.id: LATER for each in due if not each.read}
        return Census(above=above, owners=owners, learned=learned, unread=_unread(files, never | causes))

    def _above(
        self, accounts: Iterable[Account], elsewhere: Iterable[str]
    ) -> tuple[Mapping[str, tuple[str, ...]], str]:
        """Account -> ids of what it is in; and why those of some are missing."""
        if self.organization is None:
            return {}, ""
        wanted = {*(each.id for each in accounts), *elsewhere}
        found, lost = self.organization.above(wanted, self._within(WALK_SECONDS))
        return found, _words(lost) if lost else ""

    def _within(self, seconds: float) -> Callable[[], float]:
        """What is left of so many from now on, or of planning if that is less."""
        until = self.clock() + seconds
        return lambda: min(until - self.clock(), self.seconds_left() - LAST_SECONDS)

    def _file(
        self,
        account: Account,
        above: Sequence[str] | None,
        lost: str,
        told: Mapping[str, tuple[str, str]],
        known: Mapping[str, Remembered],
    ) -> _File:
        """`told`: unit -> whom it names, and why it did not answer."""
        before = known.get(account.id, Remembered(account.id, "", frozenset()))
        doubt = "" if above or self.organization is None else lost or "it is in no unit"
        for unit in reversed(above or ()):
            name, why = told[unit]
            doubt = doubt or why
            if name:
                return _File(account, before.owner, before.owner_read, name, doubt)
        return _File(account, before.owner, before.owner_read, "", doubt)

    def _read(self, ask: _Ask, file: _File, hub: str) -> tuple[Owner | None, str]:
        """The account's owner, None if it remains who it was; and what did not answer."""
        account = file.account
        tagged, why = self._tagged(ask, account.id) if self.organization else ("", "")
        if why:
            return None, why
        if tagged:
            return Owner(tagged, OwnedBy.ACCOUNT), ""
        if file.above.name:
            return file.above, ""
        try:
            contact = self._contact(ask, account, hub)
        except _NotTold as lost:
            # Else those without a tag would be asked first in every scan, and the others never.
            asked = file.last if file.last.by is OwnedBy.CONTACT else NOBODY
            return None if str(lost) == LATER else asked, str(lost)
        return Owner(contact, OwnedBy.CONTACT) if contact else NOBODY, ""

    def _tagged(self, ask: _Ask, resource: str) -> tuple[str, str]:
        """Whom an account's or unit's tag names; and why it did not answer."""
        organization = self.organization
        if organization is None:
            return "", ""
        try:
            tags = ask("organizations:ListTagsForResource", lambda wait: organization.tags(resource, wait))
        except _NotTold as lost:
            return "", str(lost)
        return hide(named(tags, self.keys)), ""

    def _hub(self, ask: _Ask) -> str:
        """The id of the account that this runs in; empty when STS does not say."""
        try:
            told = ask("sts:GetCallerIdentity", lambda _: self.home.get("sts").get_caller_identity())
        except _NotTold:
            return ""
        return str(told["Account"])

    def _contact(self, ask: _Ask, account: Account, hub: str) -> str:
        """Of one's own account AWS wants no id; of the management account nobody else is told."""
        if not hub:
            raise _NotTold("sts:GetCallerIdentity did not answer")
        if account.id != hub and (self.organization is None or account.management == account.id):
            return ""
        client = self.home.get("account")
        which = {} if account.id == hub else {"AccountId": account.id}

        def told(kind: str, wait: Callable[[], None]) -> str:
            wait()
            return _contact(client, AlternateContactType=kind, **which)

        return next(filter(None, (ask(CALLS[0], partial(told, kind)) for kind in CONTACTS)), "")


def take(
    registrar: Registrar,
    configured: Configuration,
    accounts: Collection[Account],
    absent: Iterable[Target],
    known: Mapping[str, Remembered],
    day: str,
) -> Census:
    """As far as anybody wants to know. `absent`: targets that nobody looks at any more."""
    elsewhere = {each.account for each in absent if each.standing is Standing.OUT_OF_SCOPE}
    if configured.account_owners:
        return registrar.census(accounts, elsewhere, known, day)
    if any(route.ous for route in configured.routes):
        return registrar.units(accounts, elsewhere)
    return Census()


def _contact(client: Any, **asked: str) -> str:
    """The address, or the name; '' when the account has no such contact."""
    try:
        answer = client.get_alternate_contact(**asked)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return ""
    if "AlternateContact" not in answer:
        raise ResponseParserError("get_alternate_contact: the answer has no AlternateContact")
    told = answer["AlternateContact"]
    return hide(one_line(told.get("EmailAddress", "")) or one_line(told.get("Name", "")))


def _words(lost: Gap) -> str:
    return f"{lost.reason}: {lost.detail}"


def _unread(files: Iterable[_File], causes: Mapping[str, str]) -> tuple[OwnersUnread, ...]:
    """`causes`: account -> why it was not read; empty: it was."""
    counts: dict[str, int] = defaultdict(int)
    for each in files:
        why = causes.get(each.account.id) or each.doubt
        # What was read before is known, even if it could not be asked again today.
        if why and not (why == LATER and each.read):
            counts[why] += 1
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    rest = sum(count for _, count in ranked[CAUSES:])
    told = [OwnersUnread(count, why) for why, count in ranked[:CAUSES]]
    return (*told, OwnersUnread(rest, OTHERS)) if rest else tuple(told)
