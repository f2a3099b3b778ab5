"""What passes through a state machine: a walk over its definition that refuses whatever could grow.

Each state gets a set of named fields, each of constant size: a word, a number, or one item of a list in S3.
The walk knows what each function answers and computes what the next state gets; what it does not know it
refuses.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]
Fields = frozenset[str]

ASKED = frozenset({"$"})
"""The execution's own input: as large as who starts it writes it, whatever the organization."""
ANSWERS: Mapping[str, Fields] = {
    "Plan.Arn": frozenset({"scan", "targets", "planned", "last"}),
    "Scan.Arn": frozenset({"scan", "target", "part", "entered", "seconds", "done"}),
    "Report.Arn": frozenset({"scan", "done", "planned", "reached", "messages", "last", "left", "targets"}),
    "Notify.Arn": frozenset({"sent"}),
}
"""Function -> what it returns at most; test_large holds the handlers to it."""
WRITTEN = frozenset({"MapRunArn", "ResultWriterDetails"})
"""What a map passes on whose results are written to S3."""
NOTHING: Fields = frozenset()
"""What a map within a child passes on: an answer for each target of the group, which nobody reads."""
CONTEXT = ("$$.Execution.Name", "$$.Execution.StartTime", "$$.State.EnteredTime")
ITEM = re.compile(r"\$\$\.Map\.Item\.Value(\.\w+)?")
"""An item, or a part of it: one target, or the few of a group."""
REFERENCE = re.compile(r"\$\.(\w+)")
READER = re.compile(r"arn:\S+:states:::s3:getObject")
WRITER = re.compile(r"arn:\S+:states:::s3:putObject")
COMMON = {"Type", "Next", "End", "Comment", "Retry", "Default", "Choices"}
SHAPING = {"Parameters", "ResultSelector", "ResultPath"}
MAPPING = {
    "ItemsPath",
    "ItemReader",
    "ItemSelector",
    "ItemProcessor",
    "ResultWriter",
    "ResultPath",
    "MaxConcurrency",
    "ToleratedFailurePercentage",
    "Label",
}
KNOWN = {
    "Task": COMMON | SHAPING | {"Resource", "Catch"},
    "Pass": COMMON,
    "Map": COMMON | MAPPING,
    "Choice": COMMON,
    "Succeed": COMMON,
    "Fail": COMMON | {"Error", "Cause"},
}
"""Type of a state -> the fields whose meaning is known here."""


class Grows(AssertionError):
    """A state gets, or passes on, what depends on the size of the organization; or nobody knows."""


def walk(machine: Json) -> int:
    """The number of different (state, what it gets) that there are. Raises Grows."""
    return sum(1 for _ in _walk(machine, ASKED))


def _walk(machine: Json, given: Fields, *, child: bool = False) -> Iterator[tuple[str, Fields]]:
    """`child`: an execution that looks after one item, whose states are in a history of its own."""
    if machine.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise Grows("the machine speaks another language than JSONPath")
    waiting, seen = [(str(machine["StartAt"]), given)], set[tuple[str, Fields]]()
    while waiting:
        name, gets = waiting.pop()
        if (name, gets) in seen:
            continue
        seen.add((name, gets))
        yield name, gets
        state = machine["States"][name]
        if unknown := state.keys() - KNOWN.get(state["Type"], set()):
            raise Grows(f"{name}: a {state['Type']} with {', '.join(sorted(unknown))}")
        result = gets
        if state["Type"] == "Task":
            result = _task(name, state, gets)
        elif state["Type"] == "Map" and child:
            yield from _inline(name, state, gets)
            result = NOTHING
        elif state["Type"] == "Map":
            yield from _map(name, state, gets)
            result = WRITTEN
        passes = _placed(name, state, gets, result)
        waiting += [(each["Next"], _caught(name, each, gets)) for each in state.get("Catch", ())]
        ways = [state.get("Next"), state.get("Default"), *(each["Next"] for each in state.get("Choices", []))]
        waiting += [(each, passes) for each in ways if each]


def _task(name: str, state: Json, gets: Fields) -> Fields:
    if state["Resource"] not in ANSWERS:
        raise Grows(f"{name}: nobody knows what {state['Resource']} returns")
    if "Parameters" in state:
        _select(name, state["Parameters"], gets, whole=gets == ASKED)
    answer = ANSWERS[state["Resource"]]
    return _select(name, state["ResultSelector"], answer) if "ResultSelector" in state else answer


def _caught(name: str, catch: Json, gets: Fields) -> Fields:
    if catch.get("ResultPath", "$") is not None:
        raise Grows(f"{name}: what went wrong passes through state, with words of any length")
    return gets


def _inline(name: str, state: Json, gets: Fields) -> Iterator[tuple[str, Fields]]:
    """Over the targets of one group, which are few."""
    processor, items = state["ItemProcessor"], state.get("ItemsPath", "$")
    if processor.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
        raise Grows(f"{name}: a child has children")
    _select(name, {"items.$": items}, gets)
    yield from _walk(processor, _select(name, state["ItemSelector"], gets, item=True), child=True)


def _map(name: str, state: Json, gets: Fields) -> Iterator[tuple[str, Fields]]:
    processor = state["ItemProcessor"]
    if processor.get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
        raise Grows(f"{name}: its iterations are in the history of the parent")
    if "ItemsPath" in state:
        raise Grows(f"{name}: its items pass through state")
    reader, writer = state.get("ItemReader", {}), state.get("ResultWriter", {})
    if not READER.fullmatch(reader.get("Resource", "")):
        raise Grows(f"{name}: its items pass through state")
    if not WRITER.fullmatch(writer.get("Resource", "")):
        # Discarded or not: they are collected first, and must fit into 256 KiB.
        raise Grows(f"{name}: its results pass through state")
    for told in (reader, writer):
        _select(name, told["Parameters"], gets)
    yield from _walk(processor, _select(name, state["ItemSelector"], gets, item=True), child=True)


def _select(
    name: str, told: Mapping[str, Any], gets: Fields, *, whole: bool = False, item: bool = False
) -> Fields:
    """The fields of a template. `whole`: it may pass on all that it gets. `item`: and one item of a map."""
    for field, value in told.items():
        if not isinstance(value, str | int | float | bool | None):
            raise Grows(f"{name}: {field} is no single value")
        if not field.endswith(".$") or value in CONTEXT or (item and ITEM.fullmatch(str(value))):
            continue
        found = REFERENCE.fullmatch(str(value))
        if not (whole and value == "$") and not (found and found[1] in gets):
            raise Grows(f"{name}: {field} is {value}, of {', '.join(sorted(gets))}")
    return frozenset(field.removesuffix(".$") for field in told)


def _placed(name: str, state: Json, gets: Fields, result: Fields) -> Fields:
    """ResultPath: the result instead of what the state got, or nothing of it."""
    match state.get("ResultPath", "$"):
        case "$":
            return result
        case None:
            return gets
        case path:
            raise Grows(f"{name}: its result is added as {path}")
