"""The world as it would have been under a rulebook, folded along with the record.

What people, clients and calendars did is taken as it was recorded. What rules and criteria
decided is left out, and decided anew. Where the new code would have been served to fewer, the
executions of the others count as ones that it did not run.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from controlplane import flags
from controlplane.commands import Look
from controlplane.looks import look_at
from controlplane.reading import world_of
from controlplane.rehearsal.outcomes import Beyond, Case, Stop, StopKind
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rehearsal.score import Score
from controlplane.rehearsal.turns import Recorded
from controlplane.rules import looking
from controlplane.rules.catalog import WATCHED
from controlplane.rules.rule import Finding, Rule
from controlplane.stages import consequences
from events.alerts import AlertRaised, AlertResolved, alert_stream
from events.event import Event
from events.executions import BatchExecuted
from events.flags import ExposureChanged
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
        self.score = Score(case, rulebook.name)
        self.recorded_plan: dict[str, Any] = {}
        self.looks: dict[int, Look] = {}
        """By the position of a recorded decision: what is seen by whoever takes it again."""
        self.findings: dict[int, Finding] = {}
        """The same, of what a rule found."""

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
        stops = self.score.stops
        return bool(stops) and stops[-1].kind == "rolled_back"

    @property
    def is_decided(self) -> bool:
        """Whether nothing is left to decide."""
        return self.score.beyond is not None or self.is_off

    @property
    def differs(self) -> bool:
        """Whether it could decide otherwise than the record at all."""
        plan = self.rulebook.plan
        other = bool(plan and self.case.rollout and plan.to_json() != self.recorded_plan)
        return other or bool(self.rulebook.rules) or self.fewer

    def rules(self) -> dict[str, Rule]:
        """The alert rules that are judged here: all of them where others are served.

        Before the rollout starts, the flag is somebody else's.
        """
        if self.case.rollout and not self.rollout.started_at:
            return {}
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
        elif isinstance(event, ExposureChanged) and self.fewer:
            if event.after > self.flag.exposure_of(event.audience):
                if event.after > event.before:
                    self.end(recorded.position - 1, recorded.occurred_at, "it was raised by hand")
                return  # What the record lowers to is more than is served here.
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
        if event.cohort != "on" or event.outcome == "rejected":
            return recorded
        at = min(recorded.occurred_at, recorded.recorded_at)
        if self.score.runs(event, at, self.flag):
            return recorded
        return replace(recorded, event=replace(event, outcome="rejected"))

    # What comes of it

    def stop(self, kind: StopKind, position: int, at: Timestamp, reason: str) -> None:
        """From here on, fewer are served than were."""
        stop = Stop(kind=kind, position=position, at=at, wave=self._wave, reason=reason)
        self.score.stopped(stop, self.flag)
        self.fewer = True

    def end(self, position: int, at: Timestamp, reason: str) -> None:
        """From here on, the record does not tell."""
        self.score.beyond = Beyond(position=position, at=at, wave=self._wave, reason=reason)

    @property
    def _wave(self) -> int:
        return self.rollout.wave if self.case.rollout else 0


def _written(event: Event, like: Recorded, version: int | None = None) -> Recorded:
    """As if it had been recorded there."""
    changes: dict[str, Any] = {"event": event, "type": event.TYPE}
    if isinstance(event, AlertRaised | AlertResolved):
        changes["stream"] = alert_stream(event.flag, event.rule)  # What its row is known by.
    if version is not None:
        changes["version"] = version
    return replace(like, **changes)
