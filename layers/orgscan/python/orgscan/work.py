"""One invocation's worth of a target: collect, judge, record; or put away what there is for the next one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait
from contextlib import closing
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orgscan import engine
from orgscan.catalog import Catalog
from orgscan.coverage import Coverage, Look
from orgscan.errors import OutOfTime, code_of
from orgscan.inventory import Inventory
from orgscan.meter import Spent
from orgscan.model import Standing, Target
from orgscan.plan import Plan
from orgscan.pools import pools
from orgscan.port import Store
from orgscan.receipt import Receipt
from orgscan.results import WORK
from orgscan.routing import Routing
from orgscan.settings import Configuration
from orgscan.spool import SCHEMA, Spool
from orgscan.suppress import Suppressions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from orgscan.session import Clients

MOST_PARTS = 16
"""Invocations for one target: four hours, of the six that a scan may take."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Spools in S3, between two invocations."""

    s3: S3Client
    bucket: str
    scan: str

    def put(self, target: Target, part: int, spool: Path) -> None:
        self.s3.upload_file(str(spool), self.bucket, self._key(target, part))

    def get(self, target: Target, part: int, spool: Path) -> None:
        """Nothing is written when there is none: then the target begins anew."""
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=self._key(target, part))["Body"]
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            return
        with spool.open("wb") as file:
            copyfileobj(body, file)

    def _key(self, target: Target, part: int) -> str:
        return f"{WORK}{self.scan}/{target.account}/{target.region}/{part}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Scans targets of one scan."""

    plan: Plan
    catalog: Catalog
    configuration: Configuration
    store: Store
    checkpoints: Checkpoints | None
    """None: no invocation follows, all must be done in one."""
    enter: Callable[[Target], Clients]
    """Become the account."""
    salt: str = ""
    inventory: Inventory | None = None
    """None: it is switched off."""
    spent: Callable[[], Spent] = Spent
    """By this invocation, so far."""

    def scan(
        self, target: Target, part: int, seconds_left: Callable[[], float], *, short: bool = False
    ) -> Receipt | None:
        """`part` counts from 0. None: the next part goes on. `short`: it will have more time than this one.

        Each may be killed anywhere and be repeated: it begins with what the part before it put away, also
        with what that and those before it spent. So a repetition counts itself once, and not whom it repeats.
        """
        checkpoints = self.checkpoints if part + 1 < MOST_PARTS else None
        with TemporaryDirectory(prefix="orgscan-") as folder:
            path = Path(folder) / "spool"
            if part and self.checkpoints:
                self.checkpoints.get(target, part, path)
            with closing(Spool(path, shape=shape(self.catalog))) as spool:
                before = spool.spent()
                try:
                    seen = self._look(
                        target, spool, seconds_left, resume=checkpoints is not None, short=short
                    )
                    if seen:
                        return self._told(seen, spool, seconds_left, lambda: before + self.spent())
                except OutOfTime:
                    if not checkpoints:
                        raise
                spool.spend(before + self.spent())
            if checkpoints:
                checkpoints.put(target, part + 1, path)
        return None

    def _look(
        self, target: Target, spool: Spool, seconds_left: Callable[[], float], *, resume: bool, short: bool
    ) -> Look | None:
        reach = self.plan.reach(self.catalog.ids(without=self.configuration.off))
        if target.standing is not Standing.DUE:
            return Look((), Coverage(target=target, planned=frozenset(), gaps={}, reach=reach))
        return engine.look(
            target,
            lambda: self.enter(target),
            self.catalog.only(self.plan.checks),
            now=self.plan.moment,
            parameters=self.configuration.parameters,
            reach=reach,
            spool=spool,
            seconds_left=seconds_left,
            resume=resume,
            short=short,
            salt=self.salt,
            accounts=frozenset(self.plan.members),
        )

    def _told(
        self, seen: Look, spool: Spool, seconds_left: Callable[[], float], spent: Callable[[], Spent]
    ) -> Receipt:
        """Findings and inventory, each of which waits for another service's answers, at the same time.

        What becomes of one is nothing to the other: no finding is lost to the inventory. A worker that dies
        may leave no word of what there is, and nobody takes that for an empty region.
        """
        with pools(1) as (aside,):
            stock = aside.submit(self._take_stock, seen.coverage.target, spool, seconds_left)
            try:
                receipt = self._record(seen, seconds_left, spent)
            finally:
                wait([stock])
            stock.result()
            return receipt

    def _take_stock(self, target: Target, spool: Spool, seconds_left: Callable[[], float]) -> None:
        if self.inventory and target.standing is Standing.DUE:
            kinds = self.catalog.only(self.plan.checks).listed(once=target.once)
            if kinds:
                self.inventory.put(target, kinds, spool, seconds_left=seconds_left)

    def _record(self, seen: Look, seconds_left: Callable[[], float], spent: Callable[[], Spent]) -> Receipt:
        return self.store.record(
            self.plan.scan,
            self.plan.started,
            seen,
            rules=Suppressions(self.configuration.suppressions, self.plan.moment),
            routing=Routing(self.configuration.routes, self.configuration.owner_tags),
            was=self.catalog.renamed(),
            seconds_left=seconds_left,
            spent=spent,
        )


def shape(catalog: Catalog) -> str:
    """Of a spool and the facts in it; another version of orgscan may know others."""
    kinds = sorted(
        f"{each.resource.__qualname__} {[(fact.name, fact.type) for fact in fields(each.resource)]}"
        for each in catalog.collectors
    )
    return sha256("\n".join([*kinds, SCHEMA]).encode()).hexdigest()
