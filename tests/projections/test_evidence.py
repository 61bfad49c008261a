import pytest

from events import EVERYONE, Event
from events.alerts import AlertRaised, Severity
from events.rollouts import (
    RolloutCompleted,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from events.timestamps import HOUR, SECOND
from projections.evidence import EVIDENCE, Evidence
from tests.projections.recording import START, Told, at, execution, told


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


completed = RolloutCompleted(rollout="checkout-r1", flag="checkout")
rolled_back = RolloutRolledBack(rollout="checkout-r1", flag="checkout", trigger="person", reason="")
soak = SoakStarted(rollout="checkout-r1", flag="checkout")


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
