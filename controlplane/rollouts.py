"""What may be done to a rollout."""

import re
from dataclasses import dataclass
from typing import assert_never

from controlplane import plans
from controlplane.assessment import Assessment
from controlplane.errors import (
    InvalidInput,
    ProposalOutdated,
    RolloutEnded,
    RolloutInCharge,
    RolloutNotFound,
)
from controlplane.plans import Plan, Wave
from controlplane.proposals import (
    lapse,
    open_proposal,
    outdated,
    refuse_approver,
    was_turned_down,
)
from events.event import Actor
from events.rollouts import (
    PromotionProposed,
    ProposalApproved,
    ProposalRejected,
    RolloutCompleted,
    RolloutEvent,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    Trigger,
    WaveEntered,
    WaveJudged,
    WavePromoted,
)
from events.timestamps import HOUR, Timestamp
from projections.rollouts import Rollout

HEARTBEAT_US = HOUR
"""A judgement is recorded at least this often, though nothing changed."""


@dataclass(frozen=True, kw_only=True)
class StartRollout:
    """Begin with wave 1 of a plan."""

    flag: str
    plan: Plan
    attempt: int
    requested_by: str


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Take note of a look at the wave's criteria, and act on it."""

    assessment: Assessment
    as_of: int
    evidence_digest: str
    exposure_version: int


@dataclass(frozen=True, kw_only=True)
class Approve:
    """Agree to a proposal: its wave is promoted."""

    proposal: str
    approver: Actor
    exposure_version: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Reject:
    """Turn a proposal down."""

    proposal: str
    rejected_by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Abort:
    """End it and switch the flag off. Always allowed while it runs."""

    reason: str
    trigger: Trigger = "person"


RolloutCommand = StartRollout | Judge | Approve | Reject | Abort


def decide(rollout: Rollout, command: RolloutCommand, now: Timestamp) -> list[RolloutEvent]:
    """The events a command leads to; none where it changes nothing. Raises a refusal."""
    if isinstance(command, StartRollout):
        return _start(rollout, command)
    if isinstance(command, Abort) and rollout.state == "rolled_back":
        return []
    refuse_unless_active(rollout)
    match command:
        case Judge():
            return _judge(rollout, command, now)
        case Approve():
            return _approve(rollout, command, now)
        case Reject(reason=reason) if not reason.strip():
            raise InvalidInput(reason="say why: a rejection needs a reason")
        case Reject(proposal=id_, rejected_by=who, reason=reason):
            proposal = open_proposal(rollout, id_)
            return [
                ProposalRejected(
                    rollout=rollout.id, proposal=proposal.id, rejected_by=who, reason=reason
                )
            ]
        case Abort(reason=reason, trigger=trigger):
            return [
                *lapse(rollout, "the rollout was rolled back"),
                _back(rollout, trigger, reason),
            ]
        case _ as unreachable:
            assert_never(unreachable)


def refuse_unless_active(rollout: Rollout) -> None:
    """Raise RolloutNotFound or RolloutEnded."""
    if rollout.state == "absent":
        raise RolloutNotFound(rollout=rollout.id)
    if not rollout.is_active:
        raise RolloutEnded(rollout=rollout.id, state=rollout.state.replace("_", " "))


def _start(rollout: Rollout, command: StartRollout) -> list[RolloutEvent]:
    if rollout.state != "absent":
        refuse_unless_active(rollout)
        raise RolloutInCharge(flag=rollout.flag, rollout=rollout.id)
    started = RolloutStarted(
        rollout=rollout.id,
        flag=command.flag,
        attempt=command.attempt,
        plan=command.plan.to_json(),
        plan_hash=command.plan.digest(),
        waves=len(command.plan.waves),
        requested_by=command.requested_by,
    )
    return [started, _enter(rollout.id, command.flag, command.plan, 1)]


