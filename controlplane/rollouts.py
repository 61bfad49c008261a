"""What may be done to a rollout."""

from typing import assert_never

from controlplane import evaluation, interventions, plans, promotions, rollbacks
from controlplane.commands import (
    Abort,
    ApproveStart,
    BeforeStart,
    Draft,
    FollowRollback,
    Judge,
    Proposing,
    RejectStart,
    Revise,
    RolloutCommand,
    SignOff,
    Start,
    Submit,
    WithdrawSignOff,
)
from controlplane.errors import (
    AlreadyApproved,
    FreezeOn,
    InvalidInput,
    RolloutEnded,
    RolloutInCharge,
    RolloutNotFound,
    RolloutNotRunning,
    WrongState,
)
from controlplane.people import is_one_of
from controlplane.plans import Plan
from controlplane.promotions import refuse_approver, refuse_unsigned
from controlplane.stages import enter
from events.rollouts import (
    PlanRevised,
    RolloutArmed,
    RolloutCancelled,
    RolloutDrafted,
    RolloutEvent,
    RolloutStarted,
    RolloutSubmitted,
    StartApproved,
    StartRejected,
)
from events.timestamps import Timestamp
from projections.rollouts import BEFORE_START, Rollout


def decide(rollout: Rollout, command: RolloutCommand, now: Timestamp) -> list[RolloutEvent]:
    """The events a command leads to; none where it changes nothing. Raises a refusal."""
    if isinstance(command, Draft):
        return _draft(rollout, command)
    if rollout.state == "absent":
        raise RolloutNotFound(rollout=rollout.id)
    if isinstance(command, Abort):
        return _abort(rollout, command)
    if isinstance(command, FollowRollback):
        return rollbacks.follow(rollout, command.reports, now, command.as_of)
    if isinstance(command, BeforeStart):
        return _before_start(rollout, command, now)
    if isinstance(command, SignOff | WithdrawSignOff) and rollout.phase in BEFORE_START:
        return interventions.decide(rollout, command, now)
    refuse_unless_active(rollout)
    match command:
        case Judge(look=look):
            return evaluation.decide(rollout, look, now)
        case _ if isinstance(command, Proposing):
            return promotions.decide(rollout, command, now)
        case _:
            return interventions.decide(rollout, command, now)


def refuse_unless_active(rollout: Rollout) -> None:
    """Raise RolloutNotFound, RolloutNotRunning or RolloutEnded."""
    if rollout.state == "absent":
        raise RolloutNotFound(rollout=rollout.id)
    state = rollout.phase.replace("_", " ")
    if rollout.phase in BEFORE_START:
        raise RolloutNotRunning(rollout=rollout.id, state=state)
    if not rollout.is_active:
        raise RolloutEnded(rollout=rollout.id, state=state)


def _draft(rollout: Rollout, command: Draft) -> list[RolloutEvent]:
    if rollout.state != "absent":
        raise RolloutInCharge(flag=rollout.flag, rollout=rollout.id)
    plan = command.plan
    return [
        RolloutDrafted(
            rollout=rollout.id,
            flag=command.flag,
            attempt=command.attempt,
            plan=plan.to_json(),
            plan_hash=plan.digest(),
            waves=len(plan.waves),
            requested_by=command.requested_by,
            retry_of=command.retry_of,
        )
    ]


