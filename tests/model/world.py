"""An invented organization that changes between scans, and an AWS that shows some of it, page by page."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import ConnectionClosedError

from orgscan.catalog import Catalog
from orgscan.check import Problem, Problems, View, check
from orgscan.collector import Reader, collector
from orgscan.model import (
    GLOBAL,
    Blindness,
    Category,
    Confidence,
    Gap,
    Money,
    Resource,
    Severity,
    Taggable,
    Target,
    known,
)
from orgscan.settings import Configuration, Route, Scope
from orgscan.suppress import Suppression
from tests.twins import OrganizationsTwin, RegionsTwin, refusal

ACCOUNTS = ("111111111111", "222222222222", "333333333333")
NEAR, FAR = "eu-west-1", "ap-east-1"
"""A region that is always on, and one that an account may opt in to."""
REGIONS = (NEAR, FAR, GLOBAL)
PAGE = 2
PAGE_S, WRITE_S = 25.0, 30.0
"""What a page and a write take on a slow day."""
SHORT_S, LONG_S = 100.0, 900.0
"""An invocation: time for one page, or two writes, on a slow day; time for everything."""

K = TypeVar("K", bound=Resource)


class Place(NamedTuple):
    account: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(Taggable):
    open: bool
    lid: str | Gap
    idle: float | None
    """Its price while it is idle: 0 for one that is unknown, None for a box in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock(Resource):
    box: str
    rusty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge(Resource):
    old: tuple[str, ...]
    more: str | Gap


@check(Box, severity=Severity.MEDIUM, category=Category.SECURITY, fix="-")
def box_open(box: Box) -> Problems:
    """Box is open; worse without a lid."""
    if box.open:
        yield "it is open"
        if known(box.lid) == "off":
            yield Problem("its lid is off", severity=Severity.CRITICAL)


@check(Box, severity=Severity.LOW, category=Category.COST, fix="-")
def box_idle(box: Box) -> Problems:
    """Box is idle."""
    if box.idle is not None:
        saving = Money(box.idle, "-", Confidence.HIGH) if box.idle else None
        yield Problem("it is idle", saving=saving)


@check(Box, severity=Severity.HIGH, category=Category.RELIABILITY, fix="-", also=(Lock,))
def box_unlocked(box: Box, view: View) -> Problems:
    """No lock is on the box."""
    if not view.related(Lock, "box", box.arn):
        yield "nothing locks it"


@check(Lock, severity=Severity.INFORMATIONAL, category=Category.RELIABILITY, fix="-")
def lock_rusty(lock: Lock) -> Problems:
    """Lock is rusty."""
    if lock.rusty:
        yield "it is rusty"


@check(Badge, severity=Severity.HIGH, category=Category.SECURITY, fix="-")
def badge_old(badge: Badge) -> Problems:
    """Badge has old keys."""
    for key in badge.old:
        yield Problem(f"{key} is old", key=key)
    known(badge.more)


@collector(Box, calls=())
def boxes(aws: Reader) -> Iterator[Box]:
    yield from _listed(aws, Box)


@collector(Lock, calls=())
def locks(aws: Reader) -> Iterator[Lock]:
    yield from _listed(aws, Lock)


@collector(Badge, calls=(), once=True)
def badges(aws: Reader) -> Iterator[Badge]:
    yield from _listed(aws, Badge)


CATALOG = Catalog((badge_old, box_idle, box_open, box_unlocked, lock_rusty), (badges, boxes, locks))


def _listed(aws: Reader, kind: type[K]) -> Iterator[K]:
    member: Member = aws.client("things")
    try:
        for page in aws.pages(Listing(member, aws.target, kind)):
            yield from page.resources
    finally:
        member.world.clock.spent = 0.0


ERRORS: Mapping[str, Callable[[], Exception]] = {
    "denied": lambda: refusal("AccessDenied", "not authorized to perform: x:ListThings", "ListThings"),
    "denied-by-scp": lambda: refusal(
        "AccessDenied", "with an explicit deny in a service control policy", "ListThings"
    ),
    "throttled": lambda: refusal("ThrottlingException", "Rate exceeded", "ListThings"),
    "unreachable": lambda: ConnectionClosedError(endpoint_url="https://things"),
    "fault": lambda: ValueError("garbage"),
}
"""By what coverage must make of them."""


class Page(NamedTuple):
    number: int
    resources: list[Any]
    last: bool


