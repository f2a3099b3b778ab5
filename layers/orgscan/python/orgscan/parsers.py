"""Reading what AWS answered. The one room in which code is special for speed.

Botocore's parsers ask of every structure for each member that its shape knows, and find most of them absent:
an instance of EC2 has 61, of which half are there. Here each shape becomes a function, once per process,
that looks at what is present. All else is botocore's: it takes bytes apart, reads errors, headers, metadata
and streams, and it is asked again, with the whole answer, wherever one is not as its shape says.
So what is odd is read by botocore alone, and costs twice; what is not is equal to what it would have read,
but that members come in the order of the answer.

Measured, in ms of CPU for 1,000 items, by botocore and here; in brackets what taking the bytes apart costs,
which is botocore's in both: ec2:DescribeInstances 1,108 and 255 (139), ec2:DescribeVolumes 413 and 73 (27),
rds:DescribeDBInstances 433 and 119 (72), iam:GetAccountAuthorizationDetails 836 and 140 (84), s3:ListBuckets
122 and 10 (5), lambda:ListFunctions 63 and 22 (11), cloudwatch:DescribeAlarms 160 and 37 (18),
logs:DescribeLogGroups 9.4 and 5.1 (2.2).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, TypeAlias

from botocore.parsers import (
    PROTOCOL_PARSERS,
    EC2QueryParser,
    JSONParser,
    QueryParser,
    ResponseParser,
    ResponseParserError,
    ResponseParserFactory,
    RestJSONParser,
    RestXMLParser,
)
from botocore.utils import ensure_boolean

from orgscan.moments import moment

Read = Callable[[Any], Any]
"""Makes a value of an element, or of what JSON says. Raises any of `UNFIT`."""

UNFIT = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    ResponseParserError,
    TypeError,
    ValueError,
)
"""What a value raises that is not as its shape says."""
ELSEWHERE = ("header", "headers", "statusCode")
"""Members with such a location are not looked for in a body of XML."""
NAMESPACE = re.compile("{.*}")


class Odd(ValueError):
    """An answer is not what its shape says, or not what is worth a function of its own."""


Member: TypeAlias = tuple[str | None, Read | None, bool]
"""What becomes of something present, as a plain tuple: one with names takes ten times as long to take apart.

Its name in the result, None where no model knows it; how it is read, None for a text or what JSON says, as it
is, which spares most values a call; whether it is one item of a list without an element of its own.
"""
UNKNOWN: Member = (None, None, False)


class _Members(dict[str, Member]):
    """By its tag or key, what becomes of each; compiled when it is first seen.

    Recursive shapes end so, and nobody pays for what AWS never sends. Two threads may compile the same, to
    equal ends.
    """

    def __init__(self, shapes: Mapping[str, tuple[str, Any]], compiler: _Compiler) -> None:
        super().__init__()
        self._shapes = shapes
        self._compiler = compiler

    def __missing__(self, tag: str) -> Member:
        # With its namespace, which is stripped once. What is unknown is not kept: it may be anything.
        known = self._shapes.get(self._compiler.stripped(tag))
        if known is None:
            return UNKNOWN
        self[tag] = member = self._compiler.member(*known)
        return member


class _Compiler(ABC):
    """Makes functions of the shapes of one protocol."""

    SCALARS: ClassVar[Mapping[str, Read | None]]
    """Type of a shape -> how it is read. What is missing here is left to botocore."""

    def __init__(self, own: ResponseParser) -> None:
        self._own: Any = own
        self._compiled: dict[int, tuple[Any, Read]] = {}

    def read(self, shape: Any, node: Any) -> Any:
        """What botocore's own parser reads of it. `shape` is a structure's."""
        with suppress(*UNFIT):
            if type(node) is not list:
                return self._of(shape)(node)
        return self._own._parse_shape(shape, node)  # noqa: SLF001 (what is overridden below)

    def _of(self, shape: Any) -> Read:
        # Each client has shapes of its own, but all of one loader share its description of a service. What is
        # kept keeps the description, and so its id.
        members = shape._shape_model["members"]  # noqa: SLF001 (there is no other name for it)
        compiled = self._compiled.get(id(members))
        if compiled is None:
            self._compiled[id(members)] = compiled = (members, self.structure(shape))
        return compiled[1]

    def reader(self, shape: Any) -> Read | None:
        """None: the value as it is."""
        made = {"structure": self.structure, "list": self.list, "map": self.map}.get(shape.type_name)
        if made:
            return made(shape)
        if shape.type_name not in self.SCALARS or shape.serialization.get("jsonvalue"):
            return self.by_botocore(shape)
        return self.SCALARS[shape.type_name]

    def by_botocore(self, shape: Any) -> Read:
        """For a part of an answer, which is not worth more."""
        read: Read = partial(self._own._parse_shape, shape)  # noqa: SLF001
        return read

    def member(self, name: str, shape: Any) -> Member:
        return name, self.reader(shape), False

    def stripped(self, tag: str) -> str:
        """As shapes call it."""
        return tag

    @abstractmethod
    def structure(self, shape: Any) -> Read: ...

    @abstractmethod
    def list(self, shape: Any) -> Read | None: ...

    @abstractmethod
    def map(self, shape: Any) -> Read | None: ...


def _by_name(members: Iterable[tuple[str, str, Any]]) -> dict[str, tuple[str, Any]] | None:
    """Name on the wire -> member's name and shape. None: two members are written alike."""
    found: dict[str, tuple[str, Any]] = {}
    for wire, name, shape in members:
        if wire in found:
            return None
        found[wire] = (name, shape)
    return found


