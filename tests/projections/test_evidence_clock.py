"""How long a wave was watched: silence stops its clock, a pause stops it, an alert sets it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from events.interventions import HoldKind
from events.timestamps import DAY, HOUR, MINUTE
from projections.evidence import EVIDENCE
from tests.projections.flag_events import BETA
from tests.projections.recording import START, at, execution, told
from tests.projections.rollout_events import (
    SILENCE,
    alert,
    entered,
    held,
    released,
    resolved,
    soak,
    started,
)
from tests.projections.wave_stories import ran, wave_after, wave_with

# Silence


@pytest.mark.parametrize(
    ("moments", "now", "lasted"),
    [
        ([], 0, 0),
        ([], SILENCE, SILENCE),
        ([], SILENCE + 1, 0),
        ([SILENCE], SILENCE, SILENCE),
        ([SILENCE + 1], SILENCE + 1, 0),
        ([MINUTE], MINUTE + SILENCE, MINUTE + SILENCE),
        ([MINUTE], MINUTE + SILENCE + 1, MINUTE),
        ([MINUTE, HOUR, HOUR + MINUTE], HOUR + 2 * MINUTE, 3 * MINUTE),
        ([MINUTE, 14 * DAY], 14 * DAY, MINUTE),
        ([MINUTE, 0], MINUTE, MINUTE),
        ([MINUTE], 0, MINUTE),
    ],
)
def test_silence_longer_than_planned_stops_the_clock_of_a_wave(
    moments: list[int], now: int, lasted: int
) -> None:
    assert wave_with(*moments).lasted_us(START + now) == lasted


@pytest.mark.parametrize("facts", [{"cohort": "off"}, {"outcome": "rejected"}])
def test_the_old_path_is_silence(facts: dict[str, str]) -> None:
    wave = wave_after(*ran(MINUTE), at(10 * MINUTE, execution(**facts)))
    assert (wave.covered_us, wave.last_at) == (MINUTE, START + MINUTE)
    assert wave.lasted_us(START + 20 * MINUTE) == MINUTE


def test_each_wave_has_the_silence_of_its_plan_and_a_clock_of_its_own() -> None:
    first, last = EVIDENCE.fold(
        "checkout",
        told(
            started(),
            entered(),
            *ran(MINUTE),
            at(MINUTE, soak(max_silence_us=HOUR)),
            *ran(HOUR),
        ),
    ).waves
    assert (first.max_silence_us, first.covered_us) == (SILENCE, MINUTE)
    assert (last.max_silence_us, last.covered_us) == (HOUR, 59 * MINUTE)


def test_a_clock_that_is_ahead_does_not_run_the_wave_ahead() -> None:
    *before, ahead = told(started(), entered(), *ran(MINUTE, MINUTE))
    ahead = replace(ahead, occurred_at=START + 4 * MINUTE)
    (wave,) = EVIDENCE.fold("checkout", [*before, ahead]).waves
    assert (wave.covered_us, wave.last_at) == (MINUTE, START + MINUTE)


gaps = st.lists(st.integers(0, 2 * SILENCE), max_size=20)


@given(gaps, st.integers(0, 2 * SILENCE))
def test_a_wave_lasts_as_long_as_its_gaps_that_are_no_silence(gaps: list[int], last: int) -> None:
    moments = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    lasted = wave_with(*moments).lasted_us(START + sum(gaps) + last)
    assert lasted == sum(gap for gap in [*gaps, last] if gap <= SILENCE)


# Pauses


def test_a_pause_stops_the_clock_and_resumed_it_goes_on_without_loss() -> None:
    history = [*ran(10 * MINUTE), at(12 * MINUTE, held()), *ran(20 * MINUTE)]
    wave = wave_after(*history)
    assert wave.lasted_us(START + 25 * MINUTE) == 12 * MINUTE
    assert wave.executions == 2, "what runs in a pause is evidence"
    wave = wave_after(*history, at(2 * HOUR, released()), *ran(2 * HOUR + 5 * MINUTE))
    assert wave.lasted_us(START + 2 * HOUR + 6 * MINUTE) == 18 * MINUTE


@pytest.mark.parametrize("kind", ["exposure", "split"])
def test_what_is_not_served_as_planned_stops_the_clock_as_a_pause_does(kind: HoldKind) -> None:
    history = [*ran(5 * MINUTE), at(6 * MINUTE, held(kind)), *ran(10 * MINUTE)]
    assert wave_after(*history).lasted_us(START + 12 * MINUTE) == 6 * MINUTE
    again = [at(20 * MINUTE, released(kind)), *ran(21 * MINUTE)]
    assert wave_after(*history, *again).covered_us == 7 * MINUTE


def test_what_is_stopped_twice_runs_on_when_both_are_over() -> None:
    history = [
        *ran(5 * MINUTE),
        *(at(6 * MINUTE, held("exposure")), at(7 * MINUTE, held())),
        *(at(8 * MINUTE, released("exposure")), at(HOUR, released())),
    ]
    assert wave_after(*history[:-1]).lasted_us(START + 30 * MINUTE) == 6 * MINUTE
    assert wave_after(*history, *ran(HOUR + MINUTE)).covered_us == 7 * MINUTE


@pytest.mark.parametrize("kind", ["rejected", "withdrawn", "frozen", "criterion"])
def test_no_other_hold_stops_the_clock(kind: str) -> None:
    wave = wave_after(at(MINUTE, held(kind)), *ran(5 * MINUTE), at(6 * MINUTE, released(kind)))
    assert wave.lasted_us(START + 10 * MINUTE) == 10 * MINUTE


def test_silence_before_a_pause_is_silence() -> None:
    history = [at(HOUR, held()), at(2 * HOUR, released()), *ran(2 * HOUR + MINUTE)]
    wave = wave_after(*history, *ran(2 * HOUR + 2 * MINUTE))
    assert (wave.covered_us, wave.held_us) == (MINUTE, HOUR)


def test_what_happened_before_a_pause_and_is_told_of_later_moves_nothing() -> None:
    history = [*ran(10 * MINUTE), at(12 * MINUTE, held()), *ran(11 * MINUTE)]
    assert wave_after(*history).lasted_us(START + HOUR) == 12 * MINUTE


@given(
    st.lists(st.integers(0, SILENCE), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, DAY)), max_size=3),
)
def test_with_no_silence_a_wave_lasts_all_the_time_but_its_pauses(
    gaps: list[int], pauses: list[tuple[int, int]]
) -> None:
    """A pause comes after an execution, and so does what ends it: what is lost is the pause."""
    now, paused, history = 0, 0, []
    lengths = dict(pauses)
    for number, gap in enumerate(gaps):
        now += gap
        history += ran(now)
        if number in lengths:
            history.append(at(now, held()))
            now += lengths[number]
            paused += lengths[number]
            history += [at(now, released()), *ran(now)]
    assert wave_after(*history).lasted_us(START + now) == now - paused


def test_two_pauses_are_taken_off_both() -> None:
    history = [
        *ran(5 * MINUTE),
        *(at(6 * MINUTE, held()), at(7 * MINUTE, released())),
        *(at(9 * MINUTE, held()), at(HOUR, released())),
        *ran(HOUR + MINUTE),
    ]
    wave = wave_after(*history)
    assert (wave.covered_us, wave.held_us) == (9 * MINUTE, 52 * MINUTE)


def test_what_was_not_paused_is_not_resumed() -> None:
    wave = wave_after(*ran(MINUTE), at(2 * MINUTE, released()), *ran(3 * MINUTE))
    assert (wave.covered_us, wave.held_us) == (3 * MINUTE, 0)


def test_a_wave_whose_audience_is_silent_is_silent() -> None:
    begun = (started(), entered(audience=BETA))
    others = [at(n * 10 * MINUTE, execution(audience="internal")) for n in range(1, 7)]
    (wave,) = EVIDENCE.fold("checkout", told(*begun, *others)).waves
    assert (wave.executions, wave.covered_us) == (0, 0)


# Late news, and all of it together

happenings = st.one_of(
    st.tuples(st.integers(-HOUR, 3 * HOUR), st.just(execution())),
    st.tuples(st.integers(0, 3 * HOUR), st.sampled_from([held(), released(), alert(), resolved()])),
)


@given(st.lists(happenings, max_size=20), st.integers(0, 3 * HOUR))
def test_in_no_order_of_news_a_wave_lasts_longer_than_it_has_been(
    history: list[tuple[int, object]], now: int
) -> None:
    now = max([now, *(moment for moment, _ in history)])
    wave = wave_after(*(at(moment, event) for moment, event in history))  # type: ignore[arg-type]  # why: events
    lasted, stable = wave.lasted_us(START + now), wave.stable_us(START + now)
    assert 0 <= stable <= lasted <= now


# Stability


def test_stability_begins_anew_with_a_warning_or_a_critical_alert() -> None:
    history = [*ran(10 * MINUTE), at(14 * MINUTE, alert("warning")), *ran(20 * MINUTE)]
    wave = wave_after(*history)
    assert wave.stable_us(START + 21 * MINUTE) == 7 * MINUTE
    assert wave.lasted_us(START + 21 * MINUTE) == 21 * MINUTE
    again = wave_after(*history, at(22 * MINUTE, alert("critical", 2)))
    assert again.stable_us(START + 24 * MINUTE) == 2 * MINUTE


def test_information_does_not_interrupt() -> None:
    wave = wave_after(*ran(10 * MINUTE), at(14 * MINUTE, alert("info")))
    assert wave.stable_us(START + 15 * MINUTE) == 15 * MINUTE


def test_an_alert_in_a_pause_interrupts_and_starts_no_clock() -> None:
    history = [*ran(10 * MINUTE), at(10 * MINUTE, held()), at(15 * MINUTE, alert())]
    wave = wave_after(*history, at(20 * MINUTE, released()), *ran(22 * MINUTE))
    assert wave.lasted_us(START + 22 * MINUTE) == 12 * MINUTE
    assert wave.stable_us(START + 22 * MINUTE) == 2 * MINUTE


def test_an_alert_does_not_end_a_silence() -> None:
    silent = wave_with(0, 20 * MINUTE)
    assert silent.covered_us == 0
    for sign in (alert("warning"), resolved()):
        wave = wave_after(alert(), *ran(0), at(10 * MINUTE, sign), *ran(20 * MINUTE))
        assert wave.covered_us == 0


def test_a_short_pause_does_not_end_a_silence() -> None:
    history = [at(10 * MINUTE, held()), at(11 * MINUTE, released())]
    assert wave_after(*ran(0), *history, *ran(24 * MINUTE)).covered_us == 0


def test_while_an_alert_is_open_nothing_is_stable() -> None:
    minutes = range(0, 10 * 60, 10)
    history = sorted(
        [*ran(*(minute * MINUTE for minute in minutes)), at(MINUTE, alert("warning"))],
        key=lambda one: one.time,
    )
    wave = wave_after(*history, at(10 * HOUR - MINUTE, resolved()))
    assert wave.stable_us(START + 10 * HOUR) <= MINUTE
