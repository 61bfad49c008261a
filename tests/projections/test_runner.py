from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from events.timestamps import SECOND
from projections.flags import FLAGS
from projections.metrics import METRICS, TOTALS
from projections.projection import Projection
from projections.rebuild import prune, rebuild
from projections.rows import Build, Rows
from projections.runner import Lag, Runner, StateCache
from tests.projections.recording import START, execution
from tests.projections.stores import InterruptedLog, MakeRows, append, log_of

KEY = "checkout/on"


@pytest.fixture
def rows(make_rows: MakeRows) -> Rows:
    return make_rows()


def executions(number: int) -> Sequence[Any]:
    return [execution() for _ in range(number)]


def opened(log: Any, rows: Rows, *projections: Projection[Any], batch: int = 1000) -> Runner:
    runner = Runner(log, rows, projections or (TOTALS,), batch=batch)
    runner.open()
    return runner


def counted(rows: Rows, projection: Projection[Any] = TOTALS) -> int:
    return rows.get_as_of(projection, KEY)[0].executions


def version_2(projection: Projection[Any]) -> Projection[Any]:
    return replace(projection, version=2)


# Opening


def test_every_projection_gets_one_active_build(rows: Rows) -> None:
    for _ in range(2):
        opened(log_of(), rows, FLAGS, TOTALS)
    assert rows.builds() == [
        Build("flags", 1, 1, 0, active=True),
        Build("totals", 1, 1, 0, active=True),
    ]


def test_before_anything_was_folded_a_row_is_in_its_initial_state(rows: Rows) -> None:
    assert rows.get_as_of(FLAGS, "checkout") == (FLAGS.initial("checkout"), 0)
    opened(log_of(executions(1)), rows, FLAGS)
    assert rows.get_as_of(FLAGS, "checkout") == (FLAGS.initial("checkout"), 0)
    assert rows.get(FLAGS, "checkout") is None
    assert rows.scan(FLAGS) == []


# Catching up


def test_it_stops_at_the_end_of_the_batch_that_holds_the_wanted_position(rows: Rows) -> None:
    runner = opened(log_of(executions(10)), rows, batch=4)
    assert runner.catch_up(5) == 8
    assert counted(rows) == 8
    assert runner.catch_up() == 10


def test_a_position_beyond_the_log_is_not_waited_for(rows: Rows) -> None:
    assert opened(log_of(executions(2)), rows).catch_up(100) == 2


def test_events_that_no_read_model_listens_to_move_it_on(rows: Rows) -> None:
    assert opened(log_of(executions(3)), rows, FLAGS).catch_up() == 3


def test_two_runners_on_one_store_count_each_event_once(rows: Rows) -> None:
    log = log_of(executions(9))
    runners = [opened(log, rows, batch=batch) for batch in (2, 3)]
    for upto in range(10):
        runners[upto % 2].catch_up(upto)
        assert counted(rows) == rows.get_as_of(TOTALS, KEY)[1]


def test_a_runner_that_others_overtook_between_reading_and_folding_counts_nothing_twice(
    rows: Rows,
) -> None:
    log = log_of(executions(9))
    fast = opened(log, rows, batch=4)
    slow = opened(InterruptedLog(log, lambda: fast.catch_up(4)), rows, batch=3)
    slow.catch_up()
    assert counted(rows) == 9


def test_read_models_that_are_not_equally_far_catch_up_with_each_other(rows: Rows) -> None:
    log = log_of(executions(5))
    runner = opened(log, rows, TOTALS, METRICS, batch=3)
    rebuild(log, rows, TOTALS)
    append(log, executions(3))
    assert runner.catch_up(7) == 8  # its batch of 3 starts behind what was rebuilt, at 5
    assert counted(rows) == 8
    assert sum(tally.executions for _, tally in rows.scan(METRICS)) == 8


# Builds


def test_a_new_version_is_built_beside_the_old_one(rows: Rows) -> None:
    log = log_of(executions(4))
    old, new = opened(log, rows), opened(log, rows, version_2(TOTALS), batch=2)
    old.catch_up()
    new.catch_up(2)
    assert rows.get_as_of(TOTALS, KEY)[1] == 4
    assert rows.get_as_of(version_2(TOTALS), KEY)[1] == 2
    append(log, executions(1))
    old.catch_up()
    new.catch_up()
    assert counted(rows) == counted(rows, version_2(TOTALS)) == 5


