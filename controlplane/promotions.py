"""When a proposal holds, who may approve it, and what follows."""

from controlplane import plans
from controlplane.assessment import EVALUATOR, Assessment
from controlplane.checklists import missing
from controlplane.commands import Approve, Look, Proposing, Reject, Skip, Withdraw
from controlplane.errors import (
    AlreadyApproved,
    InvalidInput,
    NotAnApprover,
    NotSignedOff,
    ProposalClosed,
    ProposalNotFound,
    ProposalOutdated,
    ProposalWaits,
    SamePerson,
    WaveFailed,
    WrongState,
)
from controlplane.judgements import judged
from controlplane.people import is_one_of, refuse_machines, require_reason
from controlplane.plans import Plan
from controlplane.stages import enter
from events.event import Actor
from events.interventions import HoldKind, RolloutHeld
from events.promotions import (
    PromotionDelayed,
    PromotionProposed,
    ProposalApproved,
    ProposalKind,
    ProposalLapsed,
    ProposalRejected,
    ProposalWithdrawn,
    WavePromoted,
)
from events.rollouts import RolloutCompleted, RolloutEvent
from events.timestamps import Timestamp
from projections.interventions import BY_PEOPLE
from projections.promotions import Proposal
from projections.rollouts import Rollout


def decide(rollout: Rollout, command: Proposing, now: Timestamp) -> list[RolloutEvent]:
    """What a person's word about a promotion leads to. Raises a refusal."""
    match command:
        case Approve():
            return _approve(rollout, command, now)
        case Reject(proposal=id_, rejected_by=who, reason=reason):
            require_reason("a rejection", reason)
            proposal = waiting(rollout, id_)
            rejected = ProposalRejected(
                rollout=rollout.id, proposal=proposal.id, rejected_by=who, reason=reason
            )
            return [rejected, *hold(rollout, "rejected", reason)]
        case Withdraw(proposal=id_, withdrawn_by=who, reason=reason):
            require_reason("a withdrawal", reason)
            proposal = waiting(rollout, id_)
            withdrawn = ProposalWithdrawn(
                rollout=rollout.id, proposal=proposal.id, withdrawn_by=who, reason=reason
            )
            rest = hold(rollout, "withdrawn", reason) if proposal.kind == "promotion" else []
            return [withdrawn, *rest]
        case Skip():
            return _skip(rollout, command, now)


def propose(
    rollout: Rollout, look: Look, now: Timestamp, kind: ProposalKind, by: str, reason: str = ""
) -> PromotionProposed:
    """A promotion, bound to the state that was looked at."""
    plan = plans.recorded(rollout.plan)
    return PromotionProposed(
        rollout=rollout.id,
        proposal=f"{rollout.id}-p{rollout.proposed + 1}",
        kind=kind,
        wave=rollout.wave,
        to=plan.after(rollout.wave),
        proposed_by=by,
        reason=reason,
        approvals=plan.promotion.needed,
        as_of=look.as_of,
        evaluator=EVALUATOR,
        evidence_digest=look.evidence_digest,
        plan_hash=rollout.plan_hash,
        exposure_version=look.exposure_version,
        expires_at=now + plan.proposal_expires_after,
    )


def outdated(rollout: Rollout, proposal: Proposal, look: Look, now: Timestamp) -> str | None:
    """Why a proposal no longer describes the state it was made from, if so."""
    seen = look.assessment
    if now >= proposal.expires_at and proposal.state == "open":
        return "it expired"  # Approved in time, it may wait for a freeze to end.
    if look.exposure_version != proposal.exposure_version:
        return "the flag's exposure was changed since"
    if (rollout.plan_hash, rollout.wave) != (proposal.plan_hash, proposal.wave):
        return "the rollout moved on"
    if seen.verdict == "FAIL" or seen.hold in ("exposure", "split"):
        return f"its evidence lapsed: {seen.reason}"
    if proposal.kind == "skip":
        return _against_skipping(rollout, seen)
    if seen.action != "promote" and seen.hold != "frozen":
        return f"its evidence lapsed: {seen.reason}"
    return None


def _against_skipping(rollout: Rollout, seen: Assessment) -> str | None:
    """What the evidence need not show, but what must be so all the same."""
    if problem := seen.misserved or seen.astray:
        return problem
    if seen.critical_alert is not None:
        return f"critical alert {seen.critical_alert} is open"
    held = next((one for one in rollout.holds if one.kind in BY_PEOPLE), None)
    if held is not None:
        return f"the rollout is {held.kind} by {held.by}"
    unsigned = missing(
        plans.recorded(rollout.plan).required_after(rollout.wave), rollout.interventions.sign_offs
    )
    return f"not signed off: {', '.join(item.name for item in unsigned)}" if unsigned else None


