"""Compiled parsers read what botocore's read, from any bytes: the same value, or the same error."""

import inspect
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element, tostring
from xml.sax.saxutils import escape
from zlib import crc32

import pytest
from botocore import parsers as botocore_parsers
from botocore.awsrequest import HeadersDict
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.utils import ensure_boolean, is_json_value_header, parse_timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.core.utils import get_service_model

from local.beyond import Refused, write
from orgscan import catalog, parsers
from orgscan.moments import moment
from orgscan.parsers import COMPILED, Parsers
from orgscan.session import here
from tests.served import Answer, Asked, _refused, record
from tests.wires import INVENTED, INVENTED_KINDS, NUMBERS, ODD_JSON, ODD_XML, SCALARS, WRONG, body, changed

OWN: Any = botocore_parsers
CALLS = sorted(catalog.calls())
LOADER = Loader()
HEADERS = {
    "X-Amzn-RequestId": "r-1",
    "X-Amz-Id-2": "h-1",
    "Content-Type": "text/plain",
    "X-Amz-Transition-Default-Minimum-Object-Size": "all_storage_classes_128K",
}
ADDRESS = re.compile(" at 0x[0-9a-f]+")
SEED = st.integers(0, 2**32)


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (the same answers every time)


def operation(call: str) -> Any:
    service, _, name = call.partition(":")
    return get_service_model(service).operation_model(name)


def protocol(call: str) -> str:
    return str(operation(call).service_model.resolved_protocol)


def answer(body: bytes, status: int = 200, headers: Any = HEADERS) -> dict[str, Any]:
    return {
        "status_code": status,
        "headers": HeadersDict(headers),
        "body": body,
        "context": {"operation_name": "Any", "checksum": {"response_algorithm": "crc32"}},
    }


def outcome(parser: Any, told: dict[str, Any], shape: Any) -> Any:
    """A value, or which error with which words."""
    try:
        return exact(parser.parse(told, shape))
    except Exception as error:  # noqa: BLE001 (whatever botocore raises is what the caller gets)
        return type(error), ADDRESS.sub("", str(error))


def exact(value: Any) -> Any:
    """Equal for what nobody can tell apart: types, zones, and what is not equal to itself."""
    match value:
        case dict():
            return type(value), {key: exact(each) for key, each in value.items()}
        case list():
            return type(value), [exact(each) for each in value]
        case datetime():
            return value.replace(tzinfo=None), type(value.tzinfo), value.utcoffset(), value.fold
        case Element():
            return tostring(value)  # botocore hands it out where a text is repeated
        case _:
            return type(value), repr(value)


def same(call: str, told: dict[str, Any]) -> Any:
    shape, speaks = operation(call).output_shape, protocol(call)
    ours, own = (outcome(each, told, shape) for each in (ours_of(speaks), create_parser(speaks)))
    assert ours == own, (call, told["body"])
    return ours


def ours_of(speaks: str) -> Any:
    return Parsers().create_parser(speaks)


def written(asked: Asked, given: Answer) -> dict[str, Any]:
    wire = write(asked.call, _refused(given) if given.status >= 300 else given.parsed)
    return answer(wire.body, wire.status, HEADERS | dict(wire.headers))


@cache
def recorded() -> list[tuple[str, dict[str, Any]]]:
    """Each answer of the recorded account: call and response."""
    return [(asked.call, written(asked, given)) for asked, given in record().answers.items()]


def test_every_declared_call_has_a_compiled_parser() -> None:
    assert {type(ours_of(protocol(call))) for call in CALLS} == set(COMPILED.values())
    assert type(ours_of("smithy-rpc-v2-cbor")) is OWN.PROTOCOL_PARSERS["smithy-rpc-v2-cbor"]


def test_recorded_answers_are_read_as_botocore_reads_them() -> None:
    assert {call for call, told in recorded() if told["status_code"] < 300} == set(CALLS)
    for call, told in recorded():
        same(call, told)


def test_broken_bytes_are_what_botocore_makes_of_them() -> None:
    broken = 0
    for call, told in recorded():
        few = told["body"][:20_000]  # cut off there, if it is longer: enough is well-formed besides
        for bytes_ in changed(dice(crc32(few)), few):
            broken += same(call, {**told, "body": bytes_})[0] is not dict
    assert broken


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=15)
@given(seed=SEED)
def test_whatever_a_shape_may_be_written_as_is_read_alike(call: str, seed: int) -> None:
    rng = dice(seed)
    same(call, answer(body(rng, operation(call), oddity=rng.choice((0.01, 0.05, 0.2)))))


