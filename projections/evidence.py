"""What the criteria of a rollout's waves have seen, in log order."""

import msgspec

from events.alerts import AlertRaised
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted
from events.rollouts import (
    RolloutCompleted,
    RolloutEvent,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from events.timestamps import Timestamp
from projections.histogram import Histogram
from projections.metrics import Rungs
from projections.projection import Projection


class WaveEvidence(msgspec.Struct):
    """What happened to the new code since a wave began."""

    wave: int
    entered_at: Timestamp
    executions: int = 0
    failed: int = 0
    rungs: Rungs = msgspec.field(default_factory=Rungs)
    durations: Histogram = msgspec.field(default_factory=Histogram)
    critical_alerts: list[str] = []
    last_at: Timestamp = 0
    """When the latest execution happened; 0 where none has."""


class Evidence(msgspec.Struct):
    """The waves of the rollout that a flag is under, or was last under."""

    flag: str
    rollout: str = ""
    gathering: bool = False
    waves: list[WaveEvidence] = []


_Relevant = RolloutEvent | BatchExecuted | AlertRaised


def evolve(evidence: Evidence, recorded: RecordedEvent[_Relevant]) -> Evidence:
    """Return the evidence with one more event in it."""
    match recorded.event:
        case BatchExecuted() as execution:
            if evidence.gathering:
                _count(evidence.waves[-1], execution, recorded.occurred_at)
        case AlertRaised(severity="critical", alert=alert):
            if evidence.gathering:
                evidence.waves[-1].critical_alerts.append(alert)
        case RolloutStarted(rollout=rollout):
            return Evidence(evidence.flag, rollout)
        case WaveEntered() | SoakStarted():
            wave = len(evidence.waves) + 1
            evidence.waves.append(WaveEvidence(wave, recorded.occurred_at))
            evidence.gathering = True
        case RolloutCompleted() | RolloutRolledBack():
            evidence.gathering = False
        case _:
            pass
    return evidence


def _count(wave: WaveEvidence, execution: BatchExecuted, at: Timestamp) -> None:
    """Only the new code speaks for the new code, and only since the wave began."""
    if execution.cohort == "off" or execution.outcome == "rejected" or at < wave.entered_at:
        return
    wave.executions += 1
    wave.failed += execution.outcome == "failed"
    wave.rungs.add(execution.duration_us)
    wave.durations.add(execution.duration_us)
    wave.last_at = max(wave.last_at, at)


_EVENTS: frozenset[type[Event]] = frozenset(
    (
        BatchExecuted,
        AlertRaised,
        RolloutStarted,
        WaveEntered,
        SoakStarted,
        RolloutCompleted,
        RolloutRolledBack,
    )
)


def key(recorded: RecordedEvent[BatchExecuted | AlertRaised | RolloutStarted | WaveEntered]) -> str:
    """The flag."""
    return recorded.event.flag


EVIDENCE = Projection("evidence", 1, Evidence, _EVENTS, key, Evidence, evolve)