def _before_start(rollout: Rollout, command: BeforeStart, now: Timestamp) -> list[RolloutEvent]:
    plan = plans.recorded(rollout.plan)
    match command:
        case Draft():
            raise AssertionError("drafting is decided first")
        case Revise(plan=wanted, revised_by=who):
            return _revise(rollout, wanted, who)
        case Submit(submitted_by=who, start_at=start_at):
            _refuse_unless(rollout, "draft", "submitted")
            if start_at is not None and start_at <= now:
                raise InvalidInput(reason="start_at is in the past; leave it out to start by hand")
            submitted = RolloutSubmitted(rollout=rollout.id, submitted_by=who, start_at=start_at)
            return [submitted, *_armed(rollout, plan, approvals=0)]
        case ApproveStart():
            return _approve_start(rollout, command, plan)
        case RejectStart(rejected_by=who, reason=reason):
            _refuse_unless(rollout, "pending_approval", "rejected")
            refuse_approver(rollout, who, plan.start.of, rollout.requested_by)
            if not reason.strip():
                raise InvalidInput(reason="say why: a rejection needs a reason")
            return [StartRejected(rollout=rollout.id, rejected_by=who.id, reason=reason)]
        case Start():
            return _start(rollout, command, plan)
        case _ as unreachable:
            assert_never(unreachable)


def _revise(rollout: Rollout, wanted: Plan, who: str) -> list[RolloutEvent]:
    if rollout.phase not in BEFORE_START:
        state = rollout.state.replace("_", " ")
        raise WrongState(rollout=rollout.id, state=state, action="revised")
    if wanted.digest() == rollout.plan_hash:
        return []
    return [
        PlanRevised(
            rollout=rollout.id,
            plan=wanted.to_json(),
            plan_hash=wanted.digest(),
            waves=len(wanted.waves),
            revised_by=who,
        )
    ]


def _approve_start(rollout: Rollout, command: ApproveStart, plan: Plan) -> list[RolloutEvent]:
    _refuse_unless(rollout, "pending_approval", "approved")
    if command.plan_hash and command.plan_hash != rollout.plan_hash:
        state = f"of another plan by now, with hash {rollout.plan_hash}"
        raise WrongState(rollout=rollout.id, state=state, action="approved")
    refuse_approver(rollout, command.approver, plan.start.of, rollout.requested_by)
    if is_one_of(command.approver.id, (one.by for one in rollout.start_approvals)):
        raise AlreadyApproved(actor=command.approver.id, proposal=f"the start of {rollout.id}")
    approved = StartApproved(
        rollout=rollout.id,
        plan_hash=rollout.plan_hash,
        approver=command.approver.id,
        reason=command.reason,
    )
    return [approved, *_armed(rollout, plan, approvals=len(rollout.start_approvals) + 1)]


def _armed(rollout: Rollout, plan: Plan, approvals: int) -> list[RolloutEvent]:
    return [RolloutArmed(rollout=rollout.id)] if approvals >= plan.start.needed else []


def _start(rollout: Rollout, command: Start, plan: Plan) -> list[RolloutEvent]:
    """A draft whose plan asks for no approval starts at once."""
    if rollout.phase != "armed" and (rollout.phase != "draft" or plan.start.needed):
        waits = {
            "draft": "a draft whose plan asks for approval; submit it first",
            "pending_approval": "waiting for approval",
        }
        state = waits.get(rollout.phase, rollout.phase.replace("_", " "))
        raise WrongState(rollout=rollout.id, state=state, action="started")
    refuse_unsigned(rollout, plan)
    if command.frozen is not None:
        raise FreezeOn(reason=command.frozen)
    started = RolloutStarted(rollout=rollout.id, flag=rollout.flag, started_by=command.started_by)
    return [started, enter(rollout.id, rollout.flag, plan, 1)]


def _abort(rollout: Rollout, command: Abort) -> list[RolloutEvent]:
    if rollout.phase in ("rolling_back", "rolled_back", "cancelled"):
        return []
    if rollout.phase in BEFORE_START:
        return [
            RolloutCancelled(
                rollout=rollout.id, cancelled_by=command.aborted_by, reason=command.reason
            )
        ]
    refuse_unless_active(rollout)
    return rollbacks.start(rollout, command.trigger, command.reason)


def _refuse_unless(rollout: Rollout, phase: str, action: str) -> None:
    if rollout.phase != phase:
        state = rollout.state.replace("_", " ")
        raise WrongState(rollout=rollout.id, state=state, action=action)