def _special(shape: Any) -> bool:
    return bool(shape.is_tagged_union or shape.is_document_type or shape.metadata.get("exception"))


def _is_item(shape: Any) -> bool:
    """Of DynamoDB; others have texts of this name."""
    return bool(shape.value.name == "AttributeValue" and shape.value.type_name == "structure")


def _text(element: Any) -> str:
    """An empty element is an empty text."""
    return element.text or ""


class _Xml(_Compiler):
    """Of elements, as ElementTree has them."""

    SCALARS: ClassVar = {
        "string": None,
        "character": None,
        "boolean": lambda element: element.text == "true",
        "integer": lambda element: int(_text(element)),
        "long": lambda element: int(_text(element)),
        "float": lambda element: float(_text(element)),
        "double": lambda element: float(_text(element)),
        "timestamp": lambda element: moment(_text(element)),
        "blob": lambda element: b64decode(_text(element)),
    }

    def member(self, name: str, shape: Any) -> Member:
        if shape.type_name == "list" and shape.serialization.get("flattened"):
            return name, self.reader(shape.member) or _text, True
        return super().member(name, shape)

    def stripped(self, tag: str) -> str:
        return NAMESPACE.sub("", tag)

    def structure(self, shape: Any) -> Read:
        inside = {
            name: member
            for name, member in shape.members.items()
            if member.serialization.get("location") not in ELSEWHERE
        }
        shapes = _by_name((_tag(name, member), name, member) for name, member in inside.items())
        odd = any({"xmlAttribute", "eventheader"} & member.serialization.keys() for member in inside.values())
        if shapes is None or odd or _special(shape):
            return self.by_botocore(shape)
        members = _Members(shapes, self)

        def children(element: Any) -> dict[str, Any]:
            parsed: dict[str, Any] = {}
            for child in element:
                name, read, many = members[child.tag]
                if name is None:
                    continue
                if many and read:
                    parsed.setdefault(name, []).append(read(child))
                elif name in parsed:
                    raise Odd  # botocore takes what is repeated for a list, whatever it is
                else:
                    parsed[name] = read(child) if read else child.text or ""
            return parsed

        return children

    def list(self, shape: Any) -> Read:
        if shape.serialization.get("flattened"):  # in another list, or in a map
            return self.by_botocore(shape)
        read = self.reader(shape.member) or _text
        return lambda element: [read(child) for child in element]

    def map(self, shape: Any) -> Read:
        if shape.serialization.get("flattened"):
            return self.by_botocore(shape)
        names = shape.key.serialization.get("name") or "key", shape.value.serialization.get("name") or "value"
        read_key, read = (self.reader(each) or _text for each in (shape.key, shape.value))
        tags = set()  # with their namespace

        def entries(element: Any) -> dict[Any, Any]:
            parsed = {}
            for key, value in element:  # more or fewer are a ValueError
                if (key.tag, value.tag) not in tags:
                    if (self.stripped(key.tag), self.stripped(value.tag)) != names:
                        raise Odd
                    tags.add((key.tag, value.tag))
                parsed[read_key(key)] = read(value)
            return parsed

        return entries


