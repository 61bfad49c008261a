"""Events in a file: each with its hash, as they were, in order, all of them."""

from collections.abc import Callable

import msgspec
import pytest

from events.bundle import BundleLog, Manifest, lines_of, read_bundle
from events.errors import BundleUnreadable, ChainBroken
from events.log import EventLog, Query
from events.memory_log import MemoryLog
from tests.conftest import Clock
from tests.events.builders import NOON, fact

CHOSEN = (1, 2, 5, 6, 9)


@pytest.fixture
def whole(clock: Clock) -> MemoryLog:
    """Ten events on two streams."""
    log = MemoryLog("production", clock)
    for number in range(10):
        clock.advance(1_000_000)
        log.append([fact(number, f"flag-{number % 2}")])
    return log


def file_of(log: EventLog, positions: tuple[int, ...] = CHOSEN) -> list[bytes]:
    lines = list(lines_of(log, [log.read(one - 1, 1)[0] for one in positions]))
    return [manifest(lines), *lines]


def manifest(lines: list[bytes], **other: object) -> bytes:
    from hashlib import sha256  # noqa: PLC0415  why: needed here alone

    told = Manifest(
        environment="production",
        title="INC-1",
        flag="checkout",
        start=4,
        end=9,
        complete_from=4,
        zero=NOON,
        events=len(lines),
        digest=sha256(b"".join(lines)).hexdigest(),
        head_position=10,
        head_hash="ab" * 32,
        exported_at=NOON,
    )
    return msgspec.json.encode(msgspec.structs.replace(told, **other)) + b"\n"


def resealed(lines: list[bytes]) -> list[bytes]:
    """With a manifest that vouches for the lines as they are."""
    return [manifest(lines[1:]), *lines[1:]]


def test_what_was_written_is_read_as_it_was(whole: MemoryLog) -> None:
    told, log = read_bundle(file_of(whole))
    assert (told.title, told.start, told.end) == ("INC-1", 4, 9)
    assert log.read() == [whole.read(one - 1, 1)[0] for one in CHOSEN]
    assert log.head().hash.hex() == whole.read(8, 1)[0].hash


def test_any_log_can_be_written_from(log: EventLog) -> None:
    log.append([fact(number) for number in range(5)])
    _, found = read_bundle(file_of(log, (2, 3, 5)))
    assert [event.position for event in found.read()] == [2, 3, 5]


def test_it_is_read_as_a_log_with_gaps(whole: MemoryLog) -> None:
    _, log = read_bundle(file_of(whole))
    assert [e.position for e in log.read(2, 2)] == [5, 6]
    assert [e.position for e in log.read(3)] == [5, 6, 9]
    assert [e.position for e in log.read_stream("flag-0")] == [1, 5, 9]
    assert [e.position for e in log.read_stream("flag-0", 1)] == [5, 9]
    asked = (
        (Query(stream="flag-1"), [2, 6]),
        (Query(after=2, before=9), [5, 6]),
        (Query(newest_first=True, limit=2), [9, 6]),
        (Query(type="flag.*", after=6), [9]),
        (Query(type="rollout.*"), []),
    )
    for query, positions in asked:
        assert [event.position for event in log.search(query)] == positions
    assert log.count(Query(stream="flag-1"))[0].count == 2
    assert BundleLog("production", []).head().position == 0


def test_nothing_can_be_appended_to_it(whole: MemoryLog) -> None:
    _, log = read_bundle(file_of(whole))
    assert not hasattr(log, "append")


@pytest.mark.parametrize(
    ("change", "position"),
    [
        (lambda line: line.replace(b"flag-0", b"flag-9"), 5),
        (lambda line: line.replace(b"ann", b"bob"), 5),
        (lambda line: line.replace(b'",5,"', b'",4,"'), 4),
    ],
)
def test_a_line_that_was_altered_is_named(
    whole: MemoryLog, change: Callable[[bytes], bytes], position: int
) -> None:
    lines = file_of(whole)
    altered = change(lines[3])
    assert altered != lines[3]
    lines[3] = altered
    with pytest.raises(ChainBroken, match=f"at position {position}: its content does not match"):
        read_bundle(resealed(lines))


