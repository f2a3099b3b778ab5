"""What scans ask of the place where findings live between them, wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from typing import Protocol

from orgscan.coverage import Look
from orgscan.membership import Move, Remembered
from orgscan.meter import Spent
from orgscan.model import Owner, Severity, Target
from orgscan.receipt import Receipt
from orgscan.reconcile import Record
from orgscan.routing import Routing
from orgscan.suppress import Suppressions


class Store(Protocol):
    """`store.FindingStore` is the table of a deployment, and says more of each method."""

    def adopt(self) -> None:
        """Raises NewerTable when a newer version has written there."""

    def record(  # noqa: PLR0913 (as `store.FindingStore.record`)
        self,
        scan: str,
        started: str,
        look: Look,
        *,
        rules: Suppressions | None = None,
        routing: Routing | None = None,
        was: Mapping[str, str] | None = None,
        seconds_left: Callable[[], float] = lambda: inf,
        spent: Callable[[], Spent] = Spent,
    ) -> Receipt:
        """Make it say what this scan of this target saw. Raises OutOfTime."""

    def findings(self, target: Target) -> Iterator[Record]:
        """All of a target, open, suppressed and resolved, by place."""

    def open_findings(self, severity: Severity) -> Iterator[Record]:
        """Of all targets."""

    def suppressed_findings(self) -> Iterator[Record]:
        """Likewise."""

    def receipts(self, scan: str) -> Iterator[Receipt]:
        """By account and region."""

    def without_receipt(self, scan: str, targets: Iterable[Target]) -> Iterator[Target]:
        """Those of them that nobody told anything of."""

    def remembered(self) -> Iterator[Remembered]:
        """Every account that some scan met."""

    def remember(self, account: Remembered) -> None:
        """That these regions of it are scanned from now on, and that what is `absent` of it no longer is."""

    def remember_owner(self, account: str, owner: Owner, day: str) -> None:
        """That this is what an account that is known was read to say, on that day."""

    def miss(self, account: str, regions: Iterable[str], scan: str) -> None:
        """These regions of it are no longer scanned."""

    def forget(self, target: Target, scan: str) -> None:
        """Nothing is left of a target that this scan planned as absent, and no later one has it back."""

    def first_to_move(self, move: Move, scan: str) -> bool:
        """Whether no other scan has told of the account since the move was noticed."""

    def first_to_tell(self, what: str, scan: str) -> bool:
        """Whether no other scan has told people of this."""

    def told(self, what: str) -> str:
        """The scan that told people of this; empty: none did."""
