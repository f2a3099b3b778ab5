"""Wherever the bytes of an answer are split, it is the same answer; no part of one passes for it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError

from orgscan.wire import _Reading
from tests.ends import HELLO, Far, Said, comparable, far_end, near


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    with far_end() as end:
        yield end


class Pieces:
    """A socket of which each reading gets what came at once."""

    def __init__(self, told: bytes, cuts: list[int]) -> None:
        bounds = sorted({0, len(told), *(cut % (len(told) + 1) for cut in cuts)})
        self._left = [told[start:end] for start, end in pairwise(bounds)]

    def recv(self, most: int) -> bytes:
        if not self._left:
            return b""
        piece = self._left.pop(0)
        if piece[most:]:
            self._left.insert(0, piece[most:])
        return piece[:most]


def outcome(told: bytes, cuts: list[int]) -> tuple[Any, bool]:
    """What is answered, or that nothing whole is; and whether the connection can be asked again."""
    reading = _Reading(Pieces(told, cuts))
    try:
        return comparable(reading.answer()), reading.goes_on
    except ProtocolError:
        return ProtocolError, False


def chunks(parts: list[bytes], extension: bytes, trailers: bytes) -> bytes:
    sized = (b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts if part)
    return b"".join(sized) + b"0%b\r\n%b\r\n" % (extension, trailers)


STATUSES = st.sampled_from([200, 206, 400, 403, 404, 429, 500, 503])
HEADERS = st.lists(st.sampled_from(["x-amzn-RequestId: 1", "X-A:", "x-a: b, c", "X-Long: " + "l" * 99]))
PARTS = st.lists(
    st.binary(max_size=20) | st.sampled_from([b"\r\n", b"0\r\n\r\n", b"\r\n\r\n", HELLO]), max_size=5
)
EXTENSIONS, TRAILERS = st.sampled_from([b"", b";a", b" ; a=b"]), st.sampled_from([b"", b"X-T: 1\r\n"])
CUTS = st.lists(st.integers(0, 1000), max_size=30)


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """The bytes, and the body that is in them."""
    head, parts = [f"HTTP/1.1 {draw(STATUSES)} Any", *draw(HEADERS)], draw(PARTS)
    body = b"".join(parts)
    if draw(st.booleans()):
        head.append(f"Content-Length: {len(body)}")
        written = body
    else:
        head.append("Transfer-Encoding: chunked")
        written = chunks(parts, draw(EXTENSIONS), draw(TRAILERS))
    return "\r\n".join([*head, "", ""]).encode() + written, body


@given(answer=answers(), cuts=CUTS)
def test_wherever_bytes_are_split_the_answer_is_the_same(
    answer: tuple[bytes, bytes], cuts: list[int]
) -> None:
    told, body = answer
    found, goes_on = outcome(told, cuts)
    assert (found, goes_on) == outcome(told, [])
    assert goes_on
    assert found[2] == body


@settings(max_examples=50)
@given(answer=answers(), cuts=CUTS)
def test_whatever_is_answered_is_what_botocore_makes_of_it(
    far: Far, answer: tuple[bytes, bytes], cuts: list[int]
) -> None:
    far.says = lambda _: Said(tuple(Pieces(answer[0], cuts)._left))
    with near(far) as here:
        assert comparable(here.ask()) == here.botocores()
        assert far.connections == 1


@given(answer=answers(), end=st.integers(0), cuts=CUTS)
@example((HELLO, b"hello"), len(HELLO) - 1, [])
def test_no_part_of_an_answer_passes_for_it(answer: tuple[bytes, bytes], end: int, cuts: list[int]) -> None:
    part = answer[0][: end % len(answer[0])]
    assert outcome(part, cuts) == (ProtocolError, False)


@given(
    answer=answers(), at=st.integers(0, 999), other=st.binary(max_size=3), cut=st.integers(0, 3), cuts=CUTS
)
def test_damaged_answers_are_read_as_something_or_told(
    answer: tuple[bytes, bytes], at: int, other: bytes, cut: int, cuts: list[int]
) -> None:
    """Never with another error, and never one way or the other by how they were split."""
    at %= len(answer[0])
    told = answer[0][:at] + other + answer[0][at + cut :]
    assert outcome(told, cuts)[0] == outcome(told, [])[0]
