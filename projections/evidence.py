"""What the criteria of a rollout's waves have seen, in log order."""

import msgspec

from events.alerts import AlertRaised, AlertResolved, Severity
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted
from events.flags import Audience, ExposureChanged, FlagEnabled
from events.holds import HoldReleased, RolloutHeld
from events.judgements import CriterionAnswered, Verdict
from events.rollouts import (
    RollbackStarted,
    RolloutCompleted,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from events.timestamps import Timestamp
from projections.arms import Arm, Split, Window
from projections.projection import Projection
from projections.rollbacks import AfterRollback

_KEPT_WINDOWS = 400


class Answer(msgspec.Struct, frozen=True):
    """What something outside said last about an external criterion."""

    verdict: Verdict
    detail: str
    at: Timestamp


class WaveEvidence(msgspec.Struct):
    """What happened since a wave began."""

    wave: int
    entered_at: Timestamp
    audience: Audience = Audience("everyone")
    own: Arm = msgspec.field(default_factory=Arm)
    """The new code, for the wave's audience."""
    others: Arm = msgspec.field(default_factory=Arm)
    """The new code, for those who say that they are of another audience."""
    control: Arm = msgspec.field(default_factory=Arm)
    """The old code, meanwhile, for the wave's audience."""
    split: Split = msgspec.field(default_factory=Split)
    planned: float = 0.0
    """The percentage that the split is held against."""
    settled_at: Timestamp = 0
    """Clients are given until then to follow the flag; the split is counted from there."""
    settle_us: int = 0
    violations: int = 0
    critical_alerts: list[str] = []
    """Those open when it began, and those raised since."""
    max_silence_us: int = 0
    covered_us: int = 0
    """Time with executions, up to the latest one; a gap longer than max_silence_us is none."""
    clock_from: Timestamp = 0
    """From here on the clock may yet run."""
    paused_at: Timestamp = 0
    """Since when the clock stands still; 0 where it does not."""
    paused_us: int = 0
    """How long it has stood still, all pauses together."""
    stable_from_us: int = 0
    """What the clock showed when an alert, warning or critical, was last raised or resolved."""
    last_at: Timestamp = 0
    """When the latest execution happened; 0 where none has."""
    window_us: int = 1
    windows: list[Window] = []
    """In order; those in which nothing ran are left out."""
    answers: dict[str, Answer] = {}

    @property
    def executions(self) -> int:
        """Of the new code, for the wave's audience."""
        return self.own.executions

    @property
    def failed(self) -> int:
        """Of these, those that failed."""
        return self.own.failed

    def lasted_us(self, now: Timestamp) -> int:
        """How long it has been watched: silence stops the clock, and so does a pause."""
        return self.covered_us + self._gap(self.paused_at or now)

    def stable_us(self, now: Timestamp) -> int:
        """How long it has been watched since an alert was last raised or resolved."""
        return max(0, self.lasted_us(now) - self.stable_from_us)

    def _gap(self, until: Timestamp) -> int:
        gap = max(0, until - self.clock_from)
        return gap if gap <= self.max_silence_us else 0

    def _advance(self, at: Timestamp) -> None:
        """Something was heard: the time since the last time counts, unless it was too long."""
        until = min(at, self.paused_at or at)
        if until > self.clock_from:
            self.covered_us += self._gap(until)
            self.clock_from = until

    def pause(self, at: Timestamp) -> None:
        """Stop the clock."""
        self.paused_at = self.paused_at or at

    def resume(self, at: Timestamp) -> None:
        """Let the clock run on; a silence that was, still is."""
        paused_us = max(0, at - self.paused_at)
        self.paused_us += paused_us
        self.clock_from += paused_us
        self.paused_at = 0

    def interrupt(self, at: Timestamp) -> None:
        """Something was wrong: stability begins anew. It is no sign of life."""
        self.stable_from_us = self.lasted_us(at)

    def count(self, execution: BatchExecuted, at: Timestamp) -> None:
        """Count one execution that happened since the wave began."""
        mine = self._is_of_audience(execution.audience)
        on = execution.cohort == "on" and execution.outcome != "rejected"
        if self._is_told_of(execution.audience) and at >= self.settled_at:
            self.split.add(execution.unit, on=on)
        if execution.outcome == "rejected":
            return
        if not on:
            if mine:
                self.control.add(execution)
            return
        (self.own if mine else self.others).add(execution)
        self.violations += sum(execution.violations.values())
        self._advance(at)
        self.last_at = max(self.last_at, at)
        if mine:
            self._count_in_window(execution, at)

    def _is_told_of(self, name: str) -> bool:
        """Members of an earlier wave's audience are served at their own share."""
        return name == self.audience.name or not (name or self.audience.conditions)

    def _is_of_audience(self, name: str) -> bool:
        """Who does not tell an audience is taken to be of the wave's."""
        return not name or not self.audience.conditions or name == self.audience.name

    def _count_in_window(self, execution: BatchExecuted, at: Timestamp) -> None:
        number = (at - self.entered_at) // self.window_us
        place = len(self.windows)
        while place and self.windows[place - 1].number > number:
            place -= 1
        if not place or self.windows[place - 1].number != number:
            self.windows.insert(place, Window(number))
            place += 1
        window = self.windows[place - 1]
        window.failed += execution.outcome == "failed"
        window.rungs.add(execution.duration_us)
        del self.windows[:-_KEPT_WINDOWS]

    def answer(self, criterion: str, answer: Answer) -> None:
        """Note an answer; a FAIL stands."""
        earlier = self.answers.get(criterion)
        if earlier is None or earlier.verdict != "FAIL":
            self.answers[criterion] = answer

    def expose(self, percentage: float, at: Timestamp) -> None:
        """The wave's audience is served at another percentage: count the split anew."""
        self.split, self.planned = Split(), percentage
        self.settled_at = at + self.settle_us


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
            elif evidence.rollback is not None and at > evidence.rollback.started_at:
                evidence.rollback.note(execution, at)
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
        case RolloutHeld(kind="paused") if wave is not None:
            wave.pause(at)
        case RolloutHeld(kind="split") if wave is not None:
            wave.expose(wave.planned, at)  # What was counted stands in the log; is it better now?
        case HoldReleased(kind="paused") if wave is not None:
            wave.resume(at)
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
