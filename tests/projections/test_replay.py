"""The law of the past: as of any position, seeking == stepping == a plain fold == read models."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from events.executions import BatchExecuted
from events.log import ReadOnly
from projections.evidence import EVIDENCE
from projections.flags import FLAGS
from projections.metrics import METRICS, TOTALS
from projections.projection import Projection
from projections.replay import History, PastWorld, position_at
from projections.rows import MemoryRows
from projections.runner import Runner
from projections.snapshots import MemorySnapshots, Photographer, Snapshots
from tests.projections.flag_events import created, enabled
from tests.projections.histories import histories
from tests.projections.recording import START, At, execution
from tests.projections.stores import ALL, Contents, append, contents, log_of, plain_fold

MakeSnapshots = Callable[[], Snapshots]
strides = st.integers(1, 9)
NEVER = 10**9
"""Events from one mark to the next, where there is to be none."""


def found(world: PastWorld, projection: Projection[Any]) -> Contents:
    """What the past holds, row by row and all at once."""
    rows = dict(world.scan(projection))
    assert list(rows) == sorted(rows)
    encoded = {key: projection.encode(state) for key, state in rows.items()}
    assert encoded == {key: projection.encode(world.get(projection, key)) for key in rows}
    return encoded


def test_random_histories_reach_every_read_model() -> None:
    left = {projection.name: projection for projection in ALL}

    def reached(history: list[At]) -> bool:
        events = log_of(history).read()
        for name in [one for one, projection in left.items() if plain_fold(projection, events)]:
            del left[name]
        return not left

    find(histories, reached, settings=settings(max_examples=3000, phases=[Phase.generate]))


@settings(max_examples=40)
@given(history=histories, every=strides, data=st.data())
def test_as_of_any_position_is_a_plain_fold_up_to_it(
    make_snapshots: MakeSnapshots, history: list[At], every: int, data: st.DataObject
) -> None:
    log = log_of(history)
    past = History(ReadOnly(log), make_snapshots(), ALL, every)
    places = st.integers(0, len(history))
    for position in data.draw(st.lists(places, min_size=1, max_size=4)):  # Back and forth.
        for projection in data.draw(st.permutations(ALL)):
            plain = plain_fold(projection, log.read(0, position))
            assert found(past.at(position), projection) == plain, projection.name


@settings(max_examples=30)
@given(history=histories, every=strides)
def test_stepping_is_seeking_and_is_what_the_read_models_said_then(
    history: list[At], every: int
) -> None:
    log, rows = log_of(history), MemoryRows()
    runner = Runner(log, rows, ALL, batch=1)
    runner.open()
    stepping = History(log, MemorySnapshots(), ALL, every)
    for position in range(1, len(history) + 1):
        runner.catch_up(position)
        seeking = History(log, stepping.snapshots, ALL, every).at(position)
        for projection in ALL:
            said = contents(rows, projection)
            assert found(stepping.at(position), projection) == said
            assert found(seeking, projection) == said


@settings(max_examples=30)
@given(history=histories, every=strides)
def test_with_snapshots_and_without_it_is_the_same(history: list[At], every: int) -> None:
    log = log_of(history)
    some = History(log, MemorySnapshots(), ALL, every)
    none = History(log, MemorySnapshots(), ALL, NEVER)
    some.take_snapshots()
    for position in range(len(history) + 1):
        for projection in ALL:
            assert found(some.at(position), projection) == found(none.at(position), projection)


@settings(max_examples=30)
@given(history=histories)
def test_a_row_of_one_stream_is_folded_from_all_of_its_events(history: list[At]) -> None:
    for event in log_of(history).read():
        for projection in ALL:
            if projection.stream is not None and type(event.event) in projection.events:
                assert projection.stream(projection.key(event)) == event.stream


@settings(max_examples=30)
@given(history=histories, every=strides, data=st.data())
def test_what_comes_late_is_folded_in_behind_all_that_was_known(
    history: list[At], every: int, data: st.DataObject
) -> None:
    log = log_of(history)
    position = data.draw(st.integers(0, len(history)))
    beyond = [e for e in log.read(position) if isinstance(e.event, BatchExecuted)]
    late = data.draw(st.permutations(beyond))
    past = History(log, MemorySnapshots(), ALL, every).at(position, late)
    for projection in ALL:
        assert found(past, projection) == plain_fold(projection, [*log.read(0, position), *late])


def test_a_part_of_the_rows_is_asked_for_by_key(make_snapshots: MakeSnapshots) -> None:
    log = log_of([execution(flag) for flag in ("a", "b", "c", "d") for _ in range(3)])
    past = History(log, make_snapshots(), ALL, every=5).at(11)
    assert [key for key, _ in past.scan(TOTALS, "b")] == ["b/on", "c/on", "d/on"]
    assert [key for key, _ in past.scan(TOTALS, "b", "d")] == ["b/on", "c/on"]
    assert past.get(TOTALS, "d/on").executions == 2
    for nothing in ("", "\x00", "z/on"):
        assert past.get(TOTALS, nothing) == TOTALS.initial(nothing)


def test_a_flag_is_told_from_its_own_stream_alone() -> None:
    log = log_of([created, *[execution()] * 20, enabled])
    with patch.object(log, "read", side_effect=AssertionError("the whole log was read")):
        past = History(log, MemorySnapshots(), ALL, every=5)
        assert past.at(21).get(FLAGS, "checkout").enabled is False
        assert past.at(22).get(FLAGS, "checkout").enabled is True


def test_what_another_version_kept_is_not_read_and_another_is_built_beside(
    make_snapshots: MakeSnapshots,
) -> None:
    log, snapshots = log_of([execution()] * 10), make_snapshots()
    assert History(log, snapshots, ALL, every=4).take_snapshots() == 8
    older: Projection[Any] = replace(TOTALS, version=TOTALS.version + 1)
    assert snapshots.mark(older, 10) == 0
    mixed = [older if one is TOTALS else one for one in ALL]
    past = History(log, snapshots, mixed, every=3)
    assert past.at(10).get(older, "checkout/on").executions == 10
    assert snapshots.mark(TOTALS, 10) == 8, "that of the other release stays"
    assert snapshots.mark(older, 10) > 0
    for position in range(11):
        assert past.at(position).get(older, "checkout/on").executions == position


def test_snapshots_that_are_thrown_away_are_taken_anew(make_snapshots: MakeSnapshots) -> None:
    log, snapshots = log_of([execution()] * 10), make_snapshots()
    past = History(log, snapshots, ALL, every=4)
    past.take_snapshots()
    snapshots.forget([METRICS])
    assert (snapshots.mark(METRICS, 10), snapshots.mark(TOTALS, 10)) == (8, 0)
    assert past.at(9).get(TOTALS, "checkout/on").executions == 9
    snapshots.forget()
    assert snapshots.mark(METRICS, 10) == 0
    assert past.at(9).get(METRICS, next(iter(plain_fold(METRICS, log.read())))).executions == 9


def test_between_marks_only_rows_that_changed_are_kept(make_snapshots: MakeSnapshots) -> None:
    log = log_of([*[execution("a")] * 4, *[execution("b")] * 4])
    snapshots = make_snapshots()
    saved: list[set[str]] = []
    save = snapshots.save

    def noted(after: int, mark: int, changed: Any) -> None:
        saved.append(set(changed["totals", TOTALS.version]))
        save(after, mark, changed)

    with patch.object(snapshots, "save", noted):
        Photographer(log, snapshots, ALL, every=2).go_on(8)
    assert saved == [{"a/on"}, {"a/on"}, {"b/on"}, {"b/on"}]
    of_a = [snapshots.load(TOTALS, ["a/on"], mark)["a/on"].executions for mark in (2, 4, 6, 8)]
    assert of_a == [2, 4, 4, 4]


def test_many_who_take_snapshots_at_once_take_the_same(make_snapshots: MakeSnapshots) -> None:
    log = log_of([execution(flag, ms=ms) for ms in range(30) for flag in ("a", "b")])
    snapshots = make_snapshots()
    others = [Photographer(log, snapshots, ALL, every) for every in (3, 3, 5, 7)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: one.go_on(60), others))
    past = History(log, snapshots, ALL, every=3)
    for position in range(0, 61, 7):
        for projection in (TOTALS, EVIDENCE):
            plain = plain_fold(projection, log.read(0, position))
            assert found(past.at(position), projection) == plain


def test_a_log_that_grows_is_seen_to_its_end() -> None:
    log = log_of([execution()])
    past = History(log, MemorySnapshots(), ALL, every=3)
    for position in range(2, 10):
        append(log, [execution()])
        assert past.at(position).get(TOTALS, "checkout/on").executions == position
        assert past.at(1).get(TOTALS, "checkout/on").executions == 1


def test_what_is_handed_out_may_be_changed_by_whoever_asked() -> None:
    past = History(log_of([execution()] * 5), MemorySnapshots(), ALL, every=2).at(5)
    past.get(TOTALS, "checkout/on").failed = 99
    assert past.get(TOTALS, "checkout/on").failed == 0


def test_a_moment_is_the_last_position_that_was_recorded_by_then() -> None:
    log = log_of([execution()] * 5)  # An event a second.
    places = [position_at(log, START + half * 500_000) for half in range(-1, 10)]
    assert places == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert position_at(log_of(), START) == 0


def test_nothing_can_be_appended_through_what_a_replay_is_given() -> None:
    reader = ReadOnly(log_of([execution()]))
    assert not {name for name in dir(reader) if not name.startswith("_")} - {
        *("count", "environment", "read", "read_stream", "search", "head")
    }


@pytest.mark.parametrize("every", [1, 2, NEVER])
def test_before_the_first_event_there_is_nothing(every: int) -> None:
    past = History(log_of([created, execution()]), MemorySnapshots(), ALL, every).at(0)
    assert [past.scan(projection) for projection in ALL] == [[]] * len(ALL)
