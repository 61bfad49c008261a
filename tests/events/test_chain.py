"""No past can change unseen: whatever is altered, the first wrong position is named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.chain import HASH, RECORDED_AT, Head, Row, verify
from events.errors import ChainBroken
from events.memory_log import MemoryLog
from events.tables import event_log
from tests.events.builders import fact, uuid

LENGTH = 7
COLUMNS = [column.name for column in event_log.columns]
PLACES = st.integers(0, LENGTH - 1)


def a_log() -> tuple[list[Row], Head]:
    log = MemoryLog("production", iter(range(100, 200)).__next__)
    for number in range(1, LENGTH + 1):
        more = {"correlation_id": f"r-{number}", "causation_id": uuid(1)} if number % 2 else {}
        log.append([fact(number, f"flag-{number % 3}", **more)])
    return log._rows, log.head()


ROWS, HEAD = a_log()


def broken_at(rows: list[Row], head: Head = HEAD, *witnesses: Head) -> int:
    with pytest.raises(ChainBroken) as caught:
        verify(rows, head, witnesses)
    position = caught.value.details["position"]
    assert isinstance(position, int)
    return position


def flip(value: Any, at: int, mask: int) -> Any:
    """The value with some bits of one of its bytes turned round."""
    if value is None:
        return chr(mask)
    if isinstance(value, int):
        return value ^ (mask << 8 * (at % 7))
    raw = bytearray(value if isinstance(value, bytes) else value.encode())
    raw[at % len(raw)] ^= mask
    return bytes(raw) if isinstance(value, bytes) else raw.decode(errors="surrogateescape")


def test_an_untouched_log_verifies() -> None:
    assert verify(ROWS, HEAD) == HEAD


@given(PLACES, st.integers(0, len(COLUMNS) - 1), st.integers(0, 999), st.integers(1, 255))
def test_any_flipped_byte_of_any_column_is_found(row: int, column: int, at: int, mask: int) -> None:
    fields = list(ROWS[row])
    fields[column] = flip(fields[column], at, mask)
    altered: Any = tuple(fields)
    assert broken_at([*ROWS[:row], altered, *ROWS[row + 1 :]]) == row + 1


@given(PLACES, st.integers(0, len(COLUMNS) - 1), st.none() | st.just("") | st.just(b""))
def test_any_emptied_column_is_found(row: int, column: int, nothing: object) -> None:
    fields = list(ROWS[row])
    if fields[column] != nothing:
        fields[column] = nothing
        altered: Any = tuple(fields)
        assert broken_at([*ROWS[:row], altered, *ROWS[row + 1 :]]) == row + 1


@given(PLACES, st.integers(1, LENGTH))
def test_events_taken_out_are_missed_where_they_were(row: int, many: int) -> None:
    assert broken_at(ROWS[:row] + ROWS[row + many :]) == row + 1


@given(st.sets(PLACES, min_size=2, max_size=2))
def test_events_that_changed_places_are_found(pair: set[int]) -> None:
    first, second = sorted(pair)
    rows = list(ROWS)
    rows[first], rows[second] = rows[second], rows[first]
    assert broken_at(rows) == first + 1


@given(st.sets(PLACES, min_size=2, max_size=2))
def test_events_that_exchanged_their_positions_are_found(pair: set[int]) -> None:
    first, second = sorted(pair)
    rows: list[Any] = list(ROWS)
    rows[first] = (ROWS[second][0], first + 1, *ROWS[second][2:])
    rows[second] = (ROWS[first][0], second + 1, *ROWS[first][2:])
    assert broken_at(rows) == first + 1


@given(PLACES, PLACES)
def test_an_event_put_in_between_is_found(at: int, copied: int) -> None:
    rows = [*ROWS[:at], ROWS[copied], *ROWS[at:]]
    first_wrong = at + 2 if at == copied else at + 1
    assert broken_at(rows) == first_wrong


@given(st.integers(0, LENGTH - 1))
def test_a_tail_cut_off_is_missed(length: int) -> None:
    assert broken_at(ROWS[:length]) == length + 1


def test_a_head_with_another_hash_is_found() -> None:
    assert broken_at(ROWS, Head(LENGTH, bytes(32))) == LENGTH


def test_a_log_rewritten_as_a_whole_is_found_by_a_head_noted_earlier() -> None:
    other = MemoryLog("production", lambda: 100)
    for number in range(1, LENGTH + 1):
        other.append([fact(number)])
    noted = Head(4, ROWS[3][-1])
    assert verify(ROWS, HEAD, [noted]) == HEAD
    assert broken_at(other._rows, other.head(), noted) == 4


def test_a_log_shorter_than_a_head_noted_earlier_is_found() -> None:
    shorter = Head(5, ROWS[4][HASH], ROWS[4][RECORDED_AT])
    assert broken_at(ROWS[:5], shorter, HEAD) == 6


def test_the_message_says_where_and_why() -> None:
    with pytest.raises(ChainBroken, match=r"altered at position 3: event 3 is missing\.$"):
        verify([*ROWS[:2], *ROWS[3:]], HEAD)
    with pytest.raises(ChainBroken, match=r"position 3: events 3 to 4 are missing\.$"):
        verify([*ROWS[:2], *ROWS[4:]], HEAD)
    with pytest.raises(ChainBroken, match=r"position 3: event 2 is here in its place\.$"):
        verify([*ROWS[:2], ROWS[1], *ROWS[3:]], HEAD)
