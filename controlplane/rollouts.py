"""What may be done to a rollout."""

import re
import unicodedata
from dataclasses import dataclass
from typing import assert_never

from controlplane import plans
from controlplane.assessment import Assessment
from controlplane.errors import (
    InvalidInput,
    NotAPerson,
    ProposalClosed,
    ProposalNotFound,
    ProposalOutdated,
    RolloutEnded,
    RolloutInCharge,
    RolloutNotFound,
    SamePerson,
)
from controlplane.plans import Plan, Wave
from events.event import Actor
from events.rollouts import (
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
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
from projections.rollouts import Proposal, Rollout

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
            proposal = _open_proposal(rollout, id_)
            return [
                ProposalRejected(
                    rollout=rollout.id, proposal=proposal.id, rejected_by=who, reason=reason
                )
            ]
        case Abort(reason=reason, trigger=trigger):
            return [
                *_lapse(rollout, "the rollout was rolled back"),
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
            *_lapse(rollout, look.reason),
            _back(rollout, "criterion", look.reason),
        ]
        return events
    if _is_news(rollout, look) or now - rollout.judged_at >= HEARTBEAT_US:
        events.append(_judged(rollout, command, now))
    proposal = rollout.proposal
    if proposal is not None:
        problem = _outdated(rollout, proposal, command.exposure_version, now)
        if problem is None and look.action != "promote":
            problem = f"its evidence lapsed: {look.reason}"
        if problem is not None:
            return [*events, *_lapse(rollout, problem)]
    elif look.action == "promote" and not _was_turned_down(rollout, now):
        events.append(_propose(rollout, command, now))
    return events


def _was_turned_down(rollout: Rollout, now: Timestamp) -> bool:
    """Whether a person said no in this wave a short while ago."""
    plan = plans.recorded(rollout.plan)
    return any(
        proposal.state == "rejected"
        and proposal.wave == rollout.wave
        and now - proposal.decided_at < plan.propose_again_after
        for proposal in rollout.proposals
    )


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
        proposal=f"{rollout.id}-p{len(rollout.proposals) + 1}",
        wave=rollout.wave,
        to=plan.after(rollout.wave),
        as_of=command.as_of,
        evidence_digest=command.evidence_digest,
        plan_hash=rollout.plan_hash,
        exposure_version=command.exposure_version,
        expires_at=now + plan.proposal_expires_after,
    )


def _approve(rollout: Rollout, command: Approve, now: Timestamp) -> list[RolloutEvent]:
    proposal = _open_proposal(rollout, command.proposal)
    if command.approver.kind not in ("person", "token"):
        raise NotAPerson(actor=command.approver.id)
    if _same_person(command.approver.id, rollout.requested_by):
        raise SamePerson(actor=command.approver.id, rollout=rollout.id)
    problem = _outdated(rollout, proposal, command.exposure_version, now)
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


def _same_person(one: str, other: str) -> bool:
    """Whether two ids are one, however they are written."""
    return _plain(one) == _plain(other)


def _plain(id_: str) -> str:
    """As it looks: without case, width, what cannot be seen, and spaces but single ones inside."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", id_).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())


def _open_proposal(rollout: Rollout, id_: str) -> Proposal:
    for proposal in rollout.proposals:
        if proposal.id == id_:
            if proposal.state != "open":
                why = f" ({proposal.reason})" if proposal.reason else ""
                raise ProposalClosed(proposal=id_, state=proposal.state, why=why)
            return proposal
    raise ProposalNotFound(proposal=id_)


def _outdated(
    rollout: Rollout, proposal: Proposal, exposure_version: int, now: Timestamp
) -> str | None:
    """Why a proposal no longer describes the state it was made from."""
    if now >= proposal.expires_at:
        return "it expired"
    if exposure_version != proposal.exposure_version:
        return "the flag's exposure was changed since"
    if (rollout.plan_hash, rollout.wave) != (proposal.plan_hash, proposal.wave):
        return "the rollout moved on"
    return None


def _lapse(rollout: Rollout, reason: str) -> list[RolloutEvent]:
    proposal = rollout.proposal
    if proposal is None:
        return []
    return [ProposalLapsed(rollout=rollout.id, proposal=proposal.id, reason=reason)]


def _back(rollout: Rollout, trigger: Trigger, reason: str) -> RolloutEvent:
    return RolloutRolledBack(rollout=rollout.id, flag=rollout.flag, trigger=trigger, reason=reason)
