"""What CDK's constructs take, read from their source: to import them starts Node, and takes seconds."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SPEC = find_spec("aws_cdk")
FOLDER = Path(str(SPEC and SPEC.origin)).parent
END = ") -> None:"
KINDS: Mapping[type, str] = {
    bool: "builtins.bool",
    str: "builtins.str",
    int: "jsii.Number",
    float: "jsii.Number",
}
"""Of a literal -> how jsii calls it."""


@dataclass(frozen=True)
class Signature:
    takes: Mapping[str, str]
    """Keyword -> its type, as the source has it."""
    required: frozenset[str]
    construct: bool
    """It has a scope and an id."""


def faults(piece: str) -> list[str]:
    """Of a piece of a stack; none when CDK would take it."""
    try:
        module = ast.parse(piece)
    except SyntaxError as wrong:
        return [f"no Python: {wrong}"]
    return [fault for statement in module.body for fault in _of_statement(statement)]


def _of_statement(statement: ast.stmt) -> Iterator[str]:
    value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    if not isinstance(value, ast.Call):
        yield f"no call: {ast.unparse(statement)}"
        return
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    signature = signature_of(name)
    if not signature:
        yield f"CDK has no {name}"
        return
    given = {each.arg: each.value for each in call.keywords if each.arg}
    for keyword in given.keys() - signature.takes.keys():
        yield f"{name} takes no {keyword}"
    for keyword in signature.required - given.keys():
        yield f"{name} needs {keyword}"
    if signature.construct:
        first = ast.unparse(call.args[0]) if call.args else ""
        if len(call.args) != 2 or first != "self":
            yield f"{name} needs self and an id"
    elif call.args:
        yield f"{name} takes keywords only"
    for keyword in given.keys() & signature.takes.keys():
        yield from _of_value(f"{name}.{keyword}", given[keyword], signature.takes[keyword])


def _of_value(name: str, value: ast.expr, wanted: str) -> Iterator[str]:
    """Of a literal or a property: whether it is of a type that the keyword takes."""
    alone, elements = _apart(wanted)
    if "typing.Any" in alone and "Mapping" not in alone and "Dict" not in alone:
        return
    if isinstance(value, ast.List):
        if not elements:
            yield f"{name} takes no list"
        for each in value.elts:
            yield from _of_value(name, each, elements)
    elif isinstance(value, ast.Constant):
        # '<size>' stands for a number too.
        people = isinstance(value.value, str) and value.value.startswith("<")
        if KINDS[type(value.value)] not in alone and not people:
            yield f"{name} takes no {value.value!r}: {wanted}"
    elif isinstance(value, ast.Call):
        own = ast.unparse(value.func).rpartition(".")[2]
        if own not in alone:
            yield f"{name} takes no {own}: {wanted}"


def _apart(wanted: str) -> tuple[str, str]:
    """What a value may be if it is no list, and what a list may hold; '' where it may be none."""
    alone, found, rest = wanted.partition("typing.Sequence[")
    if not found:
        return alone, ""
    depth = 1
    for end, letter in enumerate(rest):
        depth += {"[": 1, "]": -1}.get(letter, 0)
        if not depth:
            return alone + rest[end + 1 :], rest[:end]
    raise ValueError(wanted)


@cache
def signature_of(name: str) -> Signature | None:
    """'ec2.CfnVolume', 'ec2.CfnFleet.TagProperty' or 'CfnTag': aliases are as `aws_ec2 as ec2`."""
    alias, _, path = name.rpartition(".") if name.count(".") == 0 else name.partition(".")
    source = _source(f"aws_{alias.rstrip('_')}" if alias else "")
    start, indent = 0, ""
    for part in path.split("."):
        found = re.compile(rf"^{indent}class {part}[:(]", re.MULTILINE).search(source, start)
        if not found:
            return None
        start, indent = found.start(), f"{indent}    "
    return _signature(source, start, indent)


def _signature(source: str, start: int, indent: str) -> Signature:
    opening = source.index(f"\n{indent}def __init__(", start) + 1
    closing = source.index(END, opening) + len(END)
    head = "\n".join(line.removeprefix(indent) for line in source[opening:closing].splitlines())
    (function,) = ast.parse(f"{head} ...").body
    assert isinstance(function, ast.FunctionDef)
    keywords = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    told = [
        (each.arg, ast.unparse(each.annotation) if each.annotation else "", default)
        for each, default in keywords
    ]
    return Signature(
        {name: annotation for name, annotation, _ in told},
        frozenset(name for name, _, default in told if default is None),
        "scope" in [each.arg for each in function.args.args],
    )


@cache
def _source(module: str) -> str:
    file = FOLDER / module / "__init__.py"
    return file.read_text(encoding="utf-8") if file.exists() else ""
