"""Plans in S3, and the lists that the workflow reads: state is limited to 256 KB, an organization is not.

scans/<scan>/plan.json      the plan
scans/<scan>/targets.json   its targets, in the order in which they are due
work/<scan>/groups.json     the same in groups, each of which is one child of the first round
work/<scan>/left.json       the targets that the first round left for the second
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from orgscan.errors import NO_ANSWER
from orgscan.membership import Move
from orgscan.meter import Spent
from orgscan.model import NOBODY, Category, OwnedBy, Owner, Standing, Target
from orgscan.organization import Account
from orgscan.ownership import OwnersUnread
from orgscan.plan import Plan, unusable
from orgscan.results import WORK, Bucketed, Folder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PLAN, TARGETS = "plan.json", "targets.json"
"""In a scan's folder."""
GROUP = 20
"""Targets of a group. What Step Functions asks for a child is asked for all of them at once."""


def put(folder: Folder, plan: Plan, targets: Iterable[Target]) -> None:
    """What a scan sets out to do, into its folder."""
    folder.put(PLAN, _line(asdict(plan)))
    with TemporaryFile() as file:
        _list(file, targets)
        file.seek(0)
        folder.put(TARGETS, file)


class PlanStore:
    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(self, plan: Plan, targets: Iterable[Target]) -> str:
        """The key of the list of groups, which the workflow reads item by item. Raises CannotPlan."""
        try:
            with TemporaryFile() as groups:
                put(Bucketed(self._s3, self._bucket, plan.scan), plan, _grouped(targets, groups))
                return self._put_list(plan.scan, "groups.json", groups)
        except NO_ANSWER as error:
            raise unusable(f"bucket {self._bucket}", error) from error

    def put_left(self, plan: Plan, targets: Iterable[Target]) -> tuple[str, int]:
        """The key of a list of these targets, and how many there are; nothing is written for none."""
        with TemporaryFile() as file:
            count = _list(file, targets)
            return (self._put_list(plan.scan, "left.json", file) if count else ""), count

    def get(self, scan: str) -> Plan:
        told = json.load(self._get(scan, PLAN))
        return Plan(
            **{
                **told,
                "checks": tuple(told["checks"]),
                "skipped": tuple(Account(**account) for account in told["skipped"]),
                "members": tuple(told["members"]),
                "retiring": tuple(map(Category, told["retiring"])),
                "spent": Spent(**told.get("spent", {})),
                "moves": tuple(Move(**move) for move in told.get("moves", ())),
                "owners_unread": tuple(OwnersUnread(**each) for each in told.get("owners_unread", ())),
            }
        )

    def targets(self, plan: Plan) -> Iterator[Target]:
        """One by one, for as long as the reader takes: S3 would not wait, so a copy is read."""
        with TemporaryFile() as file:
            copyfileobj(self._get(plan.scan, TARGETS), file)
            file.seek(0)
            for line in file:
                # A line is a target; earlier versions had all of them in one.
                for each in json.loads(b"[%b]" % line.strip(b"[],\n")):
                    yield target(each, plan)

    def _put_list(self, scan: str, name: str, file: IO[bytes]) -> str:
        """The key, where it lasts as long as an execution can be redriven."""
        key = f"{WORK}{scan}/{name}"
        file.seek(0)
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=file, ContentType="application/json")
        return key

    def _get(self, scan: str, name: str) -> IO[bytes]:
        key = Bucketed(self._s3, self._bucket, scan).key(name)
        body: Any = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        return cast("IO[bytes]", body)


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _list(file: IO[bytes], targets: Iterable[Target]) -> int:
    """A JSON list with a line for each of them. Returns their number."""
    count = 0
    file.write(b"[\n")
    for count, each in enumerate(targets, start=1):
        file.write((b",\n" if count > 1 else b"") + _line(_told(each)))
    file.write(b"\n]\n")
    return count


def _grouped(targets: Iterable[Target], file: IO[bytes]) -> Iterator[Target]:
    """The same targets, written down in groups as they pass."""
    between = b"["
    for number, each in enumerate(targets):
        file.write(b",\n" if number % GROUP else between + b'{"targets": [\n')
        file.write(_line(_told(each)))
        between = b"\n]},\n"
        yield each
    file.write(b"\n]}]\n")


def target(told: Mapping[str, Any], plan: Plan) -> Target:
    """One item of the list of targets, of this version or an earlier one."""
    return Target(
        told["account"],
        told["region"],
        plan.partition,
        told["name"],
        told["off"],
        Standing(told["standing"]),
        told["payer"],
        None if told["unscanned"] is None else tuple(told["unscanned"]),
        tuple(told.get("ous", ())),
        Owner(told["owner"], OwnedBy(told["owned_by"])) if "owner" in told else NOBODY,
    )


def _told(target: Target) -> dict[str, Any]:
    return {
        "account": target.account,
        "region": target.region,
        "name": target.account_name,
        "off": target.region_off,
        "standing": target.standing,
        "payer": target.payer,
        "unscanned": target.unscanned,
        **({"ous": target.ous} if target.ous else {}),
        **({"owner": target.owner.name, "owned_by": target.owner.by} if target.owner.name else {}),
    }
