"""What must come of a scan, told from what was true and could be seen; nothing here asks orgscan's ledger.

The laws: every planned check has one outcome. A finding closes when its own resource was seen clean by its
own check, or a complete listing does not hold it, or its check or account is gone; otherwise it stays and
says since when nobody could confirm it. What is out of scope is left alone. Who started later has the last
word.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from orgscan.model import GLOBAL, Gap, Resource
from orgscan.suppress import Suppression
from tests.model.world import ACCOUNTS, NEAR, RULES, Badge, Box, Lock, Place, World

Kind = type[Resource]
CHECKS: Mapping[str, tuple[Kind, str, str]] = {
    "badge-old": (Badge, "security", "high"),
    "box-idle": (Box, "cost", "low"),
    "box-open": (Box, "security", "medium"),
    "box-unlocked": (Box, "reliability", "high"),
    "lock-rusty": (Lock, "reliability", "informational"),
}
"""What each judges, its category, and how bad it is unless a fact says otherwise."""
RANK = ("informational", "low", "medium", "high", "critical")
KEYS = tuple(Suppression(reason="-", owner="-", expires=date.max, **rule).key for rule in RULES)


def sides(region: str) -> frozenset[str]:
    """The checks that a target of this region must answer for."""
    return frozenset(id_ for id_, (kind, _, _) in CHECKS.items() if (kind is Badge) == (region == GLOBAL))


class Name(NamedTuple):
    """Which finding of a place."""

    check: str
    resource: str
    key: str


class Fault(NamedTuple):
    """What is wrong, as far as anybody could see."""

    severity: str
    saving: float | None
    tags: Mapping[str, str] | None


@dataclass(frozen=True)
class Life:
    """What is known of a finding."""

    status: str
    severity: str
    category: str
    saving: float | None
    first_seen: str
    changed_in: str
    change: str
    because: str = ""
    rule: str = ""
    since: str = ""

    @classmethod
    def told(cls, item: Mapping[str, Any]) -> "Life":
        """As the table has it."""
        return cls(
            item["status"],
            item["severity"],
            item["category"],
            float(item["monthly_usd"]) if "monthly_usd" in item else None,
            item["first_seen"],
            item["changed_in"],
            item["change"],
            item.get("resolved_because", ""),
            item.get("suppressed_by", ""),
            item.get("unconfirmed_since", ""),
        )


Lives = Mapping[Name, Life]


@dataclass(frozen=True)
class Asked:
    """One scan."""

    scan: str
    started: datetime
    notify: bool
    checks: frozenset[str]
    retiring: frozenset[str]
    """Categories of which it asks for every check."""
    standing: Mapping[Place, str]
    """Its targets: 'due', 'left' or 'out-of-scope'."""
    off: frozenset[Place]
    """Targets of which it was clear from the start that their region is off."""

    @property
    def moment(self) -> str:
        return self.started.isoformat(timespec="seconds")

    def due(self, place: Place) -> frozenset[str]:
        return self.checks & sides(place.region) if self.standing[place] == "due" else frozenset()


@dataclass(frozen=True)
class Seen:
    """One look at one place."""

    faults: Mapping[Name, Fault] = field(default_factory=dict)
    shown: frozenset[tuple[str, str]] = frozenset()
    """(Check, resource) that it was shown."""
    unread: frozenset[tuple[str, str]] = frozenset()
    """Of these, what it could not judge."""
    listed: frozenset[str] = frozenset()
    """Checks that were shown all there is."""
    gaps: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Check -> reasons, of which one must be told, for which it is not evaluated."""
    resources: Mapping[str, int] = field(default_factory=dict)


def blind(checks: Iterable[str], reason: str) -> Seen:
    return Seen(gaps=dict.fromkeys(checks, frozenset({reason})))


def look(world: World, asked: Asked, place: Place) -> Seen:
    """What a scan can see there right now."""
    checks = asked.due(place)
    if place in asked.off:
        return blind(checks, "region-off")
    if place.account in world.locked:
        return blind(checks, "denied")
    return _Look(world, place).seen(checks)


