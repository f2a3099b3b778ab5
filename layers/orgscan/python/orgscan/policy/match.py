"""Globs of policies: '*' is any text, '?' any one character; actions are compared without case."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

ANYTHING = "*"
ANY_ACTION = "?*:?*"
"""What every action looks like, 'service:Name'."""
COLONS = 5
"""Of an ARN."""
EVERY_RESOURCE = re.compile(r"\*+|arn:(?:\*+|[^:*?]+(?::\*+)+)(?::\*+)*")


def covers(pattern: str, other: str) -> bool:
    """Whether whatever `other` (a name, or a pattern itself) stands for is matched by the pattern.

    False in doubt ('?*' and '*?' aside, which are the same). Time grows with the product of the lengths.
    """
    if not _is_glob(pattern):
        return pattern == other
    pattern, other = _ordered(pattern), _ordered(other)
    place = at = 0
    star = after = -1
    while at < len(other):
        if place < len(pattern) and pattern[place] == "*":
            star, after = place, at
            place += 1
        elif place < len(pattern) and _stands_for(pattern[place], other[at]):
            place += 1
            at += 1
        elif star >= 0:
            after += 1
            place, at = star + 1, after
        else:
            return False
    return all(character == "*" for character in pattern[place:])


def overlap(one: str, other: str) -> bool:
    """Whether some name is matched by both patterns."""
    if not _is_glob(other):
        return covers(one, other)
    if not _is_glob(one):
        return covers(other, one)
    one, other = _ordered(one), _ordered(other)
    reached = _skipping({0}, other)
    for character in one:
        if character == "*":
            reached = set(range(min(reached, default=len(other) + 1), len(other) + 1))
        else:
            reached = _skipping(set(_steps(character, other, reached)), other)
        if not reached:
            return False
    return len(other) in reached


def is_everything(pattern: str) -> bool:
    return bool(pattern) and not pattern.strip("*")


def is_every_resource(pattern: str) -> bool:
    """Whether it stands for all resources, of a partition at least: '*', 'arn:*', 'arn:<partition>:*:*'."""
    return bool(EVERY_RESOURCE.fullmatch(pattern))


def reaches(pattern: str, kind: str, *, whole: bool = False) -> bool:
    """Whether a pattern stands for some resource (or all, `whole`) of a kind: 'arn:*:iam::*:user/*', or '*'.

    By the parts of an ARN: an S3 object's name may hold colons, and is still no user.
    """
    test = covers if whole else overlap
    parts, kinds = pattern.split(":", COLONS), kind.split(":", COLONS)
    if len(parts) <= COLONS or len(kinds) <= COLONS:
        return test(pattern, kind)
    kinds[1] = parts[1]  # an account has one partition, whichever
    return all(map(test, parts, kinds))


def is_wild(text: str) -> bool:
    """Whether it may stand for more than one value: a glob, or a variable that the request fills."""
    return _is_glob(text) or "${" in text


def literal_start(pattern: str) -> str:
    """The part before the first wildcard or variable."""
    ends = [at for at in map(pattern.find, ("*", "?", "${")) if at >= 0]
    return pattern[: min(ends, default=len(pattern))]


@dataclass(frozen=True, slots=True)
class Names:
    """The names that any of the patterns matches, or, `outside`, all the others (NotAction, NotResource)."""

    patterns: tuple[str, ...]
    outside: bool = False
    caseless: bool = False

    @property
    def everything(self) -> bool:
        return not self.outside and any(map(is_everything, self.patterns))

    @property
    def shown(self) -> tuple[str, ...]:
        """The patterns as written; '*' for all but some."""
        return (ANYTHING,) if self.outside else self.patterns

    def include(self, name: str) -> bool:
        """Whether all that a name or pattern stands for is among them."""
        asked = self._asked(name)
        if self.outside:
            return not any(overlap(each, asked) for each in self._near(asked))
        return any(covers(each, asked) for each in self._near(asked))

    def touch(self, name: str) -> bool:
        """Whether anything that a name or pattern stands for is among them."""
        asked = self._asked(name)
        if self.outside:
            return not any(covers(each, asked) for each in self._near(asked))
        return any(overlap(each, asked) for each in self._near(asked))

    def _asked(self, name: str) -> str:
        """What the caller means: of actions, '*' is any that there can be."""
        if not self.caseless:
            return name
        return ANY_ACTION if is_everything(name) else name.lower()

    def _near(self, asked: str) -> Iterable[str]:
        """The patterns that may have to do with it."""
        if not self.caseless:
            return self.patterns
        service = asked.partition(":")[0]
        by_service = _by_service(self.patterns)
        if _is_glob(service):
            return chain.from_iterable(by_service.values())
        return (*by_service.get(service, ()), *by_service.get(ANYTHING, ()))


@lru_cache(maxsize=256)
def _by_service(actions: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Service, or '*' where an action leaves it open -> its actions: some policies name a thousand."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for action in map(str.lower, actions):
        service = action.partition(":")[0]
        found[ANYTHING if _is_glob(service) else service].append(action)
    return found


def _is_glob(text: str) -> bool:
    return "*" in text or "?" in text


def _ordered(pattern: str) -> str:
    """Every run of wildcards as '??*': any order of one means the same."""
    if "*" not in pattern:
        return pattern
    ordered: list[str] = []
    star = False
    for character in pattern:
        if character == "*":
            star = True
            continue
        if star and character != "?":
            ordered.append("*")
            star = False
        ordered.append(character)
    return "".join((*ordered, "*")) if star else "".join(ordered)


def _stands_for(character: str, other: str) -> bool:
    return other == character if other == "*" else character in (other, "?")


def _steps(character: str, other: str, reached: set[int]) -> list[int]:
    """Where in `other` one can stand after this one character of a name."""
    ahead = [
        at + 1 for at in reached if at < len(other) and (other[at] in (character, "?") or character == "?")
    ]
    return ahead + [at for at in reached if at < len(other) and other[at] == "*"]


def _skipping(reached: set[int], other: str) -> set[int]:
    """The places, and those behind a '*' that stands for nothing."""
    behind = set(reached)
    for at in sorted(reached):
        place = at
        while place < len(other) and other[place] == "*":
            place += 1
            behind.add(place)
    return behind
