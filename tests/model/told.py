"""What people must be told of a scan: the summary, and the routes that hear of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from orgscan.settings import Route
from tests.model.oracle import CHECKS, KEYS, RANK, Asked, Life, Oracle
from tests.model.world import ROUTES, RULES, World

CATEGORIES = tuple({category for _, category, *_ in CHECKS.values()})
QUIET = ("eased", "suppressed")
SOON_DAYS = 7


def _fresh(oracle: Oracle, world: World, asked: Asked) -> Iterator[tuple[int, bool]]:
    """The rules that end soon or have ended, and whether that is news."""
    for number, last in sorted(world.rules.items()):
        days = (last - asked.started.date()).days
        if days <= SOON_DAYS:
            end = (number, last, "expired" if days < 0 else "expiring")
            fresh = asked.notify and oracle.told.setdefault(end, asked.scan) == asked.scan
            yield number, fresh


def messages(oracle: Oracle, world: World, asked: Asked, moved: Sequence[str]) -> list[str]:
    """The routes that must hear of a scan. No news, no message. `moved`: accounts with news of themselves."""
    ends = list(_fresh(oracle, world, asked))
    return [
        route.name
        for route in ROUTES
        if asked.notify
        and (
            _happened(oracle, asked, route)
            or any(fresh and _about(route, at) for at, fresh in ends)
            or any(not route.accounts or account in route.accounts for account in moved)
        )
    ]


def _about(route: Route, number: int) -> bool:
    rule = RULES[number]
    category = CHECKS[rule["check"]][1] if "check" in rule else ""
    mine = not route.accounts or rule.get("account", route.accounts[0]) in route.accounts
    return mine and (not category or category in (route.categories or (category,)))


def _happened(oracle: Oracle, asked: Asked, route: Route) -> bool:
    for place, outcome in oracle.outcomes[asked.scan].items():
        here = not route.accounts or place.account in route.accounts
        families = route.categories or CATEGORIES
        if here and any(CHECKS[check][1] in families for check in outcome.newly):
            return True
        lives = [outcome.lives[name] for name in outcome.changed]
        if any(life.change not in QUIET and route in _receivers(life, place.account) for life in lives):
            return True
    return False


def _receivers(life: Life, account: str) -> list[Route]:
    """The first that wants it of those that keep what they get, and every one that takes copies."""
    mine = [
        route
        for route in ROUTES
        if (not route.accounts or account in route.accounts)
        and life.category in (route.categories or CATEGORIES)
        and RANK.index(life.severity) >= RANK.index(route.minimum_severity)
    ]
    return [each for each in mine if each.copy] + [each for each in mine if not each.copy][:1]


def summary(oracle: Oracle, world: World, asked: Asked) -> dict[str, Any]:
    """As summary.json must say it."""
    outcomes = [*oracle.outcomes[asked.scan].values()]
    lives = [(outcome, name, life) for outcome in outcomes for name, life in outcome.lives.items()]
    units = sum(len(outcome.planned) for outcome in outcomes)
    lost = sum(len(outcome.gaps) for outcome in outcomes)
    open_ = [life for _, _, life in lives if life.status == "open"]
    waiting = [outcome.lives[name].since for outcome in outcomes for name in outcome.unconfirmed]
    dear = [life.saving for life in open_ if life.category == "cost"]
    covered = Counter(life.rule for _, _, life in lives if life.status == "suppressed")
    changes: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome, name, life in lives:
        if name in outcome.changed:
            changes[life.change][life.severity] += 1
    return {
        "complete": not lost and units > 0,
        "coverage": (units - lost) * 1000 // units / 10 if units else 0.0,
        "targets": {
            "planned": sum(each == "due" for each in asked.standing.values()),
            "reached": sum(len(outcome.planned) > len(outcome.gaps) for outcome in outcomes),
        },
        "checks": {"planned": units, "evaluated": units - lost},
        "open": _counted(open_),
        "changes": {change: dict(counts) for change, counts in changes.items()},
        "newly_blind": sum(len(outcome.newly) for outcome in outcomes),
        "unconfirmed": len(waiting),
        "unconfirmed_since": min(waiting, default=None),
        "suppressed": _counted(life for _, _, life in lives if life.status == "suppressed"),
        "suppressions": [(KEYS[number], covered[KEYS[number]]) for number, _ in _fresh(oracle, world, asked)],
        "monthly_usd": sum(filter(None, dear)),
        "unpriced": dear.count(None),
        "resources": dict(sum((Counter(outcome.resources) for outcome in outcomes), Counter[str]())),
    }


def _counted(lives: Iterable[Life]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for life in lives:
        inner = counts.setdefault(life.severity, {})
        inner[life.category] = inner.get(life.category, 0) + 1
    return counts


def forget(oracle: Oracle, asked: Asked) -> None:
    """What nobody scans any more, nor is about to, need not be remembered when nothing of it is left."""
    for place, standing in asked.standing.items():
        lives = oracle.lives.get(place, {})
        due_again = oracle.due_in[place] > asked.scan
        if standing != "due" and not due_again and all(life.status == "resolved" for life in lives.values()):
            oracle.scanned.discard(place)
