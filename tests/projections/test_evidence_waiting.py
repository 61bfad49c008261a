"""How long a wave has waited for evidence, by the clock on the wall: not while it is held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.interventions import HoldKind
from events.timestamps import DAY, HOUR
from projections.evidence import EVIDENCE
from tests.projections.recording import START, at, told
from tests.projections.rollout_events import (
    entered,
    held,
    released,
    started,
)
from tests.projections.wave_stories import wave_after


@pytest.mark.parametrize("kind", ["paused", "rejected", "withdrawn", "frozen"])
def test_who_is_held_by_people_or_a_freeze_waits_for_no_evidence(kind: HoldKind) -> None:
    wave = wave_after(at(HOUR, held(kind)))
    assert wave.waited_us(START + 3 * HOUR) == HOUR
    wave = wave_after(at(HOUR, held(kind)), at(2 * HOUR, released(kind)))
    assert wave.waited_us(START + 3 * HOUR) == 2 * HOUR


@pytest.mark.parametrize("kind", ["exposure", "split", "criterion"])
def test_what_is_wrong_with_a_wave_is_no_excuse_for_waiting(kind: HoldKind) -> None:
    wave = wave_after(at(HOUR, held(kind)), at(2 * HOUR, released(kind)))
    assert wave.waited_us(START + 3 * HOUR) == 3 * HOUR


WAITS = ["paused", "rejected", "withdrawn", "frozen"]
spells = st.lists(
    st.tuples(st.sampled_from(WAITS), st.integers(0, DAY), st.integers(0, DAY)),
    max_size=4,
    unique_by=lambda spell: spell[0],
)


@given(spells, st.integers(0, DAY))
def test_what_is_held_in_many_ways_at_once_is_held_once(
    spells: list[tuple[HoldKind, int, int]], last: int
) -> None:
    told_of = [at(begin, held(kind)) for kind, begin, _ in spells]
    told_of += [at(begin + length, released(kind)) for kind, begin, length in spells]
    now = max([0, *(begin + length for _, begin, length in spells)]) + last
    free, until = 0, 0
    for begin, end in sorted((begin, begin + length) for _, begin, length in spells):
        free, until = free + max(0, begin - until), max(until, end)
    wave = wave_after(*sorted(told_of, key=lambda one: one.time))
    assert wave.waited_us(START + now) == free + now - until


def test_a_stored_wave_goes_on_as_the_one_in_memory() -> None:
    kinds: list[HoldKind] = ["withdrawn", "paused", "frozen"]
    history = [at(number, held(kind)) for number, kind in enumerate(kinds)]
    *before, last = told(started(), entered(), *history, at(HOUR, released("withdrawn")))
    live = EVIDENCE.fold("checkout", before)
    stored = EVIDENCE.decode(EVIDENCE.encode(live))
    assert EVIDENCE.evolve(stored, last) == EVIDENCE.evolve(live, last)