@pytest.mark.parametrize("call", CALLS)
def test_what_is_as_its_shape_says_is_not_read_twice(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [answer(body(dice(seed), operation(call), oddity=0)) for seed in range(5)]
    once = [same(call, each) for each in told]
    assert any(len(members) > 1 for _, members in once)  # beside the metadata
    ours = COMPILED[OWN.PROTOCOL_PARSERS[protocol(call)]]
    monkeypatch.setattr(ours.compiler, "_own", None)  # parts that are botocore's are compiled by now
    assert [outcome(ours_of(protocol(call)), each, operation(call).output_shape) for each in told] == once


NONE = (b"", b" ", b"null", b"[]", b"7", b'"x"', b"{}", b"<a/>", b"<html></html>", b"{", b"<", b"\xff")


@pytest.mark.parametrize("call", CALLS)
def test_bodies_that_are_none_and_refusals_are_botocores(call: str) -> None:
    for status in (200, 204, 300, 301, 404, 500, 503):
        for bytes_ in NONE:
            same(call, answer(bytes_, status))
    wire = write(call, Refused("AccessDenied", "no", 403))
    same(call, answer(wire.body, wire.status))
    same(call, answer(wire.body, wire.status, {}))


@pytest.mark.parametrize("speaks", ["json", "rest-json", "query", "rest-xml", "ec2"])
def test_modeled_errors_are_botocores(speaks: str) -> None:
    services = {call.partition(":")[0] for call in CALLS if protocol(call) == speaks}
    for service in sorted(services - {"dynamodb"}):  # whose items come as they are
        for shape in get_service_model(service).error_shapes:
            about = SimpleNamespace(output_shape=shape, service_model=get_service_model(service))
            for seed in range(2):
                told = answer(body(dice(seed), about, oddity=0.1), 400)
                root = b"<ErrorResponse><Error>" + told["body"].partition(b">")[2]
                within = {**told, "body": root.replace(b"</Answer>", b"</Error></ErrorResponse>")}
                for each in (told, within):
                    assert outcome(ours_of(speaks), each, shape) == outcome(
                        create_parser(speaks), each, shape
                    )


@pytest.mark.parametrize(("service", "name"), [("logs", "StartLiveTail"), ("s3", "GetObject")])
def test_streams_are_handed_out_as_they_come(service: str, name: str) -> None:
    model = get_service_model(service)
    shape = model.operation_model(name).output_shape
    ours, own = (
        outcome(each(model.resolved_protocol), answer(b"\x00\x01"), shape)
        for each in (ours_of, create_parser)
    )
    assert ours == own


@pytest.mark.parametrize("speaks", ["query", "ec2", "rest-xml", "json", "rest-json"])
def test_each_oddity_is_read_alike(speaks: str) -> None:
    """Once each, where answers drawn from shapes have some of them by chance."""
    shape = INVENTED.shape_for("Answer")
    bodies = [json.dumps(each).encode() for each in ODD_JSON]
    for kind in INVENTED_KINDS:
        bodies += [
            json.dumps({kind: each}).encode() for each in (*SCALARS[kind], *NUMBERS.get(kind, ()), *WRONG)
        ]
    if not speaks.endswith("json"):
        texts = [f"<{kind}>{escape(each)}</{kind}>" for kind in INVENTED_KINDS for each in SCALARS[kind]]
        bodies = [f'<A xmlns:o="urn:o">{each}</A>'.encode() for each in (*ODD_XML, *texts)]
    for told in map(answer, bodies):
        assert outcome(ours_of(speaks), told, shape) == outcome(create_parser(speaks), told, shape), told[
            "body"
        ]
    if not speaks.endswith("json"):
        own, twice = OWN.create_parser(speaks), [Element("a"), Element("b")]
        assert ours_of(speaks)._parse_shape(shape, twice) == own._parse_shape(shape, twice)
        twice[1].append(Element("Text"))
        assert ours_of(speaks)._parse_shape(shape, twice[::-1]) == {"Text": ""}


def test_of_a_union_one_member_is_present() -> None:
    both: dict[str, Any] = {"unusedAccess": {}, "internalAccess": {}}
    unions: list[dict[str, Any]] = [{}, {"unusedAccess": {}}, both, {"new": 1}, {"__type": 1}]
    for union in unions:
        told = answer(json.dumps({"analyzers": [{"configuration": union}]}).encode())
        read = same("accessanalyzer:ListAnalyzers", told)
        assert (read[0] is dict) is (len({*union} - {"__type"}) == 1)


def test_a_document_is_handed_out_as_it_comes() -> None:
    """What is in one, no model says."""
    shape = get_service_model("ecs").shape_for("HookDetails")
    read = parsers._PlainJson.compiler.reader(shape)
    assert read
    documents: list[Any] = [{"any": [1, None]}, [], "text", 7]
    assert [read(each) for each in documents] == documents


def test_who_reads_dates_in_a_way_of_ones_own_gets_the_parsers_that_do() -> None:
    factory = parsers.Parsers()
    assert isinstance(factory.create_parser("json"), parsers._Compiled)
    factory.set_parser_defaults(timestamp_parser=str)
    assert type(factory.create_parser("json")) is type(create_parser("json"))


# Moments

CLOCKS = [
    "UTC",
    "Etc/UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "UTC5",
    "UTC0FOO",
    "FOO3UTC",
]
FORMS = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S.123Z", "%Y-%m-%dT%H:%M:%S.5Z"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def set_to(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield set_to
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", CLOCKS)
def test_a_moment_is_the_same_on_every_machine(zone: str, clock: Callable[[str], None]) -> None:
    clock(zone)
    rng = dice(7)
    for _ in range(60):
        drawn = datetime(rng.randrange(1000, 3000), rng.randrange(1, 13), rng.randrange(1, 29), 1, 30)  # noqa: DTZ001
        drawn = drawn.replace(
            hour=rng.randrange(24), second=rng.randrange(60), microsecond=rng.randrange(10**6)
        )
        for said in (
            *(drawn.strftime(form) for form in FORMS),
            rng.uniform(-1e9, 4e9),
            rng.randrange(2**33),
        ):
            assert exact(moment(said)) == exact(OWN.parse_timestamp(said)), said


# Compiled once, for all clients and threads


def model(service: str) -> Any:
    return ServiceModel(LOADER.load_service_model(service, "service-2"), service)


def test_a_shape_is_compiled_once_for_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    whole = parsers._Xml.structure

    def structure(self: Any, shape: Any) -> Any:
        compiled.append(shape.name)
        return whole(self, shape)

    monkeypatch.setattr(parsers._Xml, "structure", structure)
    told = answer(body(dice(1), operation("ec2:DescribeVolumes"), oddity=0))
    for _ in range(3):
        ours_of("ec2").parse(told, model("ec2").operation_model("DescribeVolumes").output_shape)
    assert compiled.count("DescribeVolumesResult") == 1
    assert len(compiled) == len({*compiled})


def test_what_no_model_knows_is_not_remembered() -> None:
    members = parsers._Members(
        {"known": ("Known", get_service_model("ec2").shape_for("String"))}, parsers._Ec2.compiler
    )
    assert members["{urn:any}unknown"] == parsers.UNKNOWN
    assert members["{urn:any}known"] == ("Known", None, False)
    assert [*members] == ["{urn:any}known"]


def test_threads_may_compile_the_same_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    call = "ec2:DescribeInstances"
    monkeypatch.setattr(parsers._Ec2, "compiler", parsers._Xml(create_parser("ec2")))
    bodies = [answer(body(dice(seed), operation(call), oddity=0.02)) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda told: same(call, told), bodies * 4))
    assert found == [same(call, told) for told in bodies] * 4