def _tag(name: str, shape: Any) -> str:
    """Of a member's element: a list without one has those of its items."""
    said: str | None = None
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        said = shape.member.serialization.get("name")
    return said if said is not None else shape.serialization.get("name", name)


class _Json(_Compiler):
    """Of what JSON says; the protocol named so leaves most values as they come."""

    SCALARS: ClassVar = {
        **dict.fromkeys(("string", "character", "boolean", "integer", "long", "float", "double")),
        "timestamp": moment,
        "blob": b64decode,
    }

    def structure(self, shape: Any) -> Read:
        shapes = _by_name(
            (member.serialization.get("name", name), name, member) for name, member in shape.members.items()
        )
        if shapes is None or _special(shape):
            return self.by_botocore(shape)
        members = _Members(shapes, self)

        def present(value: Any) -> dict[str, Any]:
            parsed: dict[str, Any] = {}
            for key, raw in value.items():
                if raw is not None:
                    name, read, _ = members[key]
                    if name is not None:
                        parsed[name] = read(raw) if read else raw
            return parsed

        return present

    def list(self, shape: Any) -> Read:
        read = self.reader(shape.member)

        def items(value: Any) -> list[Any]:
            if type(value) is not list:
                raise Odd
            return [None if each is None else read(each) for each in value] if read else value

        return items

    def map(self, shape: Any) -> Read:
        if shape.key.type_name != "string" or _is_item(shape):
            return self.by_botocore(shape)
        read = self.reader(shape.value)

        def entries(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise Odd
            return {key: read(each) for key, each in value.items()} if read else value

        return entries


class _RestJson(_Json):
    SCALARS: ClassVar = {
        **_Json.SCALARS,
        "boolean": ensure_boolean,
        "integer": int,
        "long": int,
        "float": float,
        "double": float,
    }


class _ItemsAsTheyCome(JSONParser):
    """Botocore looks at every value of every item for each of ten types, to find that nothing is to be done.

    Binary values would have to be decoded, and our table has none. A report reads hundreds of thousands of
    items; so it takes half the time.
    """

    def _handle_map(self, shape: Any, value: Any) -> Any:
        if _is_item(shape):
            return value
        return super()._handle_map(shape, value)  # type: ignore[misc] # its stubs leave it out


class _Compiled(ResponseParser):
    """Mixed into a parser of botocore's: the one method through which it reads each shape.

    A botocore that calls it otherwise would read all by itself.
    """

    compiler: ClassVar[_Compiler]

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        if shape.type_name == "structure":
            return self.compiler.read(shape, node)
        return super()._parse_shape(shape, node)  # type: ignore[misc] # its stubs leave it out


class _Ec2(_Compiled, EC2QueryParser):
    compiler = _Xml(EC2QueryParser())


class _Query(_Compiled, QueryParser):
    compiler = _Xml(QueryParser())


class _RestXml(_Compiled, RestXMLParser):
    compiler = _Xml(RestXMLParser())


class _PlainJson(_Compiled, JSONParser):
    compiler = _Json(_ItemsAsTheyCome())


class _RestJsonParser(_Compiled, RestJSONParser):
    compiler = _RestJson(RestJSONParser())


COMPILED: Mapping[type, type[_Compiled]] = {
    EC2QueryParser: _Ec2,
    QueryParser: _Query,
    RestXMLParser: _RestXml,
    JSONParser: _PlainJson,
    RestJSONParser: _RestJsonParser,
}


class Parsers(ResponseParserFactory):
    """Instead of botocore's; protocols that are not compiled keep its own parser."""

    def create_parser(self, protocol_name: str) -> ResponseParser:
        own: Any = PROTOCOL_PARSERS[protocol_name]
        compiled = COMPILED.get(own)
        # Whoever sets botocore's ways to read dates and blobs gets its parsers, which have them.
        if compiled is None or self._defaults:  # type: ignore[attr-defined] # its stubs leave it out
            botocores: ResponseParser = super().create_parser(protocol_name)
            return botocores
        return compiled()
