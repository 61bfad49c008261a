import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from events import EVERYONE, Event
from events.alerts import AlertRaised, AlertResolved, Severity
from events.rollouts import (
    RolloutCompleted,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from events.timestamps import DAY, HOUR, MINUTE, SECOND
from projections.evidence import EVIDENCE, Evidence, WaveEvidence
from tests.projections.recording import START, Told, at, execution, told

SILENCE = 15 * MINUTE


def started(rollout: str = "checkout-r1") -> Event:
    return RolloutStarted(
        rollout=rollout,
        flag="checkout",
        attempt=1,
        plan={},
        plan_hash="",
        waves=2,
        requested_by="alice",
    )


def entered(wave: int = 1, rollout: str = "checkout-r1") -> Event:
    return WaveEntered(
        rollout=rollout,
        flag="checkout",
        wave=wave,
        name=f"wave {wave}",
        audience=EVERYONE,
        percentage=10,
        max_silence_us=SILENCE,
    )


def alert(severity: Severity = "critical", number: int = 1) -> Event:
    return AlertRaised(
        alert=f"checkout/RULE/{number}",
        rule="RULE",
        flag="checkout",
        severity=severity,
        value=1,
        threshold=0,
        unit="ratio",
        sample=1,
        summary="",
    )


def over(number: int = 1) -> Event:
    return AlertResolved(
        alert=f"checkout/RULE/{number}",
        rule="RULE",
        flag="checkout",
        severity="critical",
        reason="fixed",
    )


completed = RolloutCompleted(rollout="checkout-r1", flag="checkout")
rolled_back = RolloutRolledBack(rollout="checkout-r1", flag="checkout", trigger="person", reason="")
soak = SoakStarted(rollout="checkout-r1", flag="checkout", max_silence_us=HOUR)


def evidence_after(*history: Told) -> Evidence:
    return EVIDENCE.fold("checkout", told(*history))


def test_the_new_code_is_counted_since_the_wave_began() -> None:
    (wave,) = evidence_after(
        started(),
        at(HOUR, entered()),
        at(HOUR, execution(ms=501)),
        at(HOUR + 2, execution(failed=True, ms=7)),
        at(HOUR + 1, execution()),
    ).waves
    assert (wave.executions, wave.failed, wave.rungs.over(500_000)) == (3, 1, 1)
    assert wave.durations.count == 3
    assert (wave.entered_at, wave.last_at) == (START + HOUR, START + HOUR + 2)


@pytest.mark.parametrize(
    "irrelevant",
    [
        at(HOUR, execution(cohort="off")),
        at(HOUR, execution(outcome="rejected")),
        at(HOUR - 1, execution(failed=True)),
    ],
    ids=["control", "rejected", "before the wave"],
)
def test_nothing_else_speaks_for_the_new_code(irrelevant: Told) -> None:
    (wave,) = evidence_after(started(), at(HOUR, entered()), irrelevant).waves
    assert (wave.executions, wave.last_at) == (0, 0)


def test_each_wave_gathers_evidence_of_its_own() -> None:
    waves = evidence_after(
        started(),
        entered(1),
        execution(),
        at(SECOND, entered(2)),
        at(0, execution(failed=True)),  # late: it happened in wave 1
        at(SECOND, execution()),
        at(2 * SECOND, soak),
        at(2 * SECOND, execution()),
    ).waves
    assert [(w.wave, w.executions, w.failed) for w in waves] == [(1, 1, 0), (2, 1, 0), (3, 1, 0)]


@pytest.mark.parametrize("end", [completed, rolled_back])
def test_after_the_end_nothing_is_gathered(end: Event) -> None:
    evidence = evidence_after(started(), entered(), execution(), end, execution(), alert())
    assert not evidence.gathering
    assert evidence.waves[0].executions == 1
    assert evidence.waves[0].critical_alerts == []


def test_before_the_first_wave_nothing_is_gathered() -> None:
    assert evidence_after(execution(), alert(), started(), execution()).waves == []


def test_the_next_rollout_begins_without_evidence() -> None:
    evidence = evidence_after(
        started(),
        entered(),
        execution(),
        rolled_back,
        started("checkout-r2"),
        entered(1, "checkout-r2"),
    )
    assert evidence.rollout == "checkout-r2"
    assert [wave.executions for wave in evidence.waves] == [0]


def test_critical_alerts_are_kept_and_lesser_ones_are_not() -> None:
    evidence = evidence_after(
        started(), entered(), alert("warning"), alert("info"), alert(number=2), alert(number=3)
    )
    assert evidence.waves[0].critical_alerts == ["checkout/RULE/2", "checkout/RULE/3"]


def test_a_wave_begins_with_the_critical_alerts_that_are_open() -> None:
    waves = evidence_after(
        *(alert(number=1), alert(number=2), over(1), alert("warning", 3)),
        *(started(), entered(1), alert(number=4)),
        *(entered(2), over(2), soak),
    ).waves
    assert [wave.critical_alerts for wave in waves] == [
        ["checkout/RULE/2", "checkout/RULE/4"],
        ["checkout/RULE/2", "checkout/RULE/4"],
        ["checkout/RULE/4"],
    ]


def test_the_alerts_a_wave_begins_with_have_one_order_whatever_was_stored_between() -> None:
    """A stored state has its keys sorted; a state in memory has them as they came."""
    *before, last = told(alert(number=2), alert(number=1), started(), entered())
    live = EVIDENCE.fold("checkout", before)
    stored = EVIDENCE.decode(EVIDENCE.encode(live))
    waves = [EVIDENCE.evolve(state, last).waves for state in (stored, live)]
    assert waves[0] == waves[1]


def test_what_was_raised_in_a_wave_stays_in_it_though_it_be_resolved() -> None:
    evidence = evidence_after(started(), entered(), alert(), over())
    assert evidence.waves[0].critical_alerts == ["checkout/RULE/1"]
    assert evidence.open_alerts == {}


def test_open_alerts_are_known_between_rollouts_too() -> None:
    lesser = (alert("warning", 2), alert("info", 3))
    evidence = evidence_after(started(), entered(), rolled_back, alert(), *lesser, over(7))
    assert evidence.open_alerts == {"checkout/RULE/1": "critical", "checkout/RULE/2": "warning"}
    assert EVIDENCE.fold("checkout", told(started("checkout-r2")), evidence).open_alerts


def test_violations_of_the_new_code_are_counted() -> None:
    (wave,) = evidence_after(
        started(),
        entered(),
        execution(violations={"order": 2, "ids": 1}),
        execution(violations={"order": 1}, failed=True),
        execution(violations={"order": 7}, cohort="off"),
        execution(violations={"order": 7}, outcome="rejected"),
    ).waves
    assert wave.violations == 4


# The clock of a wave


def wave_with(*moments: int) -> WaveEvidence:
    """A wave from START on, with an execution at each of these moments."""
    ran = (at(moment, execution()) for moment in moments)
    (wave,) = evidence_after(started(), entered(), *ran).waves
    return wave


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


def test_each_wave_has_the_silence_of_its_plan_and_a_clock_of_its_own() -> None:
    first, last = evidence_after(
        started(), entered(), at(MINUTE, execution()), at(MINUTE, soak), at(HOUR, execution())
    ).waves
    assert (first.max_silence_us, first.covered_us) == (SILENCE, MINUTE)
    assert (last.max_silence_us, last.covered_us) == (HOUR, 59 * MINUTE)


def test_a_clock_that_is_ahead_does_not_run_the_wave_ahead() -> None:
    *before, ahead = told(started(), entered(), at(MINUTE, execution()))
    ahead = replace(ahead, occurred_at=START + 4 * MINUTE)
    (wave,) = EVIDENCE.fold("checkout", [*before, ahead]).waves
    assert (wave.covered_us, wave.last_at) == (MINUTE, START + MINUTE)


gaps = st.lists(st.integers(0, 2 * SILENCE), max_size=20)


@given(gaps, st.integers(0, 2 * SILENCE))
def test_a_wave_lasts_as_long_as_its_gaps_that_are_no_silence(gaps: list[int], last: int) -> None:
    moments = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    lasted = wave_with(*moments).lasted_us(START + sum(gaps) + last)
    assert lasted == sum(gap for gap in [*gaps, last] if gap <= SILENCE)


@given(st.lists(st.integers(-HOUR, 3 * HOUR), max_size=20), st.integers(0, 3 * HOUR))
def test_in_no_order_of_news_a_wave_lasts_longer_than_it_has_been(
    moments: list[int], now: int
) -> None:
    now = max([now, *moments])
    assert 0 <= wave_with(*moments).lasted_us(START + now) <= now
