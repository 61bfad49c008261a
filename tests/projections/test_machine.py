"""Two runners and rebuilds on one store, appending, stepping and being killed in any order."""

from collections.abc import Callable
from contextlib import suppress
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from projections.projection import Projection
from projections.rebuild import prune, rebuild
from projections.runner import Runner
from tests.projections.histories import happenings
from tests.projections.recording import At
from tests.projections.stores import (
    ALL,
    FragileRows,
    Fuse,
    InterruptedLog,
    Killed,
    MakeRows,
    append,
    contents,
    log_of,
    plain_fold,
    position,
)

runners = st.integers(0, 1)
parts = st.lists(happenings, min_size=1, max_size=4)
actions = st.tuples(happenings, runners, st.booleans())
projections = st.sampled_from(ALL)


class Store(RuleBasedStateMachine):
    """Whatever happens, readers find a plain fold of the log up to a position that only rises."""

    make_rows: MakeRows

    @initialize(history=parts)
    def begin(self, history: list[At]) -> None:
        self.log = log_of(history)
        self.rows = self.make_rows()
        self.fuse = Fuse(10**9)
        self.fragile = FragileRows(self.rows, self.fuse)
        self.reached = dict.fromkeys(ALL, 0)
        self.runners = [Runner(self.log, self.fragile, ALL, batch=batch) for batch in (1, 3)]
        self.runners[0].open()

    @rule(history=parts)
    def append(self, history: list[At]) -> None:
        append(self.log, history)

    @rule(which=runners, share=st.floats(0, 1))
    def step(self, which: int, share: float) -> None:
        upto = round(self.log.head().position * share)
        assert self.runners[which].catch_up(upto) >= upto

    @rule(which=runners, steps=st.integers(0, 60))
    def kill_a_step(self, which: int, steps: int) -> None:
        self.fuse.left = steps
        with suppress(Killed):
            self.runners[which].catch_up()
        self.fuse.left = 10**9

    @rule(which=runners, batch=st.integers(1, 5))
    def restart(self, which: int, batch: int) -> None:
        self.runners[which] = Runner(self.log, self.fragile, ALL, batch=batch)
        self.runners[which].open()

    @rule(projection=projections, meanwhile=st.lists(actions, max_size=6))
    def rebuild_while_others_work(
        self, projection: Projection, meanwhile: list[tuple[At, int, bool]]
    ) -> None:
        def others_work() -> None:
            self.readers_find_a_plain_fold()
            if meanwhile:
                happening, which, steps = meanwhile.pop()
                append(self.log, [happening])
                if steps:
                    self.runners[which].catch_up()

        with patch("projections.rebuild._BATCH", 2):
            build = rebuild(InterruptedLog(self.log, others_work), self.rows, projection)
        assert build in self.rows.builds()

    @rule(projection=projections, steps=st.integers(0, 25))
    def kill_a_rebuild(self, projection: Projection, steps: int) -> None:
        with patch("projections.rebuild._BATCH", 2), suppress(Killed):
            rebuild(self.log, FragileRows(self.rows, Fuse(steps)), projection)

    @rule()
    def drop_what_nobody_reads(self) -> None:
        prune(self.rows, list(ALL))
        assert len(self.rows.builds()) == len(ALL)

    @invariant()
    def readers_find_a_plain_fold(self) -> None:
        events = self.log.read()
        for projection in ALL:
            reached = position(self.rows, projection)
            assert reached >= self.reached[projection], "reads went backwards"
            self.reached[projection] = reached
            assert contents(self.rows, projection) == plain_fold(projection, events[:reached])


@pytest.mark.parametrize(
    ("kind", "examples"),
    [("memory", 40), ("sqlite", 12), pytest.param("postgresql", 4, marks=pytest.mark.postgres)],
)
def test_readers_always_find_a_plain_fold_of_the_log(
    make_rows_of: Callable[[str], MakeRows], kind: str, examples: int
) -> None:
    run_state_machine_as_test(
        type("StoreOfAKind", (Store,), {"make_rows": staticmethod(make_rows_of(kind))}),
        settings=settings(max_examples=examples, stateful_step_count=20),
    )
