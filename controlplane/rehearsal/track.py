"""The world as it would have been under a rulebook, folded along with the record.

What people, clients and calendars did is taken as it was recorded. What rules and criteria
decided is left out, and decided anew. Where the new code would have been served to fewer, the
executions of the others count as ones that it did not run.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from controlplane import bucketing, flags
from controlplane.commands import Look
from controlplane.looks import look_at
from controlplane.reading import world_of
from controlplane.rehearsal.outcomes import (
    Beyond,
    Case,
    Departure,
    Outcome,
    Saved,
    Stop,
    StopKind,
)
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rehearsal.turns import Recorded
from controlplane.rules import looking
from controlplane.rules.catalog import WATCHED
from controlplane.rules.rule import Finding, Rule
from controlplane.stages import consequences
from events.alerts import alert_stream
from events.event import Event
from events.executions import BatchExecuted
from events.freezes import FREEZE_STREAM
from events.promotions import (
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    ProposalWithdrawn,
)
from events.rollouts import PlanRevised, RolloutDrafted, RolloutEvent
from events.timestamps import Timestamp
from projections.alerts import ALERTS
from projections.evidence import EVIDENCE
from projections.flags import FLAGS, Flag
from projections.frames import Stepping
from projections.freezes import FREEZES
from projections.replay import History
from projections.rollouts import ROLLOUTS, Rollout
from projections.vitals import VITALS

_ABOUT_A_PROPOSAL = (ProposalApproved, ProposalRejected, ProposalWithdrawn, ProposalLapsed)


def beginning(history: History, case: Case) -> Stepping:
    """All that a decision may know, as of the beginning of a case."""
    rows = Stepping(history, case.start)
    rows.get(FREEZES, FREEZE_STREAM)
    rows.get(FLAGS, case.flag)
    rows.get(EVIDENCE, case.flag)
    rows.get(VITALS, case.flag)
    for rule in WATCHED:
        rows.get(ALERTS, alert_stream(case.flag, rule))
    if case.rollout:
        rows.get(ROLLOUTS, case.rollout)
    latest = rows.get(EVIDENCE, case.flag).rollout
    if latest:
        rows.get(ROLLOUTS, latest)
    return rows


class Track:
    """One rulebook on its way through one case."""

    def __init__(self, history: History, case: Case, rulebook: Rulebook) -> None:
        self.case = case
        self.rulebook = rulebook
        self.rows = beginning(history, case)
        self.fewer = False
        """Whether the new code is served to fewer than the record served."""
        self.waiting = False
        """Whether it is still in a stage that the record has left."""
        self.stops: list[Stop] = []
        self.beyond: Beyond | None = None
        self.recorded_plan: dict[str, Any] = {}
        self.looks: dict[int, Look] = {}
        self.findings: dict[int, Finding] = {}
        """By the position of a recorded decision: what is seen by whoever takes it again."""
        self.alarms = 0
        self._compared = self._identical = 0
        self._departures: list[Departure] = []
        self._saved = [0, 0]
        self._hurt: set[str] = set()
        self._spared: set[str] = set()

    @property
    def rollout(self) -> Rollout:
        """As it would stand."""
        return self.rows.get(ROLLOUTS, self.case.rollout)

    @property
    def flag(self) -> Flag:
        """As it would stand."""
        return self.rows.get(FLAGS, self.case.flag)

    @property
    def is_off(self) -> bool:
        """Whether it has switched the flag off, which the record did not yet."""
        return bool(self.stops) and self.stops[-1].kind == "rolled_back"

    @property
    def is_decided(self) -> bool:
        """Whether nothing is left to decide."""
        return self.beyond is not None or self.is_off

    @property
    def differs(self) -> bool:
        """Whether it could decide otherwise than the record at all."""
        plan = self.rulebook.plan
        other = bool(plan and self.case.rollout and plan.to_json() != self.recorded_plan)
        return other or bool(self.rulebook.rules) or self.fewer

    def rules(self) -> dict[str, Rule]:
        """The alert rules that are judged here: all of them where others are served."""
        return {**WATCHED, **self.rulebook.rules} if self.fewer else {**self.rulebook.rules}

    # Seeing

    def look(self, now: Timestamp, as_of: int) -> Look:
        """The wave, judged."""
        return look_at(world_of(self.rows, self.case.rollout, now), as_of)

    def find(self, rule: Rule, now: Timestamp) -> Finding:
        """What a rule finds."""
        return looking.judged(rule, looking.watched(self.rows, self.case.flag, now))

    # Folding

    def take(self, recorded: Recorded) -> None:
        """Fold what happened, as it would have been."""
        event = recorded.event
        if isinstance(event, BatchExecuted):
            recorded = self._execution(recorded, event)
        elif isinstance(event, RolloutDrafted | PlanRevised) and event.rollout == self.case.rollout:
            self.recorded_plan = event.plan
            plan = self.rulebook.plan
            if plan is not None:
                changes = {"plan_hash": plan.digest(), "waves": len(plan.waves)}
                recorded = replace(recorded, event=replace(event, plan=plan.to_json(), **changes))
        elif isinstance(event, PromotionProposed) and event.rollout == self.case.rollout:
            # By a person, who asks to go on without evidence, whatever the plan.
            recorded = replace(recorded, event=replace(event, plan_hash=self.rollout.plan_hash))
        elif isinstance(event, _ABOUT_A_PROPOSAL) and event.rollout == self.case.rollout:
            waits = self.rollout.proposal
            if waits is None:
                return  # There is none to be decided.
            recorded = replace(recorded, event=replace(event, proposal=waits.id))
        self.rows.step(recorded)

    def happens(self, events: Iterable[Event], like: Recorded, *, flag_too: bool = True) -> None:
        """Fold what is decided here, at the place and time of something recorded."""
        for event in events:
            self.rows.step(_written(event, like))
            if flag_too and isinstance(event, RolloutEvent):
                for command in consequences(event):
                    for follows in flags.decide(self.flag, command):
                        self.rows.step(_written(follows, like, self.flag.exposure_version + 1))

    def _execution(self, recorded: Recorded, event: BatchExecuted) -> Recorded:
        at = min(recorded.occurred_at, recorded.recorded_at)
        is_told = self.beyond is None or at < self.beyond.at
        if event.cohort != "on" or event.outcome == "rejected" or not is_told:
            return recorded
        failed = event.outcome == "failed"
        if not self.fewer or at < self.stops[-1].at or _is_served(self.flag, event):
            if failed:
                self._hurt.add(event.unit)
            return recorded
        self._saved[0] += 1
        self._saved[1] += failed
        if failed:
            self._spared.add(event.unit)
        return replace(recorded, event=replace(event, outcome="rejected"))

    # What comes of it

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

    def stop(self, kind: StopKind, position: int, at: Timestamp, reason: str) -> None:
        """From here on, fewer are served than were."""
        wave = self.rollout.wave if self.case.rollout else 0
        self.stops.append(Stop(kind=kind, position=position, at=at, wave=wave, reason=reason))
        self.fewer = True

    def end(self, position: int, at: Timestamp, reason: str) -> None:
        """From here on, the record does not tell."""
        wave = self.rollout.wave if self.case.rollout else 0
        self.beyond = Beyond(position=position, at=at, wave=wave, reason=reason)

    def outcome(self, recorded_stop_at: Timestamp | None, recorded_failed: int) -> Outcome:
        """What came of it."""
        stops, (executions, failed) = self.stops, self._saved
        first = stops[0] if stops else None
        if first and first.kind == "rolled_back" and first.at == recorded_stop_at:
            # By another rule, at the look by which the record stopped: nobody was served longer.
            self.depart(first.at, first.position, "off", f"off: {first.reason}")
            stops, executions, failed = [], 0, 0
        unknown = self.beyond is not None and not stops
        return Outcome(
            case=self.case,
            rulebook=self.rulebook.name,
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
            alarms=self.alarms,
            departures=tuple(self._departures),
        )


def gist(events: Iterable[Event]) -> str:
    """What is decided, without its numbers: `held for criterion, lapsed`."""
    said = [
        f"{event.TYPE.partition('.')[2]} {getattr(event, 'kind', '')}".strip()
        for event in events
        if event.TYPE not in _WITHOUT_CONSEQUENCES
    ]
    return ", ".join(said) or "nothing"


_WITHOUT_CONSEQUENCES = frozenset(
    {"rollout.wave_judged", "rollout.exposure_confirmed", "rollout.bake_completed"}
)


def _written(event: Event, like: Recorded, version: int | None = None) -> Recorded:
    """As if it had been recorded there."""
    changes: dict[str, Any] = {"event": event, "type": event.TYPE}
    if version is not None:
        changes["version"] = version
    return replace(like, **changes)


def _is_served(flag: Flag, execution: BatchExecuted) -> bool:
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
