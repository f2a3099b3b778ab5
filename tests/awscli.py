"""The grammar of the AWS CLI over botocore's models: what is wrong with a command, without running it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from shlex import split
from typing import Any

import jmespath
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator
from botocore.waiter import WaiterModel
from jmespath.exceptions import JMESPathError

LOADER = Loader()
SERVICES = {"s3api": "s3", "configservice": "config"}
"""The CLI's name of a service -> botocore's, where they differ."""
RENAMED = {
    "UpdateClusterVersion": {"kubernetes-version": "version"},
    "CreateNetworkAclEntry": {"ingress": "no-egress", "egress": "egress"},
}
"""Operation -> option of the CLI -> what it would be called if it were called after its parameter."""
OWN = {"CreateVirtualMFADevice": ("outfile", "bootstrap-method")}
"""Operation -> options that the CLI itself understands."""
GLOBAL = ("region", "query", "output")
"""Options of every command that a remedy may use."""
FROM_FILE = "cli-input-json"
"""All that an operation takes, in a file that people write."""
PLAIN = re.compile(r"[A-Za-z0-9{}=:/.,_ -]*")
"""What means nothing to a shell, outside of quotes."""
WORD = re.compile(r"<[a-z][a-z0-9-]*>")
"""For people to decide."""
NUMBER = re.compile(r"(?<=[\[{:, ])<[a-z][a-z0-9-]*>(?=[\]},])")
"""The same in JSON, where a number is to be."""
ELSEWHERE = ("file://", "fileb://")
NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


class Wrong(Exception):
    pass


def faults(command: str) -> list[str]:
    """Of a command as it can be pasted; none when AWS would understand it."""
    try:
        return [*_faults(command)]
    except Wrong as wrong:
        return [str(wrong)]


def quoted_faults(declared: str) -> list[str]:
    """Outside of single quotes, nothing may mean something to a shell: `<` opens a file."""
    outside = re.sub(r"'[^']*'", "", declared)
    return [] if PLAIN.fullmatch(outside) else [f"to be put into single quotes: {PLAIN.sub('', outside)}"]


def _faults(command: str) -> Iterator[str]:
    words = split(command)
    operation = operation_of(words)
    renamed = RENAMED.get(operation.name, {})
    given = {renamed.get(option, option): values for option, values in options(words).items()}
    shape = operation.input_shape
    members = _options_of(operation)
    own = (*GLOBAL, *OWN.get(operation.name, ()))
    params: dict[str, Any] = {}
    for option, values in given.items():
        if option in members:
            member, wanted = members[option]
            params[member] = _value(wanted, option, values)
            yield from _leaf_faults(wanted, params[member], option)
        elif option.startswith("no-") and option[3:] in members and not values:
            params[members[option[3:]][0]] = False
        elif option not in (*own, FROM_FILE):
            yield f"--{option} is no option of {operation.name}"
        elif len(values) != 1:
            yield f"--{option} takes one value"
    if shape and FROM_FILE not in given:
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            yield report.generate_report()
    if "region" not in given:
        yield "it does not say in which region"
    if "query" in given:
        yield from _query_faults(given["query"][0], operation.output_shape)


def operation_of(words: Sequence[str]) -> OperationModel:
    aws, service, operation, *rest = words
    if aws != "aws":
        raise Wrong(f"{aws} is not the AWS CLI")
    model = _service(SERVICES.get(service, service))
    if operation == "wait":
        return _waited(SERVICES.get(service, service), rest[0])
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        raise Wrong(f"{service} has no operation {operation}")
    return model.operation_model(names[operation])


def options(words: Sequence[str]) -> dict[str, list[str]]:
    """Name -> the words that follow it."""
    start = 4 if words[2] == "wait" else 3
    given: dict[str, list[str]] = {}
    for word in words[start:]:
        if word.startswith("--"):
            name, sign, value = word[2:].partition("=")
            if name in given:
                raise Wrong(f"--{name} is given twice")
            given[name] = [value] if sign else []
        elif not given:
            raise Wrong(f"{word} belongs to no option")
        else:
            given[[*given][-1]].append(word)
    return given


def members(words: Sequence[str]) -> dict[str, Shape]:
    """Option -> what it takes."""
    return {option: shape for option, (_, shape) in _options_of(operation_of(words)).items()}


def _options_of(operation: OperationModel) -> dict[str, tuple[str, Shape]]:
    shape = operation.input_shape
    return {xform_name(name, "-"): (name, wanted) for name, wanted in shape.members.items()} if shape else {}


@cache
def _service(name: str) -> ServiceModel:
    if name not in LOADER.list_available_services("service-2"):
        raise Wrong(f"AWS has no service {name}")
    return ServiceModel(LOADER.load_service_model(name, "service-2"), name)


def _waited(service: str, waiter: str) -> OperationModel:
    model = WaiterModel(LOADER.load_service_model(service, "waiters-2"))
    names = {xform_name(name, "-"): name for name in model.waiter_names}
    if waiter not in names:
        raise Wrong(f"{service} cannot wait for {waiter}")
    return _service(service).operation_model(model.get_waiter(names[waiter]).operation)


def _value(shape: Shape, option: str, words: Sequence[str]) -> Any:
    """As the CLI would understand it; of what people are to decide, something that would do."""
    if shape.type_name == "boolean":
        if words:
            raise Wrong(f"--{option} takes no value")
        return True
    if isinstance(shape, ListShape) and words and not _whole(words):
        return [_one(shape.member, option, word) for word in words]
    if len(words) != 1:
        raise Wrong(f"--{option} takes one value, not {len(words)}")
    return _one(shape, option, words[0])


def _whole(words: Sequence[str]) -> bool:
    """Whether one word is all of a list."""
    return len(words) == 1 and words[0].startswith(("[", *ELSEWHERE))


def _one(shape: Shape, option: str, word: str) -> Any:
    if isinstance(shape, ListShape | MapShape | StructureShape):
        if WORD.fullmatch(word) or word.startswith(ELSEWHERE):
            return _stub(shape)
        return _json(option, word) if word.startswith(("{", "[")) else _shorthand(shape, option, word)
    if shape.type_name in NUMBERS:
        return _stub(shape) if WORD.fullmatch(word) else NUMBERS[shape.type_name](word)
    if word.startswith("{"):
        _json(option, word)
    if WORD.search(word):
        return "2026-01-15" if shape.type_name == "timestamp" else word.ljust(shape.metadata.get("min", 0))
    return word


def _json(option: str, text: str) -> Any:
    try:
        return json.loads(NUMBER.sub("1", text))
    except json.JSONDecodeError as wrong:
        raise Wrong(f"--{option}: {text} is no JSON: {wrong}") from None


def _shorthand(shape: Shape, option: str, text: str) -> dict[str, Any]:
    """Key=a,Values=b,c; whatever is deeper stands in JSON."""
    if isinstance(shape, ListShape) or "{" in text or "[" in text:
        raise Wrong(f"--{option}: {text} is to be JSON")
    found: dict[str, list[str]] = {}
    for part in text.split(","):
        name, sign, value = part.partition("=")
        if sign:
            found[name] = [value]
        elif found:
            found[[*found][-1]].append(part)
        else:
            raise Wrong(f"--{option}: {text} is no Key=value")
    return {name: _of_shorthand(shape, name, option, values) for name, values in found.items()}


def _of_shorthand(shape: Shape, name: str, option: str, values: Sequence[str]) -> Any:
    wanted = shape.members.get(name) if isinstance(shape, StructureShape) else None
    if isinstance(wanted, ListShape):
        return [_one(wanted.member, option, each) for each in values]
    if wanted and wanted.type_name == "boolean":
        return {"true": True, "false": False}[values[0]]
    return _one(wanted, option, values[0]) if wanted else ",".join(values)


def _stub(shape: Shape) -> Any:
    if isinstance(shape, ListShape):
        return [_stub(shape.member)] * max(1, shape.metadata.get("min", 1))
    if isinstance(shape, StructureShape):
        return {name: _stub(shape.members[name]) for name in shape.required_members}
    if isinstance(shape, MapShape):
        return {}
    if shape.type_name in NUMBERS:
        return max(1, shape.metadata.get("min", 1))
    return True if shape.type_name == "boolean" else "<word>" * (1 + shape.metadata.get("min", 0) // 6)


def _leaf_faults(shape: Shape, value: Any, option: str) -> Iterator[str]:
    """Values that are none of the allowed ones, or not of the form that the service takes."""
    if isinstance(shape, ListShape) and isinstance(value, list):
        for each in value:
            yield from _leaf_faults(shape.member, each, option)
    elif isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name in value.keys() & shape.members.keys():
            yield from _leaf_faults(shape.members[name], value[name], option)
    elif isinstance(value, str) and not WORD.search(value):
        allowed: Iterable[str] = shape.metadata.get("enum", ())
        if allowed and value not in allowed:
            yield f"--{option}: {value} is none of {', '.join(allowed)}"
        if not matches(shape, value) and not value.startswith(ELSEWHERE):
            yield f"--{option}: {value} is not of the form {shape.metadata['pattern']}"


def matches(shape: Shape, value: str) -> bool:
    """A pattern of Java that is none of Python's says nothing."""
    try:
        return bool(re.fullmatch(shape.metadata.get("pattern", ".*"), value, re.DOTALL))
    except re.error:
        return True


def _query_faults(query: str, output: Shape | None) -> Iterator[str]:
    try:
        parsed = jmespath.compile(query).parsed
    except JMESPathError as wrong:
        yield f"--query: {wrong}"
        return
    known = _names(output) if output else frozenset()
    for field in _fields(parsed):
        if field not in known:
            yield f"--query: the answer has no {field}"


def _fields(node: Mapping[str, Any]) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, Mapping):
            yield from _fields(child)


def _names(shape: Shape, above: tuple[str, ...] = ()) -> frozenset[str]:
    """Of all members, however deep."""
    if shape.name in above:
        return frozenset()
    below = (*above, shape.name)
    if isinstance(shape, StructureShape):
        inner = [_names(each, below) for each in shape.members.values()]
        return frozenset(shape.members).union(*inner)
    if isinstance(shape, ListShape):
        return _names(shape.member, below)
    return _names(shape.value, below) if isinstance(shape, MapShape) else frozenset()
