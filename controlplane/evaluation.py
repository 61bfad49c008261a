"""What a look at a running wave leads to."""

from controlplane import plans, rollbacks
from controlplane.assessment import Assessment
from controlplane.commands import Look
from controlplane.judgements import is_news, judged
from controlplane.promotions import hold, lapse, outdated, promote, propose
from events.interventions import HoldReleased, WaveEscalated
from events.promotions import PromotionDelayed
from events.rollouts import (
    BakeCompleted,
    ExposureConfirmed,
    RolloutEvent,
)
from events.timestamps import HOUR, Timestamp
from projections.rollouts import Rollout

HEARTBEAT_US = HOUR
"""A judgement is recorded at least this often, though nothing changed."""

SCHEDULER = "evaluation"
"""Who proposes what every criterion passes for."""


def decide(rollout: Rollout, look: Look, now: Timestamp) -> list[RolloutEvent]:
    """A failure rolls back or holds; a full pass proposes; less withdraws what was proposed."""
    seen = look.assessment
    news = is_news(rollout, seen) or now - rollout.judged_at >= HEARTBEAT_US
    if seen.action == "rollback":
        return [judged(rollout, look, now), *rollbacks.start(rollout, "criterion", seen.reason)]
    events: list[RolloutEvent] = [judged(rollout, look, now)] if news else []
    if seen.overdue and not rollout.interventions.escalated:
        proposed = any(p.wave == rollout.wave and p.kind == "promotion" for p in rollout.proposals)
        stage = plans.recorded(rollout.plan).stage(rollout.wave)
        if stage.on_timeout == "rollback" and not proposed:  # Else it had its evidence once.
            return [judged(rollout, look, now), *rollbacks.start(rollout, "timeout", seen.overdue)]
        events.append(
            WaveEscalated(rollout=rollout.id, wave=rollout.wave, reason=seen.overdue[:2000])
        )
    events += _phases(rollout, seen)
    events += _holds(rollout, look)
    return [*events, *_proposals(rollout, look, now)]


def _phases(rollout: Rollout, seen: Assessment) -> list[RolloutEvent]:
    events: list[RolloutEvent] = []
    confirmed = (
        rollout.phase == "entering" and seen.confirmed and not (seen.misserved or seen.astray)
    )
    if confirmed:
        events.append(ExposureConfirmed(rollout=rollout.id, wave=rollout.wave))
    if (confirmed or rollout.phase == "observing") and seen.baked:
        events.append(BakeCompleted(rollout=rollout.id, wave=rollout.wave))
    return events


def _holds(rollout: Rollout, look: Look) -> list[RolloutEvent]:
    """Hold as the look calls for; release what holds no longer."""
    seen, proposal = look.assessment, rollout.proposal
    waits = proposal is not None and seen.hold == "frozen"  # It is only its promotion that waits.
    still = {"frozen": look.frozen, "exposure": seen.misserved, "split": seen.astray}
    events: list[RolloutEvent] = []
    for held in rollout.holds:
        if held.kind in still and still[held.kind] is None:
            reason = f"over: {seen.reason}"[:2000]
            events.append(
                HoldReleased(
                    rollout=rollout.id,
                    flag=rollout.flag,
                    wave=rollout.wave,
                    kind=held.kind,
                    reason=reason,
                )
            )
    if seen.hold is not None and not waits:
        events += hold(rollout, seen.hold, seen.reason)
    return events


def _proposals(rollout: Rollout, look: Look, now: Timestamp) -> list[RolloutEvent]:
    """Propose, go on with what was approved, or end what no longer holds."""
    seen, proposal = look.assessment, rollout.proposal
    if proposal is None:
        if seen.action == "promote":
            return [propose(rollout, look, now, "promotion", SCHEDULER)]
        return []
    problem = outdated(rollout, proposal, look, now)
    if problem is not None:
        return lapse(rollout, problem)
    if proposal.state == "delayed" and look.frozen is None:
        return promote(rollout, proposal)
    if proposal.state == "delayed" and look.frozen != proposal.reason:
        delayed = PromotionDelayed(
            rollout=rollout.id, proposal=proposal.id, reason=look.frozen or ""
        )
        return [delayed]
    return []
