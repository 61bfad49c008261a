"""What a rollout is: its plan, its wave, its proposal, what holds it."""

from typing import Any, Literal, assert_never, get_args

import msgspec
from msgspec.structs import replace

from events.event import RecordedEvent
from events.interventions import BakeExtended, HoldReleased, InterventionEvent
from events.judgements import CriterionAnswered, Judgement, JudgementEvent, Verdict, WaveJudged
from events.promotions import PromotionEvent, PromotionProposed
from events.rollouts import (
    BakeCompleted,
    ExposureConfirmed,
    LifecycleEvent,
    PlanRevised,
    RollbackStalled,
    RollbackStarted,
    RolloutArmed,
    RolloutCancelled,
    RolloutCompleted,
    RolloutDrafted,
    RolloutEvent,
    RolloutRolledBack,
    RolloutStarted,
    RolloutSubmitted,
    SoakStarted,
    StartApproved,
    StartRejected,
    Trigger,
    WaveEntered,
)
from events.timestamps import Timestamp
from projections import interventions, promotions
from projections.interventions import Hold, Interventions
from projections.projection import Projection
from projections.promotions import Approval, Proposal

State = Literal[
    "absent", "draft", "pending_approval", "armed",
    "entering", "observing", "evaluating", "proposed", "holding", "promoting", "soaking",
    "rolling_back", "rolled_back", "completed", "cancelled",
]  # fmt: skip
BEFORE_START: frozenset[State] = frozenset({"draft", "pending_approval", "armed"})
FINAL: frozenset[State] = frozenset({"rolled_back", "completed", "cancelled"})
_IDLE = BEFORE_START | FINAL | {"absent", "rolling_back"}


