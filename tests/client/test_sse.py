"""The event stream format, however the bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.client import sse
from controlplane.client.sse import Message, Parser

STREAM = (
    "\ufeff: welcome\n\n"
    'id: 7\nevent: snapshot\ndata: {"a":\ndata:1}\n\n'
    ": heartbeat\r\n\r\n"
    "event: flag\rid:8\rdata: zwölf 🎲\r\r"
    "retry: 3\nunknown: field\nevent: nothing\n\n"
    "data\n\n"
    "id\ndata: no id\n\n"
    "id: 9\0\ndata: its id stays\n\n"
    "data: unfinished"
).encode()  # fmt: skip
EVENTS = [
    Message("snapshot", b'{"a":\n1}', "7"),
    Message("flag", "zwölf 🎲".encode(), "8"),
    Message("message", b"", "8"),
    Message("message", b"no id", ""),
    Message("message", b"its id stays", ""),
]


def parsed(*chunks: bytes) -> list[Message]:
    parser = Parser()
    return [message for chunk in chunks for message in parser.feed(chunk)]


def test_a_stream_is_read_as_the_standard_says() -> None:
    assert parsed(STREAM) == EVENTS


def test_byte_by_byte_it_is_the_same() -> None:
    assert parsed(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_cut_anywhere_it_is_the_same(cuts: list[int]) -> None:
    places = sorted({0, *cuts, len(STREAM)})
    assert parsed(*(STREAM[a:b] for a, b in pairwise(places))) == EVENTS


@given(st.lists(st.binary()))
def test_any_bytes_are_read_without_a_complaint(chunks: list[bytes]) -> None:
    parsed(*chunks)


def test_an_event_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST_EVENT", 1000)
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        parsed(*[b"data: " + b"x" * 94] * 11)
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        parsed(*[b"data: " + b"x" * 93 + b"\n"] * 11)
    assert len(parsed(*[b"data: " + b"x" * 92 + b"\n\n"] * 11)) == 11
