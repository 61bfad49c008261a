import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import Event
from events.timestamps import HOUR, MINUTE, SECOND
from projections.evidence import EVIDENCE, Evidence
from projections.waves import WaveEvidence
from tests.projections.flag_events import BETA
from tests.projections.recording import START, At, Told, at, execution, told
from tests.projections.rollout_events import (
    SETTLE,
    SILENCE,
    alert,
    answered,
    completed,
    entered,
    rollback,
    soak,
    started,
)


def evidence_after(*history: Told) -> Evidence:
    return EVIDENCE.fold("checkout", told(*history))


def wave_after(*history: Told, window_us: int = HOUR) -> WaveEvidence:
    """The only wave, for beta, an hour after START."""
    begun = at(HOUR, entered(audience=BETA, window_us=window_us))
    (wave,) = evidence_after(started(), begun, *history).waves
    return wave


def test_the_new_code_is_counted_since_the_wave_began() -> None:
    wave = wave_after(
        at(HOUR, execution(ms=501)),
        at(HOUR + 2, execution(failed=True, ms=7)),
        at(HOUR + 1, execution()),
    )
    assert (wave.executions, wave.failed, wave.own.rungs.over(500_000)) == (3, 1, 1)
    assert wave.own.durations.count == 3
    assert (wave.entered_at, wave.last_at) == (START + HOUR, START + HOUR + 2)


# Arms


def counts(wave: WaveEvidence) -> tuple[int, int, int]:
    return wave.own.executions, wave.others.executions, wave.control.executions


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"audience": "beta"}, (1, 0, 0)),
        ({"audience": ""}, (1, 0, 0)),
        ({"audience": "internal"}, (0, 1, 0)),
        ({"audience": "everyone"}, (0, 1, 0)),
        ({"audience": "beta", "cohort": "off"}, (0, 0, 1)),
        ({"audience": "", "cohort": "off"}, (0, 0, 1)),
        ({"audience": "internal", "cohort": "off"}, (0, 0, 0)),
        ({"audience": "beta", "outcome": "rejected"}, (0, 0, 0)),
        ({"audience": "beta", "cohort": "off", "outcome": "rejected"}, (0, 0, 0)),
    ],
)
def test_an_execution_counts_in_the_arm_of_its_path_and_audience(
    facts: dict[str, str], expected: tuple[int, int, int]
) -> None:
    assert counts(wave_after(at(HOUR, execution(**facts)))) == expected


@pytest.mark.parametrize("name", ["", "internal", "everyone"])
def test_a_wave_for_everyone_is_everyones(name: str) -> None:
    ran = [execution(audience=name), execution(audience=name, cohort="off")]
    (wave,) = evidence_after(started(), entered(), *ran).waves
    assert counts(wave) == (1, 0, 1)


def test_nothing_of_before_the_wave_is_counted() -> None:
    wave = wave_after(at(HOUR - 1, execution(failed=True, violations={"order": 1})))
    assert counts(wave) == (0, 0, 0)
    assert (wave.violations, wave.last_at, wave.split.on) == (0, 0, 0)


def test_violations_count_whoever_has_the_new_code() -> None:
    wave = wave_after(
        at(HOUR, execution(violations={"order": 2, "ids": 1})),
        at(HOUR, execution(violations={"order": 1}, failed=True, audience="internal")),
        at(HOUR, execution(violations={"order": 7}, cohort="off")),
        at(HOUR, execution(violations={"order": 7}, outcome="rejected")),
    )
    assert wave.violations == 4


@pytest.mark.parametrize(
    ("applied", "failed", "outcome", "permille"),
    [
        (10, 0, "succeeded", 0),
        (9, 1, "succeeded", 100),
        (2, 1, "failed", 334),
        (0, 3, "failed", 1000),
        (0, 0, "failed", 1000),
        (0, 0, "succeeded", 0),
    ],
)
def test_the_share_of_failed_patches_is_counted_by_batch_and_rounded_up(
    applied: int, failed: int, outcome: str, permille: int
) -> None:
    ran = execution(outcome=outcome, patches_applied=applied, patches_failed=failed)
    assert wave_after(at(HOUR, ran)).own.shares == {permille: 1}


# Waves


def test_each_wave_gathers_evidence_of_its_own() -> None:
    waves = evidence_after(
        started(),
        entered(1),
        execution(),
        at(SECOND, entered(2)),
        at(0, execution(failed=True)),  # late: it happened in wave 1
        at(SECOND, execution()),
        at(2 * SECOND, soak()),
        at(2 * SECOND, execution()),
    ).waves
    assert [(w.wave, w.executions, w.failed) for w in waves] == [(1, 1, 0), (2, 1, 0), (3, 1, 0)]