class _Look:
    def __init__(self, world: World, place: Place) -> None:
        self._there: dict[Kind, list[Any]] = {}
        self._lost: dict[Kind, str] = {}
        for kind in (Box, Lock, Badge):
            resources = world.of(place, kind)
            page, reason = world.fault(place, kind) or (99, "")
            if page * 2 < max(1, len(resources)):
                self._lost[kind] = reason
                resources = resources[: page * 2]
            self._there[kind] = list(resources)

    def seen(self, checks: frozenset[str]) -> Seen:
        faults: dict[Name, Fault] = {}
        lost: dict[tuple[str, str], str] = {}
        for check in checks:
            for each in self._there[CHECKS[check][0]]:
                found, unread = self._judge(check, each)
                tags = each.tags if isinstance(each, Box) else None
                for key, (severity, saving) in found.items():
                    faults[Name(check, each.arn, key)] = Fault(severity, saving, tags)
                if unread:
                    lost[check, each.arn] = unread
        partial = {check for check in checks if CHECKS[check][0] in self._lost}
        gaps = {check: frozenset({self._lost[CHECKS[check][0]]}) for check in partial}
        for check in {check for check, _ in lost} - partial:
            gaps[check] = _most(reason for (of, _), reason in lost.items() if of == check)
        looked_at = {CHECKS[check][0] for check in checks} | ({Lock} if "box-unlocked" in checks else set())
        return Seen(
            faults,
            frozenset((check, each.arn) for check in checks for each in self._there[CHECKS[check][0]]),
            frozenset(lost),
            frozenset(checks - partial),
            gaps,
            {kind.__name__: len(self._there[kind]) for kind in looked_at if self._there[kind]},
        )

    def _judge(self, check: str, it: Any) -> tuple[dict[str, tuple[str, float | None]], str]:
        """Key -> how bad and how dear; and why that may not be all."""
        bad = CHECKS[check][2]
        if check == "badge-old":
            return dict.fromkeys(it.old, (bad, None)), _reason(it.more)
        if check == "box-idle":
            return ({} if it.idle is None else {"": (bad, it.idle or None)}), ""
        if check == "box-open":
            worse = "critical" if it.lid == "off" else bad
            return ({"": (worse, None)}, _reason(it.lid)) if it.open else ({}, "")
        if check == "box-unlocked":
            if Lock in self._lost:
                return {}, self._lost[Lock]
            locked = any(lock.box == it.arn for lock in self._there[Lock])
            return ({} if locked else {"": (bad, None)}), ""
        return ({"": (bad, None)} if it.rusty else {}), ""


def _reason(fact: str | Gap) -> str:
    return fact.reason.value if isinstance(fact, Gap) else ""


def _most(reasons: Iterable[str]) -> frozenset[str]:
    counts = Counter(reasons)
    return frozenset(each for each, count in counts.items() if count == max(counts.values()))


@dataclass(frozen=True)
class Outcome:
    """What one target's scan must add to the summary."""

    planned: frozenset[str]
    gaps: Mapping[str, frozenset[str]]
    newly: frozenset[str] = frozenset()
    lives: Lives = field(default_factory=dict)
    """As it left them."""
    changed: frozenset[Name] = frozenset()
    """By this scan, and worth telling."""
    unconfirmed: frozenset[Name] = frozenset()
    resources: Mapping[str, int] = field(default_factory=dict)


class Told(NamedTuple):
    """An account's state as people were last told, or are to be told instead."""

    state: str
    scan: str
    """That told of it; of a change: of the state before."""