def test_a_rebuild_leaves_builds_of_other_versions_to_other_releases(rows: Rows) -> None:
    log = log_of(executions(4))
    opened(log, rows).catch_up()
    opened(log, rows, version_2(TOTALS)).catch_up()
    rebuild(log, rows, version_2(TOTALS))
    assert counted(rows) == counted(rows, version_2(TOTALS)) == 4


def test_pruning_drops_what_this_release_does_not_read(rows: Rows) -> None:
    log = log_of(executions(4))
    opened(log, rows, TOTALS, FLAGS).catch_up()
    new = opened(log, rows, version_2(TOTALS))
    new.catch_up()
    gone = prune(rows, [version_2(TOTALS), FLAGS])
    assert gone == [Build("totals", 1, 1, 4, active=True)]
    assert [(b.projection, b.version) for b in rows.builds()] == [("flags", 1), ("totals", 2)]
    assert counted(rows, version_2(TOTALS)) == 4
    assert rows.scan(TOTALS) == []
    assert prune(rows, [version_2(TOTALS), FLAGS]) == []


@pytest.mark.timeout(20)
def test_a_runner_whose_build_another_release_dropped_builds_it_again(rows: Rows) -> None:
    log = log_of(executions(4))
    runner = opened(log, rows, TOTALS, METRICS, batch=3)
    runner.catch_up()
    prune(rows, [METRICS])
    append(log, executions(1))
    assert runner.catch_up() == 5
    assert counted(rows) == 5


@pytest.mark.timeout(20)
def test_a_build_that_is_dropped_during_a_step_loses_no_event(rows: Rows) -> None:
    log = log_of(executions(7))
    reads = count(1)

    def dropped_and_opened_anew() -> None:
        if next(reads) == 2:
            prune(rows, [])
            opened(log, rows)

    assert opened(InterruptedLog(log, dropped_and_opened_anew), rows, batch=2).catch_up() == 7
    assert counted(rows) == 7


# The cache


def test_a_state_is_cached_for_exactly_the_position_it_was_saved_at() -> None:
    cache, build = StateCache(), Build("totals", 1, 1, 5, active=True)
    cache.keep(build, {"key": "state"})
    assert cache.take(replace(build, build=2)) == {}
    assert cache.take(replace(build, position=6)) == {}
    assert cache.take(build) == {}, "a look from elsewhere forgets it"
    cache.keep(build, {"key": "state"})
    assert cache.take(build) == {"key": "state"}
    assert cache.take(build) == {}, "whoever takes it may change it"


def test_more_states_than_the_cache_has_room_for_are_not_kept() -> None:
    cache, build = StateCache(), Build("totals", 1, 1, 5, active=True)
    cache.keep(build, dict.fromkeys(map(str, range(20_001)), ""))
    assert cache.take(build) == {}


# Lag


def test_a_read_model_that_has_caught_up_has_no_lag(rows: Rows) -> None:
    runner = opened(log_of(executions(3)), rows)
    runner.catch_up()
    assert runner.lag(START + 100 * SECOND) == [Lag("totals", 1, 3, 0, 0.0)]


def test_lag_is_the_events_it_lacks_and_the_age_of_the_oldest(rows: Rows) -> None:
    # The log learns an event a second; the first at START.
    runner = opened(log_of(executions(6)), rows, batch=2)
    assert runner.lag(START + 100 * SECOND) == [Lag("totals", 1, 0, 6, 100.0)]
    runner.catch_up(2)
    assert runner.lag(START + 100 * SECOND) == [Lag("totals", 1, 2, 4, 98.0)]


def test_a_clock_that_went_back_makes_no_negative_lag(rows: Rows) -> None:
    assert opened(log_of(executions(1)), rows).lag(START - SECOND)[0].seconds == 0


def test_lag_is_told_per_read_model(rows: Rows) -> None:
    log = log_of(executions(3))
    runner = opened(log, rows, TOTALS, FLAGS)
    rebuild(log, rows, FLAGS)
    assert [(lag.projection, lag.events) for lag in runner.lag(START)] == [
        ("totals", 3),
        ("flags", 0),
    ]
