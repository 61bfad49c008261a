"""What a wave of a rollout has seen."""

import msgspec

from events.executions import BatchExecuted
from events.flags import Audience
from events.interventions import HoldKind
from events.judgements import Verdict
from events.timestamps import Timestamp
from projections.arms import Arm, Split, Window

_KEPT_WINDOWS = 400
_NOT_WAITING: frozenset[HoldKind] = frozenset({"paused", "rejected", "withdrawn", "frozen"})

_STOPS_THE_CLOCK: frozenset[HoldKind] = frozenset({"paused", "exposure", "split"})
"""What is not served as planned, or is looked into, is not being watched as planned."""


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
    stopped: list[HoldKind] = []
    """The holds that keep the clock from running."""
    paused_at: Timestamp = 0
    """Since when the clock stands still; 0 where it does not."""
    held: dict[HoldKind, Timestamp] = {}
    """What keeps people or the calendar from going on, and since when."""
    held_us: int = 0
    """How long that was so, all times together: nobody waited for evidence then."""
    stable_from_us: int = 0
    """What the clock showed when an alert, warning or critical, was last raised or resolved."""
    last_at: Timestamp = 0
    """When the latest execution of the wave's audience happened; 0 where none has."""
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
        if self.paused_at:
            self.clock_from += max(0, at - self.paused_at)
        self.paused_at = 0

    def hold(self, kind: HoldKind, at: Timestamp) -> None:
        """Something holds it."""
        if kind in _STOPS_THE_CLOCK:
            self.stopped = sorted({*self.stopped, kind})
            self.pause(at)
        if kind == "split":
            self.expose(self.planned, at)  # What was counted is in the log. Is it better now?
        if kind in _NOT_WAITING:
            self.held.setdefault(kind, at)

    def release(self, kind: HoldKind, at: Timestamp) -> None:
        """That is over."""
        if kind in self.stopped:
            self.stopped.remove(kind)
            if not self.stopped:
                self.resume(at)
        if kind in self.held:
            since = min(self.held.values())
            del self.held[kind]
            if not self.held:
                self.held_us += max(0, at - since)
            else:
                self.held[min(self.held)] = since  # It has been held from the first on.

    def waited_us(self, now: Timestamp) -> int:
        """How long it has waited for evidence, by the clock on the wall."""
        held_us = max(0, now - min(self.held.values())) if self.held else 0
        return max(0, now - self.entered_at - self.held_us - held_us)

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
        if mine:
            self._advance(at)
            self.last_at = max(self.last_at, at)
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
