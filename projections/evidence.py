"""What the criteria of a rollout's waves have seen, in log order."""

import msgspec

from events.alerts import AlertRaised, AlertResolved, Severity
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted
from events.flags import ExposureChanged, FlagEnabled
from events.interventions import HoldReleased, RolloutHeld
from events.judgements import CriterionAnswered
from events.rollouts import (
    RollbackStarted,
    RolloutCompleted,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from events.timestamps import Timestamp
from projections.projection import Projection
from projections.rollbacks import AfterRollback
from projections.waves import Answer, WaveEvidence


class Evidence(msgspec.Struct):
    """The waves of the rollout that a flag is under, or was last under."""

    flag: str
    rollout: str = ""
    gathering: bool = False
    open_alerts: dict[str, Severity] = {}
    """Critical and warning alerts that are open, whoever raised them when."""
    waves: list[WaveEvidence] = []
    rollback: AfterRollback | None = None


_Relevant = (
    BatchExecuted
    | AlertRaised
    | AlertResolved
    | ExposureChanged
    | FlagEnabled
    | RolloutStarted
    | WaveEntered
    | SoakStarted
    | RolloutHeld
    | HoldReleased
    | CriterionAnswered
    | RolloutCompleted
    | RollbackStarted
)


def evolve(evidence: Evidence, recorded: RecordedEvent[_Relevant]) -> Evidence:
    """Return the evidence with one more event in it."""
    at = min(recorded.occurred_at, recorded.recorded_at)  # A clock may be ahead.
    wave = evidence.waves[-1] if evidence.gathering else None
    match recorded.event:
        case BatchExecuted() as execution:
            if wave is not None and at >= wave.entered_at:
                wave.count(execution, at)
            elif evidence.rollback is not None:
                evidence.rollback.note(execution, at, recorded.recorded_at)
        case AlertRaised(severity=severity, alert=alert) if severity != "info":
            evidence.open_alerts[alert] = severity
            if wave is not None:
                wave.interrupt(at)
                if severity == "critical":
                    wave.critical_alerts.append(alert)
        case AlertResolved(alert=alert):
            if evidence.open_alerts.pop(alert, None) and wave is not None:
                wave.interrupt(at)  # Stable is what comes after it was over.
        case ExposureChanged(audience=audience, after=after):
            if wave is not None and audience.name == wave.audience.name:
                wave.expose(after, at)
        case FlagEnabled():
            if evidence.rollback is not None:
                evidence.rollback.superseded = True
        case RolloutStarted(rollout=rollout):
            return Evidence(evidence.flag, rollout, open_alerts=evidence.open_alerts)
        case WaveEntered() | SoakStarted() as entered:
            _enter(evidence, entered, recorded.occurred_at)
        case RolloutHeld(kind=kind) if wave is not None:
            wave.hold(kind, at)
        case HoldReleased(kind=kind) if wave is not None:
            wave.release(kind, at)
        case CriterionAnswered(wave=number, criterion=name, verdict=verdict, detail=detail):
            if wave is not None and wave.wave == number:
                wave.answer(name, Answer(verdict, detail, at))
        case RolloutCompleted():
            evidence.gathering = False
        case RollbackStarted():
            evidence.gathering = False
            evidence.rollback = AfterRollback(recorded.occurred_at)
        case _:
            pass
    return evidence


def _enter(evidence: Evidence, entered: WaveEntered | SoakStarted, at: Timestamp) -> None:
    if evidence.waves:
        evidence.waves[-1].split.seen = b""  # No longer counted in.
    wave = WaveEvidence(
        wave=len(evidence.waves) + 1,
        entered_at=at,
        audience=entered.audience,
        max_silence_us=entered.max_silence_us,
        clock_from=at,
        window_us=entered.window_us,
        settle_us=entered.settle_us,
    )
    wave.expose(entered.percentage, at)
    # Sorted: a dictionary that was stored in between has its keys in another order.
    wave.critical_alerts = sorted(
        alert for alert, severity in evidence.open_alerts.items() if severity == "critical"
    )
    evidence.waves.append(wave)
    evidence.gathering = True


_EVENTS: frozenset[type[Event]] = frozenset(
    (
        BatchExecuted,
        AlertRaised,
        AlertResolved,
        ExposureChanged,
        FlagEnabled,
        RolloutStarted,
        WaveEntered,
        SoakStarted,
        RolloutHeld,
        HoldReleased,
        CriterionAnswered,
        RolloutCompleted,
        RollbackStarted,
    )
)


def key(recorded: RecordedEvent[BatchExecuted | AlertRaised | RolloutStarted | WaveEntered]) -> str:
    """The flag."""
    return recorded.event.flag


EVIDENCE = Projection("evidence", 1, Evidence, _EVENTS, key, Evidence, evolve)
