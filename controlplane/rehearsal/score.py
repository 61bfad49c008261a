"""What one rulebook makes of one case, noted as it goes: decisions, stops, what would not run."""

from collections.abc import Iterable, Sequence

from controlplane import bucketing
from controlplane.rehearsal.outcomes import (
    Beyond,
    Case,
    Departure,
    Outcome,
    Saved,
    Stop,
)
from events.alerts import AlertRaised, AlertResolved
from events.event import Event
from events.executions import BatchExecuted
from events.interventions import HoldReleased, RolloutHeld
from events.timestamps import Timestamp
from projections.flags import Flag


class Score:
    """Keeps count of one case under one rulebook."""

    def __init__(self, case: Case, rulebook: str) -> None:
        self.case = case
        self.rulebook = rulebook
        self.stops: list[Stop] = []
        self.beyond: Beyond | None = None
        self.alerts = 0
        self._compared = self._identical = 0
        self._departures: list[Departure] = []
        self._executions = self._failed = 0
        self._hurt: set[str] = set()
        self._spared: set[str] = set()
        self._flags: list[Flag] = []

    def compare(
        self, at: Timestamp, position: int, told: Sequence[Event], decided: Sequence[Event]
    ) -> None:
        """Note whether a recorded decision came out the same."""
        self._compared += 1
        self._identical += list(told) == list(decided)
        was, is_ = gist(told), gist(decided)
        if was != is_:
            self.depart(at, position, was, is_)

    def depart(self, at: Timestamp, position: int, was: str, is_: str) -> None:
        """Note a decision that differs."""
        departure = Departure(position=position, at=at, recorded=was, rehearsed=is_)
        self._departures.append(departure)

    def stopped(self, stop: Stop, flag: Flag) -> None:
        """Note that fewer are served from here on; `flag`: as it then stands."""
        self.stops.append(stop)
        self._flags.append(flag)

    def runs(self, execution: BatchExecuted, at: Timestamp, flag: Flag) -> bool:
        """Note an execution of the new code; whether it would have run it.

        `flag`: as it would stand; what happened earlier is held to what it was then.
        """
        if self._flags and self._flags[-1] is not flag:
            self._flags.append(flag)
        if at < self.case.began_at or (self.beyond is not None and at >= self.beyond.at):
            return True
        then = self._flag_at(at)
        failed = execution.outcome == "failed"
        if then is None or _serves(then, execution):
            if failed:
                self._hurt.add(execution.unit)
            return True
        self._executions += 1
        self._failed += failed
        if failed:
            self._spared.add(execution.unit)
        return False

    def _flag_at(self, at: Timestamp) -> Flag | None:
        """How the flag would have stood; None before the first stop: as it did."""
        if not self.stops or at < self.stops[0].at:
            return None
        known = (flag for flag in reversed(self._flags) if flag.changed_at <= at)
        return next(known, self._flags[0])

    def outcome(self, recorded_stop_at: Timestamp | None, recorded_failed: int) -> Outcome:
        """What came of it."""
        stops, executions, failed = self.stops, self._executions, self._failed
        first = stops[0] if stops else None
        if first and first.kind == "rolled_back" and first.at == recorded_stop_at:
            # By another rule, at the look by which the record stopped: nobody was served longer.
            self.depart(first.at, first.position, "off", f"off: {first.reason}")
            stops, executions, failed = [], 0, 0
        unknown = self.beyond is not None and not stops
        return Outcome(
            case=self.case,
            rulebook=self.rulebook,
            answer="exact" if stops else "unknown" if unknown else "same",
            decisions=self._compared,
            identical=self._identical,
            stops=tuple(stops),
            beyond=self.beyond,
            saved=Saved(
                executions=executions,
                failed=failed,
                units=len(self._spared - self._hurt) if stops else 0,
                bound=bool(stops) and self.beyond is not None,
            ),
            recorded_stop_at=recorded_stop_at,
            recorded_failed=recorded_failed,
            alerts=self.alerts,
            departures=tuple(self._departures),
        )


def gist(events: Iterable[Event]) -> str:
    """What is decided, without its numbers: `held (criterion), proposal lapsed`."""
    said = [_gist(event) for event in events if event.TYPE not in _WITHOUT_CONSEQUENCES]
    return ", ".join(said) or "nothing"


def _gist(event: Event) -> str:
    what = event.TYPE.partition(".")[2].replace("_", " ")
    match event:
        case AlertRaised(rule=rule) | AlertResolved(rule=rule):
            return f"{rule} {what}"
        case RolloutHeld(kind=kind) | HoldReleased(kind=kind):
            return f"{what} ({kind})"
        case _:
            return what


_WITHOUT_CONSEQUENCES = frozenset(
    {"rollout.wave_judged", "rollout.exposure_confirmed", "rollout.bake_completed"}
)


def _serves(flag: Flag, execution: BatchExecuted) -> bool:
    """Whether a flag serves the unit of an execution, by the audience that it told.

    One that told none is taken to be of any: so nothing is called saved that may not be.
    """
    if not bucketing.serves(flag):
        return False
    widest = max(
        (
            exposure.percentage
            for exposure in flag.exposures
            if not exposure.audience.conditions
            or execution.audience in ("", exposure.audience.name)
        ),
        default=0.0,
    )
    return bucketing.bucket(flag.salt, execution.unit) < bucketing.threshold(widest)