class Rollout(msgspec.Struct, frozen=True):
    """A rollout as it stands."""

    id: str
    flag: str = ""
    state: State = "absent"
    phase: State = "absent"
    """The state it is in, or falls back to once nothing is proposed and nothing holds it."""
    attempt: int = 0
    retry_of: str = ""
    plan: dict[str, Any] = {}
    plan_hash: str = ""
    requested_by: str = ""
    askers: tuple[str, ...] = ()
    """Who asked for it, revised or started it: none of them approves."""
    start_at: Timestamp = 0
    """When an armed one starts by itself; 0 where a person starts it."""
    armed_at: Timestamp = 0
    start_approvals: tuple[Approval, ...] = ()
    waves: int = 0
    wave: int = 0
    """1 … waves; waves + 1 while soaking."""
    wave_name: str = ""
    percentage: float = 0.0
    drafted_at: Timestamp = 0
    started_at: Timestamp = 0
    wave_entered_at: Timestamp = 0
    wave_entered_position: int = 0
    ended_at: Timestamp = 0
    rollback_at: Timestamp = 0
    """When the rollback switched the flag off; 0 where it did not."""
    rollback_trigger: Trigger | None = None
    stalled: bool = False
    """Whether clients went on with the new code long after the rollback."""
    verdict: Verdict = "NO_DATA"
    reason: str = ""
    judgements: tuple[Judgement, ...] = ()
    judged_at: Timestamp = 0
    judged_reason: str = ""
    """As the latest look gave it; `reason` may tell of something since."""
    proposals: tuple[Proposal, ...] = ()
    """The last ones; earlier ones are in the log."""
    proposed: int = 0
    """How many there have been."""
    interventions: Interventions = Interventions()
    position: int = 0
    """The log position of the last event folded in."""

    @property
    def is_active(self) -> bool:
        """Whether it is in charge of its flag: started, and neither over nor being undone."""
        return self.phase not in _IDLE

    @property
    def is_looked_at(self) -> bool:
        """Whether something can happen to it by itself."""
        due = self.phase == "armed" and self.start_at > 0
        return self.is_active or due or self.phase == "rolling_back"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.phase in FINAL

    @property
    def soaking(self) -> bool:
        """Whether all waves are done and full exposure is being watched."""
        return self.is_active and self.wave > self.waves

    @property
    def proposal(self) -> Proposal | None:
        """The proposal that waits, if one does."""
        return next((p for p in reversed(self.proposals) if p.waits), None)

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Why nothing is promoted."""
        return self.interventions.holds


def evolve(rollout: Rollout, recorded: RecordedEvent[RolloutEvent]) -> Rollout:
    """Return the rollout after one more event about it."""
    after = _evolve(rollout, recorded)
    return replace(after, state=_standing(after), position=max(rollout.position, recorded.position))


def _standing(rollout: Rollout) -> State:
    """What it waits for, the foremost first."""
    proposal = rollout.proposal
    if not rollout.is_active:
        return rollout.phase
    if rollout.holds:
        return "holding"
    if proposal is not None:
        return "proposed" if proposal.state == "open" else "promoting"
    return rollout.phase


def _evolve(rollout: Rollout, recorded: RecordedEvent[RolloutEvent]) -> Rollout:
    event, at = recorded.event, recorded.occurred_at
    if isinstance(event, PromotionEvent):
        proposals = promotions.evolve(rollout.proposals, event, at)
        made = isinstance(event, PromotionProposed)
        return replace(rollout, proposals=proposals, proposed=rollout.proposed + made)
    if isinstance(event, InterventionEvent):
        after = interventions.evolve(rollout.interventions, event, at, recorded.actor.id)
        if isinstance(event, HoldReleased) and event.kind in interventions.BY_PEOPLE:
            rollout = replace(rollout, reason="released; the next look tells")
        again = isinstance(event, BakeExtended) and rollout.phase == "evaluating"
        phase = "observing" if again else rollout.phase
        return replace(rollout, interventions=after, phase=phase)
    if isinstance(event, JudgementEvent):
        return _judged(rollout, event)
    return _moved(rollout, event, recorded)


def _judged(rollout: Rollout, event: JudgementEvent) -> Rollout:
    match event:
        case WaveJudged() as judged:
            return replace(
                rollout,
                verdict=judged.verdict,
                reason=judged.reason,
                judged_reason=judged.reason,
                judgements=judged.judgements,
                judged_at=judged.judged_at,
            )
        case CriterionAnswered():
            return rollout
        case _ as unreachable:
            assert_never(unreachable)


def _moved(rollout: Rollout, event: LifecycleEvent, recorded: RecordedEvent[Any]) -> Rollout:
    at = recorded.occurred_at
    match event:
        case RolloutDrafted():
            return replace(_planned(rollout, event), drafted_at=at)
        case PlanRevised():
            return _planned(rollout, event)
        case RolloutSubmitted(start_at=start_at, submitted_by=who):
            askers = _with(rollout.askers, who)
            return replace(rollout, phase="pending_approval", start_at=start_at or 0, askers=askers)
        case StartApproved(approver=who, reason=reason):
            approvals = (*rollout.start_approvals, Approval(who, reason, at))
            return replace(rollout, start_approvals=approvals)
        case StartRejected(reason=reason):
            return replace(rollout, phase="draft", start_approvals=(), reason=reason)
        case RolloutArmed():
            return replace(rollout, phase="armed", armed_at=at)
        case RolloutStarted(started_by=who):
            return replace(rollout, started_at=at, askers=_with(rollout.askers, who))
        case RolloutCancelled(reason=reason):
            return replace(rollout, phase="cancelled", reason=reason, ended_at=at)
        case WaveEntered() as entered:
            return _entered(rollout, recorded, entered.wave, entered.name, entered.percentage)
        case SoakStarted():
            return _entered(rollout, recorded, rollout.waves + 1, "soak", rollout.percentage)
        case ExposureConfirmed():
            return replace(rollout, phase="soaking" if rollout.soaking else "observing")
        case BakeCompleted():
            return replace(rollout, phase="soaking" if rollout.soaking else "evaluating")
        case RolloutCompleted():
            return replace(rollout, phase="completed", ended_at=at)
        case RollbackStarted(reason=reason, trigger=trigger):
            return replace(
                rollout,
                phase="rolling_back",
                reason=reason,
                rollback_at=at,
                rollback_trigger=trigger,
                percentage=0.0,
            )
        case RollbackStalled():
            return replace(rollout, stalled=True)
        case RolloutRolledBack():
            return replace(rollout, phase="rolled_back", ended_at=at)
        case _ as unreachable:
            assert_never(unreachable)


def _planned(rollout: Rollout, event: RolloutDrafted | PlanRevised) -> Rollout:
    """A draft with a plan; an earlier plan's approvals do not count for it."""
    drafted = replace(
        rollout,
        phase="draft",
        plan=event.plan,
        plan_hash=event.plan_hash,
        waves=event.waves,
        start_approvals=(),
        start_at=0,
    )
    if isinstance(event, PlanRevised):
        # What was signed was signed of another plan.
        askers = _with(rollout.askers, event.revised_by)
        return replace(drafted, askers=askers, interventions=Interventions())
    return replace(
        drafted,
        flag=event.flag,
        attempt=event.attempt,
        retry_of=event.retry_of,
        requested_by=event.requested_by,
        askers=(event.requested_by,),
    )


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)


def _entered(
    rollout: Rollout, recorded: RecordedEvent[Any], wave: int, name: str, percentage: float
) -> Rollout:
    """A new wave starts without verdicts: evidence is gathered per wave."""
    return replace(
        rollout,
        phase="soaking" if wave > rollout.waves else "entering",
        wave=wave,
        wave_name=name,
        percentage=percentage,
        wave_entered_at=recorded.occurred_at,
        wave_entered_position=recorded.position,
        verdict="NO_DATA",
        reason="just entered",
        judgements=(),
        judged_at=0,
        interventions=interventions.entered(rollout.interventions),
    )


def key(recorded: RecordedEvent[RolloutEvent]) -> str:
    """The rollout's id."""
    return recorded.event.rollout


ROLLOUTS = Projection(
    "rollouts", 1, Rollout, frozenset(get_args(RolloutEvent)), key, Rollout, evolve
)
