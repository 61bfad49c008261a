"""What the criteria of a rollout's waves have seen, in log order."""

import msgspec

from events.alerts import AlertRaised, AlertResolved, Severity
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
    violations: int = 0
    critical_alerts: list[str] = []
    """Those open when it began, and those raised since."""
    max_silence_us: int = 0
    covered_us: int = 0
    """Time with executions, up to the latest one; a gap longer than max_silence_us is none."""
    last_at: Timestamp = 0
    """When the latest execution happened; 0 where none has."""

    def lasted_us(self, now: Timestamp) -> int:
        """How long it has been watched: silence stops the clock."""
        return self.covered_us + self._gap(self.last_at or self.entered_at, now)

    def _gap(self, before: Timestamp, after: Timestamp) -> int:
        gap = max(0, after - before)
        return gap if gap <= self.max_silence_us else 0


class Evidence(msgspec.Struct):
    """The waves of the rollout that a flag is under, or was last under."""

    flag: str
    rollout: str = ""
    gathering: bool = False
    open_alerts: dict[str, Severity] = {}
    """Critical and warning alerts that are open, whoever raised them when."""
    waves: list[WaveEvidence] = []


_Relevant = RolloutEvent | BatchExecuted | AlertRaised | AlertResolved


def evolve(evidence: Evidence, recorded: RecordedEvent[_Relevant]) -> Evidence:
    """Return the evidence with one more event in it."""
    match recorded.event:
        case BatchExecuted() as execution:
            if evidence.gathering:
                at = min(recorded.occurred_at, recorded.recorded_at)  # A clock may be ahead.
                _count(evidence.waves[-1], execution, at)
        case AlertRaised(severity=severity, alert=alert) if severity != "info":
            evidence.open_alerts[alert] = severity
            if evidence.gathering and severity == "critical":
                evidence.waves[-1].critical_alerts.append(alert)
        case AlertResolved(alert=alert):
            evidence.open_alerts.pop(alert, None)
        case RolloutStarted(rollout=rollout):
            return Evidence(evidence.flag, rollout, open_alerts=evidence.open_alerts)
        case WaveEntered(max_silence_us=silence) | SoakStarted(max_silence_us=silence):
            wave = WaveEvidence(len(evidence.waves) + 1, recorded.occurred_at)
            wave.max_silence_us = silence
            # Sorted: a dictionary that was stored in between has its keys in another order.
            wave.critical_alerts = sorted(
                alert for alert, severity in evidence.open_alerts.items() if severity == "critical"
            )
            evidence.waves.append(wave)
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
    wave.violations += sum(execution.violations.values())
    if at > wave.last_at:
        wave.covered_us = wave.lasted_us(at)
        wave.last_at = at


_EVENTS: frozenset[type[Event]] = frozenset(
    (
        BatchExecuted,
        AlertRaised,
        AlertResolved,
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