class Listing:
    """One of botocore's paginators over one kind, and the pages it gives."""

    def __init__(self, member: "Member", target: Target, kind: type[Resource]) -> None:
        self._world = member.world
        self._place = Place(member.account, target.region)
        self._kind = kind

    def paginate(self, *, page: int = 0) -> "Listing":
        self._first = page
        return self

    def __iter__(self) -> Iterator[Page]:
        world, what = self._world, (self._place, self._kind)
        resources = world.of(*what)
        if self._first and what in world.expiring:
            world.expiring.discard(what)
            raise refusal("InvalidNextToken", "The token has expired.", "ListThings")
        for start in range(self._first * PAGE, max(1, len(resources)), PAGE):
            number = start // PAGE
            world.clock.spent += PAGE_S if world.slow else 0.0
            if (fault := world.fault(*what)) and fault[0] == number:
                raise ERRORS[fault[1]]()  # noqa: RSE102 (it makes one)
            yield Page(number, resources[start : start + PAGE], start + PAGE >= len(resources))

    def _get_next_token(self, page: Page) -> dict[str, Any]:
        return {"page": None if page.last else page.number + 1}


class AtOnce(Executor):
    """A pool that is done with a task before it takes the next: threads have tests of their own."""

    def __init__(self, _workers: int) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 (as every pool does)
            done.set_exception(error)
        return done


@dataclass
class Clock:
    """Each collector's time begins anew: what fits in does not depend on the others."""

    spent: float = 0.0


@dataclass
class World:
    """What is true."""

    there: dict[Place, dict[str, Resource]] = field(default_factory=dict)
    """By slot, in the order in which they are listed."""
    faults: dict[tuple[Place, type[Resource]], tuple[int, str]] = field(default_factory=dict)
    """The page that fails, and how."""
    expiring: set[tuple[Place, type[Resource]]] = field(default_factory=set)
    """Listings whose way to the next page will have expired when it is gone."""
    organization: OrganizationsTwin = field(default_factory=OrganizationsTwin)
    locked: set[str] = field(default_factory=set)
    """Accounts without our role."""
    near_only: set[str] = field(default_factory=set)
    """Accounts that have not opted in to the region far away."""
    off: set[str] = field(default_factory=set)
    """Checks that are switched off."""
    rules: dict[int, date] = field(default_factory=dict)
    """Suppressions in the configuration, and their last days."""
    scope: Scope = field(default_factory=Scope)
    clock: Clock = field(default_factory=Clock)
    slow: bool = False
    calm: bool = False
    """Nothing fails, for as long as this lasts."""

    def of(self, place: Place, kind: type[K]) -> list[K]:
        return [each for _, each in sorted(self.there.get(place, {}).items()) if isinstance(each, kind)]

    def fault(self, place: Place, kind: type[Resource]) -> tuple[int, str] | None:
        return None if self.calm else self.faults.get((place, kind))

    def enter(self, account: str) -> Any:
        if account in self.locked:
            raise refusal("AccessDenied", "not authorized to perform: sts:AssumeRole", "AssumeRole")
        return Member(self, account)

    def seconds_left(self) -> float:
        return (SHORT_S if self.slow else LONG_S) - self.clock.spent

    def change(  # noqa: C901, PLR0912 (what, where, and how)
        self, now: datetime, what: str, account: int, region: int, number: int, slot: int
    ) -> None:
        """One of a few things that happen in organizations."""
        place = Place(ACCOUNTS[account], REGIONS[region])
        fits = [each for each in SLOTS if each.startswith("badge") == (place.region == GLOBAL)]
        name = fits[slot % len(fits)]
        kind = Badge if place.region == GLOBAL else (Box, Lock)[slot % 2]
        match what:
            case "thing":
                self.there.setdefault(place, {})[name] = thing(place, name, number)
            case "things":
                for where in (Place(place.account, each) for each in REGIONS):
                    for at, each in enumerate(self.there.get(where, {})):
                        self.there[where][each] = thing(where, each, number * (slot + 1) + 7 * at)
            case "gone":
                self.there.setdefault(place, {}).pop(name, None)
            case "cleared":
                self.there.pop(place, None)
            case "fault":
                self.faults[place, kind] = (number % 3, [*ERRORS][slot % len(ERRORS)])
            case "healed":
                self.faults = {what: how for what, how in self.faults.items() if what[0][0] != place.account}
            case "expiring":
                self.expiring.add((place, kind))
            case "account":
                state = ("ACTIVE", "ACTIVE", "SUSPENDED", "")[number % 4]
                self.organization.accounts.pop(place.account, None)
                if state:
                    self.organization.accounts[place.account] = (f"account-{account}", state)
            case "role":
                (self.locked.discard if number % 3 else self.locked.add)(place.account)
            case "far":
                (self.near_only.add if number % 2 else self.near_only.discard)(place.account)
            case "check":
                (self.off.discard if number % 3 else self.off.add)(
                    CATALOG.checks[slot % len(CATALOG.checks)].id
                )
            case "rule":
                days = (None, -1, 0, 2, 6, 9, 30)[number % 7]
                self.rules.pop(slot % 4, None)
                if days is not None:
                    self.rules[slot % 4] = (now + timedelta(days=days)).date()
            case "scope":
                self.scope = SCOPES[number % len(SCOPES)]

    @property
    def configuration(self) -> Configuration:
        return Configuration(
            scope=self.scope,
            off=tuple(sorted(self.off)),
            routes=ROUTES,
            account_owners=False,
            suppressions=tuple(
                Suppression(reason="-", owner="-", expires=last, **RULES[number])
                for number, last in sorted(self.rules.items())
            ),
        )