def _enter(rollout: str, flag: str, plan: Plan, wave: int) -> RolloutEvent:
    stage = plan.stage(wave)
    if not isinstance(stage, Wave):
        return SoakStarted(rollout=rollout, flag=flag, max_silence_us=plan.max_silence)
    return WaveEntered(
        rollout=rollout,
        flag=flag,
        wave=wave,
        name=stage.name,
        audience=stage.audience.to_audience(),
        percentage=stage.percentage,
        max_silence_us=plan.max_silence,
    )


def _judge(rollout: Rollout, command: Judge, now: Timestamp) -> list[RolloutEvent]:
    """A failure rolls back; a full pass proposes; anything less withdraws what was proposed."""
    look = command.assessment
    events: list[RolloutEvent] = []
    if look.action == "rollback":
        events += [
            _judged(rollout, command, now),
            *lapse(rollout, look.reason),
            _back(rollout, "criterion", look.reason),
        ]
        return events
    if _is_news(rollout, look) or now - rollout.judged_at >= HEARTBEAT_US:
        events.append(_judged(rollout, command, now))
    proposal = rollout.proposal
    if proposal is not None:
        problem = outdated(rollout, proposal, command.exposure_version, now)
        if problem is None and look.action != "promote":
            problem = f"its evidence lapsed: {look.reason}"
        if problem is not None:
            return [*events, *lapse(rollout, problem)]
    elif look.action == "promote" and not was_turned_down(rollout, now):
        events.append(_propose(rollout, command, now))
    return events


def _is_news(rollout: Rollout, look: Assessment) -> bool:
    """Whether a verdict, its reason or a tenth of some evidence differs from what was recorded."""
    before = [(j.criterion, j.verdict, int(j.progress * 10)) for j in rollout.judgements]
    after = [(j.criterion, j.verdict, int(j.progress * 10)) for j in look.judgements]
    return (
        rollout.judged_at == 0
        or rollout.verdict != look.verdict
        or _without_numbers(rollout.reason) != _without_numbers(look.reason)
        or before != after
    )


def _without_numbers(reason: str) -> str:
    """The same reason at another count is no news."""
    return re.sub(r"[\d.,]+", "", reason)


def _judged(rollout: Rollout, command: Judge, now: Timestamp) -> WaveJudged:
    look = command.assessment
    return WaveJudged(
        rollout=rollout.id,
        wave=rollout.wave,
        as_of=command.as_of,
        judged_at=now,
        verdict=look.verdict,
        reason=look.reason,
        judgements=look.judgements,
    )


def _propose(rollout: Rollout, command: Judge, now: Timestamp) -> PromotionProposed:
    plan = plans.recorded(rollout.plan)
    return PromotionProposed(
        rollout=rollout.id,
        proposal=f"{rollout.id}-p{rollout.proposed + 1}",
        wave=rollout.wave,
        to=plan.after(rollout.wave),
        as_of=command.as_of,
        evidence_digest=command.evidence_digest,
        plan_hash=rollout.plan_hash,
        exposure_version=command.exposure_version,
        expires_at=now + plan.proposal_expires_after,
    )


def _approve(rollout: Rollout, command: Approve, now: Timestamp) -> list[RolloutEvent]:
    proposal = open_proposal(rollout, command.proposal)
    refuse_approver(rollout, command.approver)
    problem = outdated(rollout, proposal, command.exposure_version, now)
    if problem is not None:
        raise ProposalOutdated(proposal=proposal.id, reason=problem)
    plan = plans.recorded(rollout.plan)
    following: RolloutEvent = RolloutCompleted(rollout=rollout.id, flag=rollout.flag)
    if proposal.to != "completed":
        following = _enter(rollout.id, rollout.flag, plan, rollout.wave + 1)
    return [
        ProposalApproved(
            rollout=rollout.id,
            proposal=proposal.id,
            approver=command.approver.id,
            reason=command.reason,
        ),
        WavePromoted(rollout=rollout.id, proposal=proposal.id, wave=rollout.wave, to=proposal.to),
        following,
    ]


def _back(rollout: Rollout, trigger: Trigger, reason: str) -> RolloutEvent:
    return RolloutRolledBack(rollout=rollout.id, flag=rollout.flag, trigger=trigger, reason=reason)
