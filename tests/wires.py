"""Answers of any operation as they may come over the wire, written from its shape: odd ones among them.

    body(Random(7), operation_model, oddity=0.1)

Nothing is listed by hand: what there may be is what botocore's model of the operation says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from botocore.model import ServiceModel

SCALARS: dict[str, tuple[Any, ...]] = {
    "string": ("", "text", " spaced ", "a&<b>", "é\U0001f600", "true", "7", "{x}y", "\n"),
    "character": ("x", ""),
    "boolean": ("true", "false", "True", "TRUE", " true", ""),
    "integer": ("0", "-7", "007", " 7 ", "1_000", "99999999999999999999", "1.5", "x", ""),
    "float": ("0", "1.5", "-1e300", "inf", "NaN", "x", ""),
    "blob": ("aGVsbG8=", "aGVsbG8", "####", ""),
    "timestamp": (
        *("2024-02-03T04:05:06Z", "2024-02-03T04:05:06.7Z", "1999-12-31T23:59:59.999999Z"),
        *("2024-02-03T04:05:06.123456789Z", "2024-02-03T04:05:06+02:00", "2024-02-03T04:05:06", "2024-02-03"),
        *("2024-13-03T04:05:06Z", "2024-02-31T04:05:06Z", "2024-02-03T24:00:00Z", "2024-02-03T04:05:60Z"),
        *("0031-02-03T04:05:06Z", "20240203T040506Z", "Sat, 03 Feb 2024 04:05:06 GMT", "1706933106", "x", ""),
    ),
}
SCALARS |= {"long": SCALARS["integer"], "double": SCALARS["float"]}
NUMBERS: dict[str, tuple[Any, ...]] = {
    "boolean": (True, False),
    "integer": (0, -7, 10**20, 1.5),
    "float": (0, 1.5, -1e300, float("nan"), float("inf")),
    "timestamp": (0, 1706933106, 1706933106.789, 1e9 + 1e-6, -86400, 253402300800, 1e20, float("nan"), True),
}
NUMBERS |= {"long": NUMBERS["integer"], "double": NUMBERS["float"]}
WRONG: tuple[Any, ...] = (None, 7, 1.5, True, "text", "", [], {}, [None], ["x"], {"x": 1}, [[{}]])
DEEP = 7
"""Shapes may hold themselves."""


INVENTED_KINDS = ("boolean", "integer", "float", "blob", "timestamp")
INVENTED: Any = ServiceModel(
    {
        "metadata": {},
        "shapes": {
            "Answer": {
                "type": "structure",
                "members": {
                    **{kind: {"shape": kind} for kind in INVENTED_KINDS},
                    "Text": {"shape": "AttributeValue"},
                    "Flat": {"shape": "Flat", "locationName": "flat"},
                    "Texts": {"shape": "Texts"},
                    "Moments": {"shape": "Moments"},
                    "Map": {"shape": "Map"},
                },
            },
            **{kind: {"type": kind} for kind in INVENTED_KINDS},
            "AttributeValue": {"type": "string"},
            "Flat": {
                "type": "list",
                "flattened": True,
                "member": {"shape": "AttributeValue", "locationName": "each"},
            },
            "Texts": {"type": "list", "member": {"shape": "AttributeValue"}},
            "Moments": {"type": "list", "member": {"shape": "timestamp"}},
            "Map": {
                "type": "map",
                "key": {"shape": "AttributeValue"},
                "value": {"shape": "AttributeValue"},
            },
        },
    }
)
"""A service that has everything once."""
ODD_XML = (
    *(
        "<flat>1</flat>",
        "<each>1</each><each>2</each>",
        "<o:each>1</o:each><each/>",
        "<Texts><a>1</a><b/></Texts>",
    ),
    "<Map><entry><key>a</key><value>1</value></entry><entry><value>2</value><key>b</key></entry></Map>",
    "<Map><entry><value>2</value><key>b</key></entry></Map>",
    "<Map><entry><key>a</key><o:value>1</o:value></entry><entry><key>a</key><other>2</other></entry></Map>",
    *("<Map><entry/></Map>", "<Map/>", "<Text>a</Text><Text>b</Text>", "<Text/>", "<Texts/><Texts/>"),
)
ODD_JSON: tuple[Any, ...] = (
    *(
        {"each": ["a"]},
        {"flat": ["a", None]},
        {"Texts": [None, "a"]},
        {"Moments": [None, 7]},
        {"Texts": "ab"},
    ),
    *(
        {"Texts": {"a": 1}},
        {"Map": {"a": None}},
        {"Map": ["a"]},
        {"Map": 7},
        {"Moments": "7"},
        {"{o}Text": "a"},
    ),
)


def changed(rng: Random, whole: bytes) -> Iterator[bytes]:
    """Cut off, and with one thing turned into another: a bit, a byte, a piece left out or said twice."""
    for _ in range(3):
        at = rng.randrange(len(whole) + 1)
        to = min(len(whole), at + rng.randrange(1, 40))
        yield whole[:at]
        yield whole[:at] + whole[to:]
        yield whole[:to] + whole[at:]
        yield whole[:at] + bytes([rng.choice(b'<>/"{}[]:,& 0x\x00\xff')]) + whole[at + 1 :]
        if at < len(whole):
            yield whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :]


def body(rng: Random, operation: Any, *, oddity: float) -> bytes:
    """`oddity`: the share of values that are not what their shape says."""
    shape, protocol = operation.output_shape, operation.service_model.resolved_protocol
    payload = shape.serialization.get("payload")
    shape = shape.members[payload] if payload else shape
    if protocol.endswith("json"):
        return json.dumps(_Json(rng, oddity).value(shape, 0)).encode()
    inside = _Xml(rng, oddity).inside(shape, 0)
    if protocol == "query" and "resultWrapper" in shape.serialization:
        inside = "<{0}>{1}</{0}>".format(shape.serialization["resultWrapper"], inside)
    more = {"query": "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"}
    more |= {"ec2": "<requestId>r-1</requestId>"}
    spaces = rng.choice(('xmlns="https://aws.example/doc/"', ""))
    inside = inside + more.get(protocol, "")
    return f'<Answer {spaces} xmlns:o="urn:other">{inside}</Answer>'.encode()


@dataclass
class _Writer:
    rng: Random
    oddity: float

    def odd(self) -> bool:
        return self.oddity > 0 and self.rng.random() < self.oddity

    def scalar(self, kind: str) -> str:
        """Without oddities what every parser takes."""
        said = SCALARS.get(kind, ("text",))
        text: str = self.rng.choice(said) if self.oddity else said[0]
        return text

    def chosen(self, shape: Any, depth: int) -> list[str]:
        """Names of members; fewer the deeper they are. Not always in the model's order."""
        names = [*shape.members]
        share = max(0.0, 0.9 - depth / DEEP)
        found = [name for name in names if self.rng.random() < share]
        if self.rng.random() < 0.3:
            self.rng.shuffle(found)
        return found


