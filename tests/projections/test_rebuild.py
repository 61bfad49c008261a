from collections.abc import Sequence
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest

from events.memory_log import MemoryLog
from projections.metrics import TOTALS
from projections.rebuild import RebuildSuperseded, prune, rebuild
from projections.rows import Build, Rows
from projections.runner import Runner
from tests.projections.recording import execution
from tests.projections.stores import InterruptedLog, MakeRows, append, log_of

KEY = "checkout/on"


@pytest.fixture
def rows(make_rows: MakeRows) -> Rows:
    return make_rows()


@pytest.fixture(autouse=True)
def small_batches() -> Any:
    with patch("projections.rebuild._BATCH", 2):
        yield


@pytest.fixture
def log() -> MemoryLog:
    return log_of(executions(5))


@pytest.fixture
def runner(log: MemoryLog, rows: Rows) -> Runner:
    runner = Runner(log, rows, [TOTALS])
    runner.open()
    runner.catch_up()
    return runner


def executions(number: int) -> Sequence[Any]:
    return [execution() for _ in range(number)]


def counted(rows: Rows) -> tuple[int, int]:
    tally, position = rows.get_as_of(TOTALS, KEY)
    return tally.executions, position


@pytest.mark.usefixtures("runner")
def test_the_new_build_takes_the_place_of_the_old_one(log: MemoryLog, rows: Rows) -> None:
    assert rebuild(log, rows, TOTALS) == Build("totals", 2, 1, 5, active=True)
    assert rows.builds() == [Build("totals", 2, 1, 5, active=True)]
    assert counted(rows) == (5, 5)


def test_the_first_build_may_be_a_rebuild(log: MemoryLog, rows: Rows) -> None:
    rebuild(log, rows, TOTALS)
    assert counted(rows) == (5, 5)


def test_an_empty_log_is_rebuilt_to_nothing(rows: Rows) -> None:
    assert rebuild(log_of(), rows, TOTALS) == Build("totals", 1, 1, 0, active=True)


@pytest.mark.usefixtures("runner")
def test_what_was_wrong_in_a_row_is_right_after_a_rebuild(log: MemoryLog, rows: Rows) -> None:
    with rows.write() as transaction:
        transaction.save(rows.builds()[0], {KEY: TOTALS.encode(TOTALS.initial(KEY))})
    assert counted(rows) == (0, 5)
    rebuild(log, rows, TOTALS)
    assert counted(rows) == (5, 5)


@pytest.mark.usefixtures("runner")
def test_progress_is_told_batch_by_batch(log: MemoryLog, rows: Rows) -> None:
    told: list[tuple[int, int]] = []
    rebuild(log, rows, TOTALS, lambda done, of: told.append((done, of)))
    assert told == [(2, 5), (4, 5)]


@pytest.mark.usefixtures("runner")
def test_readers_see_the_old_build_until_the_new_one_is_done(log: MemoryLog, rows: Rows) -> None:
    seen: list[tuple[int, int]] = []
    rebuild(log, rows, TOTALS, lambda _done, _of: seen.append(counted(rows)))
    assert seen == [(5, 5), (5, 5)]


def test_the_switch_waits_until_the_new_build_is_as_far_as_the_old_one(
    log: MemoryLog, rows: Rows, runner: Runner
) -> None:
    reads = count(1)

    def the_runner_goes_on() -> None:
        if next(reads) == 3:  # The rebuild has just read to the end.
            append(log, executions(1))
            runner.catch_up()

    rebuild(InterruptedLog(log, the_runner_goes_on), rows, TOTALS)
    assert counted(rows) == (6, 6)


def test_the_runner_goes_on_where_the_new_build_ends(
    log: MemoryLog, rows: Rows, runner: Runner
) -> None:
    rebuild(log, rows, TOTALS)
    append(log, executions(2))
    runner.catch_up()
    assert counted(rows) == (7, 7)


@pytest.mark.usefixtures("runner")
def test_a_rebuild_gives_way_to_a_later_one(log: MemoryLog, rows: Rows) -> None:
    later: list[Build] = []

    def another_one_begins(_done: int, _of: int) -> None:
        if not later:
            later.append(rebuild(log, rows, TOTALS))

    with pytest.raises(RebuildSuperseded, match="rebuild of totals") as refusal:
        rebuild(log, rows, TOTALS, another_one_begins)
    assert refusal.value.status == 409
    assert rows.builds() == later
    assert counted(rows) == (5, 5)


@pytest.mark.usefixtures("runner")
def test_a_rebuild_that_was_killed_leaves_a_build_that_the_next_one_drops(
    log: MemoryLog, rows: Rows
) -> None:
    def killed(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(log, rows, TOTALS, killed)
    assert [(b.position, b.active) for b in rows.builds()] == [(5, True), (2, False)]
    rebuild(log, rows, TOTALS)
    assert [(b.position, b.active) for b in rows.builds()] == [(5, True)]


@pytest.mark.usefixtures("runner")
def test_pruning_drops_what_a_killed_rebuild_left(log: MemoryLog, rows: Rows) -> None:
    with pytest.raises(RebuildSuperseded):
        rebuild(log, rows, TOTALS, lambda _done, _of: prune(rows, [TOTALS]))
    assert [build.build for build in rows.builds()] == [1]