def test_one_in_the_place_of_its_neighbour_is_named(whole: MemoryLog) -> None:
    other = MemoryLog("production", lambda: NOON)
    other.append([fact(90 + number, "flag-1") for number in range(10)])
    lines = file_of(whole)
    lines[4] = file_of(other)[4]
    with pytest.raises(ChainBroken, match="position 6: the event before it is another one"):
        read_bundle(resealed(lines))


def test_lines_that_were_moved_or_doubled_are_named(whole: MemoryLog) -> None:
    lines = file_of(whole)
    moved = [lines[0], lines[1], lines[2], lines[4], lines[3], lines[5]]
    with pytest.raises(ChainBroken, match="not in order"):
        read_bundle(resealed(moved))
    with pytest.raises(ChainBroken, match="not in order"):
        read_bundle(resealed([*lines, lines[-1]]))


def test_lines_of_another_environment_are_named(whole: MemoryLog) -> None:
    lines = file_of(whole)
    with pytest.raises(ChainBroken, match="of another log"):
        read_bundle([manifest(lines[1:], environment="staging"), *lines[1:]])


def test_a_file_that_is_not_whole_is_refused(whole: MemoryLog) -> None:
    lines = file_of(whole)
    for part in (lines[:-1], [lines[0], *lines[2:]]):
        with pytest.raises(BundleUnreadable, match="it has 4 events of 5"):
            read_bundle(part)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda line: b"\n" + line, "no event"),
        (lambda line: line[:40], "no event"),
        (lambda line: line[:-1], "no event"),
        (lambda line: line[:-1] + b"\r\n", "another end"),
        (lambda line: line.replace(b",", b", ", 1), "spaces"),
    ],
)
def test_a_line_that_was_written_otherwise_is_named(
    whole: MemoryLog, change: Callable[[bytes], bytes], told: str
) -> None:
    lines = file_of(whole)
    lines[3] = change(lines[3])
    with pytest.raises(BundleUnreadable, match=f"line 4 .*{told}"):
        read_bundle(b"".join(lines).splitlines(keepends=True))


def test_a_last_line_without_its_end_is_named(whole: MemoryLog) -> None:
    lines = file_of(whole)
    with pytest.raises(BundleUnreadable, match="line 6 has another end"):
        read_bundle([*lines[:-1], lines[-1][:-1]])


def test_where_an_event_is_missing_its_stream_tells(whole: MemoryLog) -> None:
    lines = file_of(whole, (1, 5, 6, 7, 8, 9))
    with pytest.raises(
        BundleUnreadable, match="5 events of 6; above line 6 version 4 of stream flag-0 is missing"
    ):
        read_bundle([*lines[:4], *lines[5:]])


def test_a_story_is_of_the_flag_that_it_names(whole: MemoryLog) -> None:
    lines = file_of(whole)
    with pytest.raises(BundleUnreadable, match="is about other, and line 2 about checkout"):
        read_bundle([manifest(lines[1:], flag="other"), *lines[1:]])
    with pytest.raises(BundleUnreadable, match="none of its events is about checkout"):
        read_bundle([manifest([])])


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"{}\n",
        b"no JSON",
        b'{"format": "rollout-controlplane/proof"}',
        manifest([], format="another/thing"),
        manifest([], version=2),
    ],
)
def test_what_is_no_such_file_is_refused(first: bytes) -> None:
    with pytest.raises(BundleUnreadable, match="its first line"):
        read_bundle([first])


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b'["","",[]]\n',
        b'["ab","zz",[1,2]]\n',
        b'["ab","cd",["production","x"]]\n',
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(BundleUnreadable, match="line 2 is no event"):
        read_bundle([manifest([line]), line])