@dataclass
class Oracle:
    lives: dict[Place, dict[Name, Life]] = field(default_factory=dict)
    unseen: dict[Place, frozenset[str]] = field(default_factory=dict)
    """Checks that the last scan which asked for them could not evaluate."""
    before: dict[Place, frozenset[str]] = field(default_factory=dict)
    """The same, before the scan that claimed the place last."""
    newest: dict[Place, str] = field(default_factory=dict)
    """Who claimed it last."""
    outcomes: dict[str, dict[Place, Outcome]] = field(default_factory=dict)
    """Scan -> what its receipts must say."""
    scanned: set[Place] = field(default_factory=set)
    due_in: dict[Place, str] = field(default_factory=dict)
    """The last scan that was planned to look there."""
    told: dict[tuple[int, date, str], str] = field(default_factory=dict)
    """The end of a rule -> the scan that told of it."""
    members: dict[str, Told] = field(default_factory=dict)
    knows_members: bool = False
    """Some scan has learned who is in the organization."""
    moves: dict[str, dict[str, Told]] = field(default_factory=dict)
    """Scan -> changes of accounts that it noticed when it was planned."""

    def claim(self, asked: Asked, place: Place) -> bool:
        """Whether the scan may write there: it may not when one that started later has."""
        if self.newest.get(place, "") > asked.scan:
            return False
        if self.newest.get(place) != asked.scan:
            self.newest[place] = asked.scan
            self.before[place] = self.unseen.get(place, frozenset())
        return True

    def complete(self, world: World, asked: Asked, place: Place, seen: Seen) -> None:
        """An attempt that got as far as its receipt."""
        planned = asked.due(place)
        mine = self.outcomes.setdefault(asked.scan, {})
        if not self.claim(asked, place):
            if place not in mine:
                mine[place] = Outcome(planned, dict.fromkeys(planned, frozenset({"fault"})))
            return
        after = self.after(world, asked, place, seen)
        self.lives[place] = after
        self.unseen[place] = (self.before[place] - planned) | frozenset(seen.gaps)
        mine[place] = Outcome(
            planned,
            seen.gaps,
            frozenset(seen.gaps) - self.before[place],
            dict(after),
            frozenset(
                name
                for name, life in after.items()
                if life.changed_in == asked.scan and not (life.status == "resolved" and life.rule)
            ),
            frozenset(
                name
                for name, life in after.items()
                if life.status == "open" and name not in seen.faults and self._asks(world, asked, name)
            ),
            seen.resources,
        )

    def after(self, world: World, asked: Asked, place: Place, seen: Seen) -> dict[Name, Life]:
        """Every life of the place after an attempt."""
        before = self.lives.get(place, {})
        after = {
            name: self._found(world, asked, place, name, before.get(name), fault, seen)
            for name, fault in seen.faults.items()
        }
        return after | {
            name: self._missed(world, asked, place, name, life, seen)
            for name, life in before.items()
            if name not in after
        }

    def _asks(self, world: World, asked: Asked, name: Name) -> bool:
        return name.check in asked.checks or _retired(world, asked, name)

    def _found(
        self, world: World, asked: Asked, place: Place, name: Name, old: Life | None, fault: Fault, seen: Seen
    ) -> Life:
        rule = accepted(world, asked.started, place, name, fault)
        status = "suppressed" if rule else "open"
        severity = old.severity if old and (name.check, name.resource) in seen.unread else fault.severity
        now = Life(
            status,
            severity,
            CHECKS[name.check][1],
            fault.saving,
            old.first_seen if old else asked.moment,
            old.changed_in if old else asked.scan,
            old.change if old else ("suppressed" if rule else "new"),
            rule=rule,
        )
        if old is None:
            return now
        worse = RANK.index(severity) - RANK.index(old.severity)
        if old.status != status:
            return replace(now, changed_in=asked.scan, change="suppressed" if rule else "reopened")
        if worse and not rule:
            return replace(now, changed_in=asked.scan, change="worsened" if worse > 0 else "eased")
        return now

    def _missed(self, world: World, asked: Asked, place: Place, name: Name, old: Life, seen: Seen) -> Life:
        if old.status == "resolved":
            return old
        if because := _closes(world, asked, place, name, seen):
            return replace(
                old, status="resolved", because=because, since="", changed_in=asked.scan, change="resolved"
            )
        if not self._asks(world, asked, name):
            return old
        now = replace(old, since=old.since or asked.moment)
        if old.rule and old.rule not in in_force(world, asked.started):
            return replace(now, status="open", rule="", changed_in=asked.scan, change="reopened")
        return now


def _retired(world: World, asked: Asked, name: Name) -> bool:
    return name.check in world.off and CHECKS[name.check][1] in asked.retiring


def _closes(world: World, asked: Asked, place: Place, name: Name, seen: Seen) -> str:
    """Why a finding that was not found again is gone; empty when nobody can say that it is."""
    if asked.standing[place] != "due":
        asks_for_it = name.check in asked.checks or _retired(world, asked, name)
        return "account-left" if asked.standing[place] == "left" and asks_for_it else ""
    if _retired(world, asked, name):
        return "check-retired"
    what = (name.check, name.resource)
    if what in seen.shown:
        return "" if what in seen.unread else "fixed"
    return "resource-deleted" if name.check in seen.listed else ""


def in_force(world: World, now: datetime) -> set[str]:
    return {KEYS[number] for number, last in world.rules.items() if now.date() <= last}


def accepted(world: World, now: datetime, place: Place, name: Name, fault: Fault) -> str:
    """The first rule that covers a finding."""
    covers = (
        name.check == "box-open" and name.resource.endswith("box-0"),
        place == (ACCOUNTS[1], NEAR),
        name.check == "badge-old",
        bool(fault.tags) and (fault.tags or {}).get("stage") == "test",
    )
    holding = in_force(world, now)
    return next((KEYS[at] for at, covered in enumerate(covers) if covered and KEYS[at] in holding), "")