# DynamoDB's items


def test_items_come_as_they_are_written() -> None:
    shape = model("dynamodb").operation_model("Query").output_shape
    items = [
        {"pk": {"S": "a"}, "n": {"N": "7"}, "l": {"L": [{"M": {"b": {"NULL": True}}}]}, "odd": {"new": 1}}
    ]
    told = answer(
        json.dumps({"Items": items, "Count": 1, "LastEvaluatedKey": {"pk": {"S": "a"}}, "x": 2}).encode()
    )
    parsed = ours_of("json").parse(told, shape)
    own: Any = create_parser("json").parse(told, shape)
    assert parsed["Items"] == items
    assert own["Items"][0].pop("odd") == {}
    assert parsed["Items"][0].pop("odd") == {"new": 1}
    assert parsed == own


# The seam

SEAM = {
    "BaseJSONParser": 3932763624,
    "BaseRestParser": 3489463190,
    "BaseXMLResponseParser": 3937497130,
    "EC2QueryParser": 2176066712,
    "JSONParser": 3188177071,
    "QueryParser": 2249283179,
    "ResponseParser": 2901448086,
    "RestJSONParser": 824244429,
    "RestXMLParser": 1791087598,
    "_text_content": 3799181835,
    "ensure_boolean": 1224679228,
    "is_json_value_header": 2726319923,
    "parse_timestamp": 279787729,
}
"""What of botocore's is done anew, and a checksum of how botocore does it."""


def test_botocore_reads_as_it_did_when_this_was_written() -> None:
    """If an upgrade fails here: read what is new in it, do it alike, and note the checksum."""
    classes = {type_ for own in COMPILED for type_ in own.__mro__[:-1]}
    done = {*classes, OWN._text_content, ensure_boolean, is_json_value_header, parse_timestamp}
    assert {each.__name__: crc32(inspect.getsource(each).encode()) for each in done} == SEAM


def test_the_seam_has_the_names_that_are_used() -> None:
    assert [*inspect.signature(OWN.ResponseParser._parse_shape).parameters] == ["self", "shape", "node"]
    assert isinstance(model("ec2").shape_for("Volume")._shape_model["members"], dict)
    assert {*COMPILED} < {*OWN.PROTOCOL_PARSERS.values()}
    for own, ours in COMPILED.items():
        assert [*inspect.signature(own).parameters] == [*inspect.signature(ours).parameters]
        assert vars(parsers._Compiled)["_parse_shape"] is getattr(ours, "_parse_shape")  # noqa: B009


def test_where_botocore_lacks_a_name_it_reads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    call = "ec2:DescribeVolumes"
    shape = operation(call).output_shape
    told = answer(body(dice(1), operation(call), oddity=0))
    assert shape.members
    monkeypatch.delattr(shape, "_shape_model")
    assert outcome(ours_of("ec2"), told, shape) == outcome(create_parser("ec2"), told, shape)


def test_our_clients_read_with_them() -> None:
    factory = here().get("sqs")._endpoint._response_parser_factory
    assert isinstance(factory, Parsers)
