"""Which of a target's calls must wait for others, whoever makes them.

What is asked in the same words in several accounts needs no answer before it: it lists. What names something
that only this account has was found by a list; metrics are asked for when all is found; and the table is told
at the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum, auto
from urllib.parse import parse_qs

from benchmarks.request import Key, key
from benchmarks.served_aws import MEMBER, SIGNED

Words = tuple[str, str, str, str, bytes]
"""Of a key without account and region."""


class Stage(IntEnum):
    """Each begins when the one before it has been answered."""

    PLANNED = auto()
    ENTERED = auto()
    LISTED = auto()
    FOUND = auto()
    MEASURED = auto()
    CLAIMED = auto()
    KNOWN = auto()
    WRITTEN = auto()


HUBS: Mapping[str, Stage] = {
    "GET": Stage.PLANNED,
    "AssumeRole": Stage.ENTERED,
    "UpdateItem": Stage.CLAIMED,
    "PUT": Stage.CLAIMED,  # the inventory, which is known by then
    "Query": Stage.KNOWN,
    "TransactWriteItems": Stage.WRITTEN,
}
"""Operation, or S3's method."""


def in_order(batches: Iterable[Sequence[bytes]], answers: Iterable[Key]) -> Iterator[list[bytes]]:
    """The requests of each target, stage by stage. `answers`: what was asked in all accounts."""
    accounts: dict[Words, set[str]] = defaultdict(set)
    for account, _, *words in answers:
        accounts[tuple(words)].add(account)  # type: ignore[index] # as long as a key's rest
    everywhere = {words for words, those in accounts.items() if len(those) > 1}
    for batch in batches:
        stages: dict[Stage, list[bytes]] = defaultdict(list)
        for request in batch:
            stages[stage(request, everywhere)].append(request)
        yield from (stages[each] for each in sorted(stages))


def stage(request: bytes, everywhere: set[Words]) -> Stage:
    """Raises KeyError for what the hub is not known to be asked."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    method, target, _ = first.split(" ")
    signed = SIGNED.search(head)
    assert signed is not None  # noqa: S101 (or the served AWS had refused it)
    access_key, _, service = (each.decode() for each in signed.groups())
    operation = headers.get("x-amz-target", "")
    if not MEMBER.match(access_key):
        return HUBS[method if service == "s3" else operation.rpartition(".")[2] or _action(body)]
    if b"GetMetricData" in body or operation.endswith("GetMetricData"):
        return Stage.MEASURED
    _, _, *words = key(
        account="",
        region="",
        service=service,
        method=method,
        host=headers["host"],
        target=target,
        operation=operation,
        body=body,
    )
    return Stage.LISTED if tuple(words) in everywhere else Stage.FOUND


def _action(body: bytes) -> str:
    return parse_qs(body.decode())["Action"][0]