def lapse(rollout: Rollout, reason: str) -> list[RolloutEvent]:
    """End the proposal that waits, if one does."""
    proposal = rollout.proposal
    if proposal is None:
        return []
    return [ProposalLapsed(rollout=rollout.id, proposal=proposal.id, reason=reason)]


def hold(rollout: Rollout, kind: HoldKind, reason: str) -> list[RolloutEvent]:
    """Hold it, unless it is held that way already. When a freeze ends may change meanwhile."""
    already = rollout.interventions.held(kind)
    if already is not None and (kind != "frozen" or already.reason == reason[:2000]):
        return []
    held = RolloutHeld(
        rollout=rollout.id, flag=rollout.flag, wave=rollout.wave, kind=kind, reason=reason[:2000]
    )
    return [held]


def promote(rollout: Rollout, proposal: Proposal) -> list[RolloutEvent]:
    """The wave is over, the next stage begins; after the last one, the rollout is complete."""
    promoted = WavePromoted(
        rollout=rollout.id, proposal=proposal.id, wave=rollout.wave, to=proposal.to
    )
    plan = plans.recorded(rollout.plan)
    if rollout.wave >= plan.stages:
        return [promoted, RolloutCompleted(rollout=rollout.id, flag=rollout.flag)]
    return [promoted, enter(rollout.id, rollout.flag, plan, rollout.wave + 1)]


def waiting(rollout: Rollout, id_: str) -> Proposal:
    """The proposal, if it still waits. Raises ProposalNotFound, ProposalClosed."""
    for proposal in rollout.proposals:
        if proposal.id == id_:
            if not proposal.waits:
                why = f" ({proposal.reason})" if proposal.reason else ""
                raise ProposalClosed(proposal=id_, state=proposal.state, why=why)
            return proposal
    raise ProposalNotFound(proposal=id_)


def refuse_approver(rollout: Rollout, approver: Actor, allowed: tuple[str, ...], by: str) -> None:
    """Raise NotAPerson, SamePerson for who asked, NotAnApprover for whom the plan does not name."""
    refuse_machines(approver)
    if is_one_of(approver.id, (*rollout.askers, by)):
        raise SamePerson(actor=approver.id, rollout=rollout.id)
    if allowed and not is_one_of(approver.id, allowed):
        raise NotAnApprover(actor=approver.id, approvers=", ".join(allowed))


def refuse_unsigned(rollout: Rollout, plan: Plan) -> None:
    """Raise NotSignedOff while what the plan requires before the next stage is not signed."""
    unsigned = missing(plan.required_after(rollout.wave), rollout.interventions.sign_offs)
    if unsigned:
        raise NotSignedOff(rollout=rollout.id, items=", ".join(item.name for item in unsigned))


def _approve(rollout: Rollout, command: Approve, now: Timestamp) -> list[RolloutEvent]:
    proposal = waiting(rollout, command.proposal)
    plan = plans.recorded(rollout.plan)
    refuse_approver(rollout, command.approver, plan.promotion.of, proposal.proposed_by)
    if is_one_of(command.approver.id, (one.by for one in proposal.approvals)):
        raise AlreadyApproved(actor=command.approver.id, proposal=proposal.id)
    if proposal.state != "open":
        raise ProposalClosed(proposal=proposal.id, state=proposal.state, why="")
    problem = outdated(rollout, proposal, command.look, now)
    if problem is not None:
        raise ProposalOutdated(proposal=proposal.id, reason=problem)
    approved: list[RolloutEvent] = [
        judged(rollout, command.look, now),  # What the approval rests on can be judged again.
        ProposalApproved(
            rollout=rollout.id,
            proposal=proposal.id,
            approver=command.approver.id,
            reason=command.reason,
        ),
    ]
    if len(proposal.approvals) + 1 < proposal.needed:
        return approved
    refuse_unsigned(rollout, plan)
    frozen = command.look.frozen
    if frozen is not None:
        delayed = PromotionDelayed(rollout=rollout.id, proposal=proposal.id, reason=frozen)
        return [*approved, delayed]
    return [*approved, *promote(rollout, proposal)]


def _skip(rollout: Rollout, command: Skip, now: Timestamp) -> list[RolloutEvent]:
    require_reason("to skip a wave", command.reason)
    if rollout.soaking:
        raise InvalidInput(reason="the soak is not skipped: it is what completes a rollout")
    if rollout.proposal is not None:
        raise ProposalWaits(proposal=rollout.proposal.id)
    if command.look.assessment.verdict == "FAIL":
        raise WaveFailed(rollout=rollout.id, reason=command.look.assessment.reason)
    if (problem := _against_skipping(rollout, command.look.assessment)) is not None:
        raise WrongState(rollout=rollout.id, action="skipped", state=f"held up: {problem}")
    return [propose(rollout, command.look, now, "skip", command.proposed_by, command.reason)]
