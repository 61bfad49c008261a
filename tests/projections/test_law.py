"""The law of read models: live == rebuilt == in memory == a plain fold, whatever is killed when."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.catalog import PROJECTIONS
from projections.projection import Projection
from projections.rebuild import rebuild
from projections.rows import MemoryRows, Rows
from projections.runner import Runner, fold_into
from tests.projections.histories import happenings, histories
from tests.projections.recording import At
from tests.projections.stores import (
    ALL,
    FragileRows,
    Fuse,
    Killed,
    MakeRows,
    append,
    contents,
    log_of,
    plain_fold,
    position,
)

batches = st.integers(1, 9)
parts = st.lists(st.lists(happenings, max_size=9), max_size=4)


def assert_equal_to_a_plain_fold(rows: Rows, history: Sequence[At]) -> None:
    """As far as each read model claims to have got, and no farther."""
    events = log_of(history).read()
    for projection in ALL:
        seen = events[: position(rows, projection)]
        assert contents(rows, projection) == plain_fold(projection, seen), projection.name


def live(history: Sequence[At], rows: Rows, batch: int = 1000) -> Rows:
    runner = Runner(log_of(history), rows, ALL, batch=batch)
    runner.open()
    runner.catch_up()
    return rows


@settings(max_examples=30)
@given(parts=parts, batch=batches)
def test_folded_live_step_by_step_is_folded_plainly(
    make_rows: MakeRows, parts: list[list[At]], batch: int
) -> None:
    log, rows = log_of(), make_rows()
    runner = Runner(log, rows, ALL, batch=batch)
    runner.open()
    for part in parts:
        append(log, part)
        assert runner.catch_up() == log.head().position
        for projection in ALL:
            assert contents(rows, projection) == plain_fold(projection, log.read())


@settings(max_examples=30)
@given(history=histories, batch=batches)
def test_rebuilt_is_folded_live(make_rows: MakeRows, history: list[At], batch: int) -> None:
    rows = live(history, make_rows(), batch)
    before = [contents(rows, projection) for projection in ALL]
    with patch("projections.rebuild._BATCH", batch):
        for projection in ALL:
            rebuild(log_of(history), rows, projection)
    assert [contents(rows, projection) for projection in ALL] == before


@settings(max_examples=30)
@given(history=histories)
def test_in_sql_is_in_memory(sql_rows: MakeRows, history: list[At]) -> None:
    in_sql, in_memory = live(history, sql_rows()), live(history, MemoryRows(), batch=2)
    for projection in ALL:
        assert in_sql.scan(projection) == in_memory.scan(projection)
        for key, _ in in_sql.scan(projection):
            assert in_sql.get(projection, key) == in_memory.get(projection, key)
            assert in_sql.get_as_of(projection, key) == in_memory.get_as_of(projection, key)


@settings(max_examples=60)
@given(
    history=st.lists(happenings, min_size=1, max_size=12),
    fuses=st.lists(st.integers(0, 90), min_size=1, max_size=3),
    batch=batches,
    survives=st.booleans(),
)
def test_every_event_counts_once_whatever_is_killed_when(
    make_rows: MakeRows, history: list[At], fuses: list[int], batch: int, *, survives: bool
) -> None:
    log, rows = log_of(history), make_rows()
    fuse = Fuse(0)
    fragile = FragileRows(rows, fuse)
    runner = Runner(log, fragile, ALL, batch=batch)
    with patch("projections.runner.fold_into", partial(fold_into, crash=fuse.burn)):
        for steps in fuses:
            fuse.left = steps
            with suppress(Killed):
                runner.catch_up()
            assert_equal_to_a_plain_fold(rows, history)
            if not survives:
                runner = Runner(log, fragile, ALL, batch=batch)
        fuse.left = 10**9
        assert runner.catch_up() == len(history)
    assert_equal_to_a_plain_fold(rows, history)


@settings(max_examples=40)
@given(
    history=st.lists(happenings, min_size=1, max_size=12),
    projection=st.sampled_from(ALL),
    steps=st.integers(0, 25),
    batch=batches,
)
def test_a_rebuild_killed_anywhere_changes_nothing_and_the_next_one_succeeds(
    make_rows: MakeRows, history: list[At], projection: Projection, steps: int, batch: int
) -> None:
    rows = live(history, make_rows())
    with patch("projections.rebuild._BATCH", batch):
        with suppress(Killed):
            rebuild(log_of(history), FragileRows(rows, Fuse(steps)), projection)
        assert_equal_to_a_plain_fold(rows, history)
        rebuild(log_of(history), rows, projection)
    assert_equal_to_a_plain_fold(rows, history)
    assert len([b for b in rows.builds() if b.projection == projection.name]) == 1


@pytest.mark.parametrize("projection", ALL, ids=PROJECTIONS)
@given(history=histories)
def test_a_state_is_the_same_after_a_round_through_json(
    projection: Projection, history: list[At]
) -> None:
    for text in plain_fold(projection, log_of(history).read()).values():
        assert projection.encode(projection.decode(text)) == text