class _Xml(_Writer):
    def inside(self, shape: Any, depth: int) -> str:
        if depth > DEEP:
            return ""
        match shape.type_name:
            case "structure":
                return "".join(
                    self.member(name, shape.members[name], depth) for name in self._body(shape, depth)
                )
            case "list":
                tag = shape.member.serialization.get("name", "member")
                return self.items(tag, shape, depth)
            case "map":
                return "".join(
                    f"<entry>{self.pair(shape, depth)}</entry>" for _ in range(self.rng.randrange(3))
                )
            case kind:
                return escape(self.scalar(kind))

    def _body(self, shape: Any, depth: int) -> list[str]:
        attributes = [name for name, each in shape.members.items() if each.serialization.get("xmlAttribute")]
        return [name for name in self.chosen(shape, depth) if name not in attributes]

    def items(self, tag: str, shape: Any, depth: int) -> str:
        return "".join(self.element(tag, shape.member, depth + 1) for _ in range(self.rng.randrange(4)))

    def pair(self, shape: Any, depth: int) -> str:
        parts = [
            self.element(shape.key.serialization.get("name", "key"), shape.key, depth + 1),
            self.element(shape.value.serialization.get("name", "value"), shape.value, depth + 1),
        ]
        if self.odd():
            self.rng.shuffle(parts)
        return "".join(parts)

    def member(self, name: str, shape: Any, depth: int) -> str:
        tag = shape.serialization.get("name", name)
        if shape.serialization.get("flattened"):
            if shape.type_name == "list":
                return self.items(shape.member.serialization.get("name") or tag, shape, depth)
            return "".join(f"<{tag}>{self.pair(shape, depth)}</{tag}>" for _ in range(self.rng.randrange(3)))
        return self.element(tag, shape, depth + 1)

    def element(self, tag: str, shape: Any, depth: int) -> str:
        inside = self.inside(shape, depth)
        if self.odd():
            return self.rng.choice(self.oddities(tag, inside))
        said = {}
        if shape.type_name == "structure":
            named = [each for each in shape.members.values() if each.serialization.get("xmlAttribute")]
            said = {each.serialization["name"]: self.rng.choice(("Group", "")) for each in named}
        attributes = "".join(f" {name}={quoteattr(value)}" for name, value in said.items())
        spaces = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' if said else ""
        return f"<{tag}{spaces}{attributes}>{inside}</{tag}>"

    @staticmethod
    def oddities(tag: str, inside: str) -> tuple[str, ...]:
        whole = f"<{tag}>{inside}</{tag}>"
        return (
            "",
            f"<{tag}/>",
            f"<{tag}> \n </{tag}>",
            f"<{tag}>text</{tag}>",
            f"<{tag}>before{inside}<a>b</a>after</{tag}>",
            f"<{tag}><{tag}>{inside}</{tag}></{tag}>",
            f"\n {whole} \n",
            f"<!-- {tag} -->{whole}<?odd {tag}?>",
            f"<{tag}><![CDATA[{tag}]]>{inside}</{tag}>",
            f'<{tag} nil="true" o:nil="true">{inside}</{tag}>',
            f'<{tag} xmlns="urn:another">{inside}</{tag}>',
            f"<o:{tag}>{inside}</o:{tag}>",
            f"{whole}<o:{tag}>{inside}</o:{tag}>",
            whole + whole,
            f"{whole}<new>{inside}</new>{whole}",
            f"<newer>{inside}</newer>{whole}",
            f"<{tag.lower()}>{inside}</{tag.lower()}>",
        )


