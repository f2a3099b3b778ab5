"""How many resources carry the tags that tag policies ask for: by owner here, by account in a summary."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orgscan.owners import named

OWNER = "Owner"
"""The key that names who answers for a resource, in any case."""
OWNERS_TOLD = 50
"""Of one target: a receipt is small. The others are told together."""
OTHERS = "*"


@dataclass(frozen=True, slots=True)
class Share:
    """Of the resources that were judged by tag policies, those that every policy is content with."""

    judged: int = 0
    compliant: int = 0

    def __add__(self, other: "Share") -> "Share":
        return Share(self.judged + other.judged, self.compliant + other.compliant)

    @property
    def percent(self) -> float:
        """Rounded down, so that 100 means all."""
        return self.compliant * 1000 // self.judged / 10 if self.judged else 100.0


def owner(tags: Mapping[str, str]) -> str:
    """'' when nobody is named."""
    return named(tags, (OWNER,))


def told(shares: Mapping[str, Share]) -> dict[str, Share]:
    """As many owners as a receipt has room for, those of the most resources; never fewer resources."""
    ranked = sorted(shares, key=lambda each: (-shares[each].judged, each))
    kept = {each: shares[each] for each in ranked[:OWNERS_TOLD]}
    rest = sum((shares[each] for each in ranked[OWNERS_TOLD:]), Share())
    return {**kept, OTHERS: kept.get(OTHERS, Share()) + rest} if rest.judged else kept


@dataclass(slots=True)
class Shares:
    """Of many targets: by account, and by owner."""

    accounts: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    owners: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))

    def add(self, account: str, shares: Mapping[str, Share]) -> None:
        for name, share in shares.items():
            self.accounts[account] += share
            self.owners[name] += share

    @property
    def total(self) -> Share:
        return sum(self.accounts.values(), Share())

    def details(self) -> dict[str, Any]:
        """For `tags.json`: the least compliant first."""
        return {
            **_described(self.total),
            "accounts": [{"account": name, **_described(share)} for name, share in _ranked(self.accounts)],
            "owners": [{"owner": name, **_described(share)} for name, share in _ranked(self.owners)],
        }

    def totals(self) -> dict[str, Any]:
        return _described(self.total)


def _ranked(shares: Mapping[str, Share]) -> Iterable[tuple[str, Share]]:
    return sorted(shares.items(), key=lambda each: (each[1].percent, -each[1].judged, each[0]))


def _described(share: Share) -> dict[str, Any]:
    return {"judged": share.judged, "compliant": share.compliant, "percent": share.percent}


@dataclass(slots=True)
class Count:
    """Of one target, while its resources are judged."""

    shares: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    _faulty: set[str] = field(default_factory=set)
    _unread: set[str] = field(default_factory=set)

    def verdict(self, arn: str, *, faulty: bool, unread: bool) -> None:
        """What one tag check came to."""
        if faulty:
            self._faulty.add(arn)
        elif unread:
            self._unread.add(arn)

    def close(self, resources: Iterable[tuple[str, Mapping[str, str] | None]]) -> None:
        """These are judged by every tag check. ARN, and tags: None, nobody can be asked for any or knows."""
        for arn, tags in resources:
            if tags is not None and arn not in self._unread:
                self.shares[owner(tags)] += Share(1, int(arn not in self._faulty))
        self._faulty.clear()
        self._unread.clear()

    def __iter__(self) -> Iterator[tuple[str, Share]]:
        return iter(self.shares.items())