@dataclass(frozen=True)
class Member:
    """The clients of one account."""

    world: World
    account: str

    def get(self, service: str, _region: str | None = None) -> Any:
        if service != "ec2":
            return self
        far = "not-opted-in" if self.account in self.world.near_only else "opted-in"
        return RegionsTwin({NEAR: "opt-in-not-required", FAR: far})

    def limit(self, _: object) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Home:
    """The clients of the hub's own account."""

    world: World
    partition: str = "aws"

    def get(self, service: str) -> Any:
        return (
            self.world.organization if service == "organizations" else Member(self.world, "home").get(service)
        )


RULES: tuple[Mapping[str, Any], ...] = (
    {"check": "box-open", "resource_glob": "*box-0"},
    {"account": ACCOUNTS[1], "region": NEAR},
    {"check": "badge-old"},
    {"tag": ("stage", "test")},
)
ROUTES = (
    Route(name="cost", categories=(Category.COST,)),
    Route(name="urgent", minimum_severity=Severity.HIGH, accounts=ACCOUNTS[:1]),
    Route(name="all", copy=True),
    Route(name="rest"),
)
SCOPES = (Scope(), Scope(regions=(NEAR,)), Scope(regions=(NEAR, FAR)), Scope(exclude_accounts=ACCOUNTS[1:2]))
SLOTS = (*(f"box-{n}" for n in range(5)), *(f"lock-{n}" for n in range(3)), *(f"badge-{n}" for n in range(3)))


def thing(place: Place, slot: str, look: int) -> Resource:
    """One of a hundred ways a thing can be."""
    arn = Target(*place).arn("things", slot)
    lost: list[Any] = [
        Gap("detail", Blindness.DENIED, "x:GetDetail"),
        Gap("detail", Blindness.THROTTLED, "Rate exceeded"),
    ]
    if slot.startswith("box"):
        return Box(
            arn=arn,
            open=look % 2 == 1,
            lid=["on", "off", "on", lost[look // 8 % 2]][look // 2 % 4],
            idle=[None, 0.0, 12.5, 40.0][look // 8 % 4],
            tags=[{}, {"stage": "test"}, None][look // 32 % 3],
        )
    if slot.startswith("lock"):
        box = Target(*place).arn("things", f"box-{look // 2 % 3}")
        return Lock(arn=arn, box=box, rusty=look % 2 == 1)
    return Badge(
        arn=arn, old=("k1", "k2")[: look % 3], more=["", "", "", lost[look // 12 % 2]][look // 3 % 4]
    )


def beginning() -> World:
    """Two accounts near by with something wrong in each, and a third that is still to come."""
    world = World(near_only={*ACCOUNTS[:2]})
    for number, account in enumerate(ACCOUNTS):
        if number < 2:
            world.organization.accounts[account] = (f"account-{number}", "ACTIVE")
        for region, slots in ((NEAR, SLOTS[1:7]), (FAR, SLOTS[:1]), (GLOBAL, SLOTS[8:10])):
            place = Place(account, region)
            world.there[place] = {slot: thing(place, slot, 1 + 8 * at) for at, slot in enumerate(slots)}
    return world