class _Json(_Writer):
    def value(self, shape: Any, depth: int) -> Any:
        if depth > DEEP:
            return {} if shape.type_name in ("structure", "map") else []
        if self.odd():
            return self.rng.choice(WRONG)
        match shape.type_name:
            case "structure":
                return self.structure(shape, depth)
            case "list":
                return [self.value(shape.member, depth + 1) for _ in range(self.rng.randrange(4))]
            case "map":
                return {
                    self.scalar(shape.key.type_name) + str(number): self.value(shape.value, depth + 1)
                    for number in range(self.rng.randrange(3))
                }
            case kind:
                return self.number(kind)

    def number(self, kind: str) -> Any:
        if kind not in NUMBERS or (self.oddity and self.rng.random() < 0.3):
            return self.scalar(kind)
        return self.rng.choice(NUMBERS[kind]) if self.oddity else NUMBERS[kind][1]

    def structure(self, shape: Any, depth: int) -> dict[str, Any]:
        written = {}
        names = self.chosen(shape, depth)
        for name in names[:1] if shape.is_tagged_union and not self.odd() else names:
            member = shape.members[name]
            key = member.serialization.get("name", name)
            written[self.rng.choice(self.keys(key)) if self.odd() else key] = self.value(member, depth + 1)
        if shape.is_tagged_union and not written and not self.oddity:
            name, member = next(iter(shape.members.items()))
            written[member.serialization.get("name", name)] = self.value(member, 0)
        return written

    @staticmethod
    def keys(key: str) -> tuple[str, ...]:
        return ("new", f"{{x}}{key}", key.swapcase(), "__type", "", key)
