"""Read models and snapshots are held to the log: whoever changes them by hand is found out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.log import ReadOnly
from events.memory_log import MemoryLog
from projections.flags import FLAGS
from projections.metrics import TOTALS
from projections.rebuild import rebuild
from projections.replay import History
from projections.rows import MemoryRows, Rows, active_build
from projections.runner import Runner
from projections.snapshots import MemorySnapshots, Snapshots, Version, pack
from projections.sql_rows import SqlRows
from projections.sql_snapshots import SqlSnapshots
from projections.verifying import Comparison, Difference, compare
from tests.projections.flag_events import created, disabled, enabled, exposed
from tests.projections.histories import histories
from tests.projections.recording import Told
from tests.projections.stores import ALL, MakeRows, append, log_of

STORY: list[Told] = [created, enabled, exposed(10), disabled, exposed(25, before=10), enabled]
EVERY = 2
FLAG = "checkout"

MakeSnapshots = Callable[[], Snapshots]


def kept(log: MemoryLog, rows: Rows, snapshots: Snapshots) -> None:
    """All read models, and snapshots at every second event."""
    runner = Runner(log, rows, ALL)
    runner.open()
    runner.catch_up()
    History(ReadOnly(log), snapshots, ALL, EVERY).take_snapshots()


def found(log: MemoryLog, rows: Rows, snapshots: Snapshots) -> list[tuple[Any, ...]]:
    differences = compare(log, rows, snapshots, ALL).differences
    return [(one.projection, one.kept, one.key, one.position, one.found) for one in differences]


def tamper_sql(store: SqlRows | SqlSnapshots, sql: str, *parameters: object) -> None:
    with store._database.write() as cursor:
        cursor.execute(store._database.sql(sql), (*parameters, store._environment))


def remove_row(rows: Rows, key: str) -> None:
    if isinstance(rows, MemoryRows):
        del rows._states["flags", 1][key]
    else:
        assert isinstance(rows, SqlRows)
        sql = "DELETE FROM projection_rows WHERE projection = 'flags' AND key = ?"
        tamper_sql(rows, f"{sql} AND environment = ?", key)


def change_snapshot(snapshots: Snapshots, mark: int, packed: bytes) -> None:
    if isinstance(snapshots, MemorySnapshots):
        positions, states = snapshots._rows["flags", FLAGS.version][FLAG]
        states[positions.index(mark)] = packed
    else:
        assert isinstance(snapshots, SqlSnapshots)
        sql = (
            "UPDATE projection_snapshots SET state = ? "
            "WHERE projection = 'flags' AND key = ? AND position = ? AND environment = ?"
        )
        tamper_sql(snapshots, sql, packed, FLAG, mark)


def put(snapshots: Snapshots, mark: int, rows: Mapping[Version, Mapping[str, str]]) -> None:
    snapshots.save(snapshots.mark(FLAGS, mark), mark, rows)


def forget_mark(snapshots: Snapshots, mark: int) -> None:
    if isinstance(snapshots, MemorySnapshots):
        snapshots._marks["flags", FLAGS.version].remove(mark)
    else:
        assert isinstance(snapshots, SqlSnapshots)
        sql = (
            "DELETE FROM projection_snapshots "
            "WHERE projection = 'flags' AND key = '' AND position = ? AND environment = ?"
        )
        tamper_sql(snapshots, sql, mark)


@settings(max_examples=30)
@given(history=histories, later=st.integers(0, 3))
def test_what_was_folded_is_what_the_log_comes_to(history: list[Told], later: int) -> None:
    log, rows, snapshots = log_of(history), MemoryRows(), MemorySnapshots()
    kept(log, rows, snapshots)
    append(log, history[:later])  # What is behind is compared as of where it is.
    result = compare(log, rows, snapshots, ALL)
    assert result.identical
    assert sum(one.marks for one in result.models) == len(ALL) * (len(history) // EVERY)


@pytest.fixture
def log() -> MemoryLog:
    return log_of(STORY)


def test_all_stores_are_compared(
    log: MemoryLog, make_rows: MakeRows, make_snapshots: MakeSnapshots
) -> None:
    rows, snapshots = make_rows(), make_snapshots()
    kept(log, rows, snapshots)
    told: list[tuple[int, int]] = []
    result = compare(log, rows, snapshots, ALL, lambda done, of: told.append((done, of)))
    assert result == Comparison(result.models, [])
    flags = next(one for one in result.models if one.projection == "flags")
    assert (flags.position, flags.rows, flags.marks) == (len(STORY), 1, len(STORY) // EVERY)
    assert told[-1] == (len(STORY), len(STORY))
    rebuild(log, rows, FLAGS)
    assert found(log, rows, snapshots) == []


def test_a_row_that_is_altered_added_or_gone_is_named(log: MemoryLog, make_rows: MakeRows) -> None:
    rows, snapshots = make_rows(), MemorySnapshots()
    kept(log, rows, snapshots)
    build = active_build(FLAGS, rows.builds())
    assert build is not None
    with rows.write() as transaction:
        stored = transaction.load(build, [FLAG])[FLAG]
        forged = stored.replace('"enabled":true', '"enabled":false')
        assert forged != stored
        transaction.save(build, {FLAG: forged, "forged": stored})
    assert found(log, rows, snapshots) == [
        ("flags", "row", FLAG, 6, "altered"),
        ("flags", "row", "forged", 6, "extra"),
    ]
    remove_row(rows, FLAG)
    remove_row(rows, "forged")
    assert found(log, rows, snapshots) == [("flags", "row", FLAG, 6, "missing")]
    rebuild(log, rows, FLAGS)
    assert found(log, rows, snapshots) == []


def test_a_position_that_was_moved_is_found(log: MemoryLog, make_rows: MakeRows) -> None:
    rows, snapshots = make_rows(), MemorySnapshots()
    kept(log, rows, snapshots)
    build = active_build(FLAGS, rows.builds())
    assert build is not None
    for position, differences in (
        (3, [("flags", "row", FLAG, 3, "altered")]),
        (0, [("flags", "row", FLAG, 0, "extra")]),
        (7, [("flags", "row", "", 7, "ahead")]),
    ):
        with rows.write() as transaction:
            transaction.put(replace(build, position=position))
        assert found(log, rows, snapshots) == differences


def test_a_second_build_in_use_is_found(log: MemoryLog, sql_rows: MakeRows) -> None:
    rows, snapshots = sql_rows(), MemorySnapshots()
    kept(log, rows, snapshots)
    build = active_build(FLAGS, rows.builds())
    assert build is not None
    with rows.write() as transaction:
        forged = replace(build, build=7)
        transaction.put(forged)
        transaction.save(forged, {FLAG: "{}"})
    assert found(log, rows, snapshots) == [
        ("flags", "row", "", 6, "twice"),
        ("flags", "row", FLAG, 6, "altered"),
    ]


@pytest.mark.parametrize("mark", [2, 6])
@pytest.mark.parametrize("packed", [pack('{"name":"checkout"}'), b"not packed"])
def test_a_snapshot_that_is_altered_is_named(
    log: MemoryLog, make_snapshots: MakeSnapshots, mark: int, packed: bytes
) -> None:
    rows, snapshots = MemoryRows(), make_snapshots()
    kept(log, rows, snapshots)
    change_snapshot(snapshots, mark, packed)
    assert found(log, rows, snapshots) == [("flags", "snapshot", FLAG, mark, "altered")]
    snapshots.forget(but=[TOTALS])
    assert found(log, rows, snapshots) == []


def test_snapshots_where_there_is_no_mark_or_no_log_are_named(
    log: MemoryLog, make_snapshots: MakeSnapshots
) -> None:
    rows, snapshots = MemoryRows(), make_snapshots()
    kept(log, rows, snapshots)
    forget_mark(snapshots, 4)
    put(snapshots, 8, {("flags", FLAGS.version): {FLAG: "{}"}})
    put(snapshots, -1, {("flags", FLAGS.version): {FLAG: "{}"}})
    assert found(log, rows, snapshots) == [
        ("flags", "snapshot", "", -1, "extra"),
        ("flags", "snapshot", FLAG, -1, "extra"),
        ("flags", "snapshot", "", 8, "ahead"),
        ("flags", "snapshot", FLAG, 8, "ahead"),
        ("flags", "snapshot", FLAG, 4, "extra"),
    ]


def test_a_row_that_a_snapshot_lacks_is_named(
    log: MemoryLog, make_snapshots: MakeSnapshots
) -> None:
    rows, snapshots = MemoryRows(), make_snapshots()
    kept(log, rows, snapshots)
    snapshots.forget(but=[one for one in ALL if one is not FLAGS])
    put(snapshots, 4, {("flags", FLAGS.version): {"forged": "{}"}})
    assert found(log, rows, snapshots) == [
        ("flags", "snapshot", FLAG, 4, "missing"),
        ("flags", "snapshot", "forged", 4, "extra"),
    ]


def test_snapshots_that_are_thrown_away_meanwhile_are_no_difference(log: MemoryLog) -> None:
    rows, snapshots = MemoryRows(), MemorySnapshots()
    kept(log, rows, snapshots)
    result = compare(log, rows, snapshots, ALL, lambda _done, _of: snapshots.forget())
    assert result.identical
    assert {one.marks for one in result.models} == {1}


def test_a_key_that_cannot_be_printed_is_shown(sql_rows: MakeRows, log: MemoryLog) -> None:
    rows = sql_rows()
    kept(log, rows, MemorySnapshots())
    assert isinstance(rows, SqlRows)
    if rows._database.dialect == "sqlite":
        sql = (
            "UPDATE projection_rows SET key = CAST(x'7bff' AS TEXT) "
            "WHERE projection = 'flags' AND environment = ?"
        )
        tamper_sql(rows, sql)
        differences = compare(log, rows, MemorySnapshots(), ALL).differences
        assert Difference("flags", "row", "{\\udcff", 6, "extra") in differences