def test_a_wave_is_for_its_audience_and_the_soak_for_the_last_ones() -> None:
    waves = evidence_after(started(), entered(audience=BETA), soak(BETA, 25)).waves
    assert [(wave.audience, wave.planned) for wave in waves] == [(BETA, 10), (BETA, 25)]
    assert {(w.max_silence_us, w.settle_us) for w in waves} == {(SILENCE, SETTLE)}


@pytest.mark.parametrize("end", [completed, rollback])
def test_after_the_end_nothing_is_gathered(end: Event) -> None:
    late = (execution(), alert(), answered())
    evidence = evidence_after(started(), entered(), execution(), end, *late)
    assert not evidence.gathering
    (wave,) = evidence.waves
    assert (wave.executions, wave.critical_alerts, wave.answers) == (1, [], {})


def test_before_the_first_wave_nothing_is_gathered() -> None:
    assert evidence_after(execution(), alert(), started(), execution()).waves == []


def test_the_next_rollout_begins_without_evidence() -> None:
    evidence = evidence_after(
        started(),
        entered(),
        execution(),
        rollback,
        started("checkout-r2"),
        entered(1, "checkout-r2"),
    )
    assert evidence.rollout == "checkout-r2"
    assert evidence.rollback is None
    assert [wave.executions for wave in evidence.waves] == [0]


# Windows


def in_windows(wave: WaveEvidence) -> list[tuple[int, int, int]]:
    return [(one.number, one.executions, one.failed) for one in wave.windows]


def test_windows_are_counted_from_the_beginning_of_the_wave_and_empty_ones_left_out() -> None:
    wave = wave_after(
        at(HOUR, execution()),
        at(2 * HOUR - 1, execution(failed=True)),
        at(2 * HOUR, execution()),
        at(9 * HOUR, execution(ms=900)),
    )
    assert in_windows(wave) == [(0, 2, 1), (1, 1, 0), (8, 1, 0)]
    assert wave.windows[-1].rungs.over(500_000) == 1


def test_only_the_new_code_of_the_audience_is_in_a_window() -> None:
    others = [
        execution(audience="internal"),
        execution(cohort="off"),
        execution(outcome="rejected"),
    ]
    assert wave_after(*(at(HOUR, one) for one in others)).windows == []


def test_a_wave_keeps_its_latest_four_hundred_windows() -> None:
    ran = [at(HOUR + number * MINUTE, execution()) for number in range(450)]
    wave = wave_after(*ran, at(HOUR, execution()), window_us=MINUTE)
    assert [one.number for one in wave.windows] == list(range(50, 450))
    assert wave.executions == 451


moments = st.integers(HOUR, 6 * HOUR)
runs = st.builds(
    At,
    moments.map(lambda moment: START + moment),
    st.builds(
        execution,
        failed=st.booleans(),
        ms=st.sampled_from([1, 20, 600]),
        cohort=st.sampled_from(["on", "on", "off"]),
        audience=st.sampled_from(["beta", "beta", "", "internal"]),
        patches_applied=st.integers(0, 2),
        violations=st.sampled_from([{}, {}, {"order": 1}]),
    ),
)


def unordered(wave: WaveEvidence) -> tuple[object, ...]:
    """All that must not depend on the order in which the news came."""
    arms = (wave.own, wave.others, wave.control)
    return (*arms, wave.windows, wave.violations, wave.last_at)


@given(st.lists(runs, max_size=12), st.data())
def test_what_is_counted_does_not_depend_on_the_order_of_news(
    history: list[At], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(history))
    assert unordered(wave_after(*history)) == unordered(wave_after(*other))


@given(st.lists(runs, max_size=12))
def test_each_execution_counts_once(history: list[At]) -> None:
    wave = wave_after(*history)
    on = [one.event for one in history if one.event.cohort == "on"]  # type: ignore[attr-defined]  # why: runs are
    assert wave.own.executions + wave.others.executions == len(on)
    assert sum(one.executions for one in wave.windows) == wave.own.executions
    assert sum(one.failed for one in wave.windows) == wave.own.failed
    assert [one.number for one in wave.windows] == sorted({one.number for one in wave.windows})
    for arm in (wave.own, wave.others, wave.control):
        assert sum(arm.shares.values()) == sum(arm.rungs.counts) == arm.executions
    both = wave.own.merged(wave.others)
    assert (both.executions, both.durations.count) == (len(on), len(on))
    assert both.failed == wave.own.failed + wave.others.failed
