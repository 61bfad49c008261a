"""The proposals of a rollout."""

from collections.abc import Callable
from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from events.promotions import (
    PromotionDelayed,
    PromotionEvent,
    PromotionProposed,
    ProposalApproved,
    ProposalKind,
    ProposalLapsed,
    ProposalRejected,
    ProposalWithdrawn,
    WavePromoted,
)
from events.timestamps import Timestamp

_KEPT = 20

ProposalState = Literal[
    "open", "approved", "delayed", "promoted", "rejected", "withdrawn", "lapsed"
]
_WAITING: frozenset[ProposalState] = frozenset({"open", "approved", "delayed"})


class Approval(msgspec.Struct, frozen=True):
    """Who agreed, and why."""

    by: str
    reason: str
    at: Timestamp


class Proposal(msgspec.Struct, frozen=True):
    """A promotion that waits for people."""

    id: str
    wave: int
    to: str
    as_of: int
    evidence_digest: str
    plan_hash: str
    exposure_version: int
    expires_at: Timestamp
    proposed_at: Timestamp
    kind: ProposalKind = "promotion"
    proposed_by: str = ""
    needed: int = 1
    """How many people must approve."""
    approvals: tuple[Approval, ...] = ()
    state: ProposalState = "open"
    decided_by: str = ""
    decided_at: Timestamp = 0
    reason: str = ""

    @property
    def waits(self) -> bool:
        """Whether it can still lead to a promotion."""
        return self.state in _WAITING


Proposals = tuple[Proposal, ...]


def evolve(proposals: Proposals, event: PromotionEvent, at: Timestamp) -> Proposals:
    """Return the latest proposals after one more event."""
    match event:
        case PromotionProposed() as proposed:
            return (*proposals, _made(proposed, at))[-_KEPT:]
        case ProposalApproved(proposal=id_, approver=who, reason=reason):
            return _each(proposals, id_, lambda p: _approved(p, Approval(who, reason, at)))
        case ProposalRejected(proposal=id_, rejected_by=who, reason=reason):
            return _decided(proposals, id_, "rejected", who, reason, at)
        case ProposalWithdrawn(proposal=id_, withdrawn_by=who, reason=reason):
            return _decided(proposals, id_, "withdrawn", who, reason, at)
        case ProposalLapsed(proposal=id_, reason=reason):
            return _decided(proposals, id_, "lapsed", "", reason, at)
        case PromotionDelayed(proposal=id_, reason=reason):
            return _each(proposals, id_, lambda p: replace(p, state="delayed", reason=reason))
        case WavePromoted(proposal=id_):
            return _each(proposals, id_, lambda p: replace(p, state="promoted"))
        case _ as unreachable:
            assert_never(unreachable)


def _made(event: PromotionProposed, at: Timestamp) -> Proposal:
    return Proposal(
        id=event.proposal,
        kind=event.kind,
        wave=event.wave,
        to=event.to,
        proposed_by=event.proposed_by,
        reason=event.reason,
        needed=event.approvals,
        as_of=event.as_of,
        evidence_digest=event.evidence_digest,
        plan_hash=event.plan_hash,
        exposure_version=event.exposure_version,
        expires_at=event.expires_at,
        proposed_at=at,
    )


def _approved(proposal: Proposal, approval: Approval) -> Proposal:
    """The last approval that is needed decides it."""
    approvals = (*proposal.approvals, approval)
    if len(approvals) < proposal.needed:
        return replace(proposal, approvals=approvals)
    return replace(
        proposal,
        approvals=approvals,
        state="approved",
        decided_by=approval.by,
        decided_at=approval.at,
        reason=approval.reason,
    )


def _decided(
    proposals: Proposals, id_: str, state: ProposalState, who: str, reason: str, at: Timestamp
) -> Proposals:
    def decide(proposal: Proposal) -> Proposal:
        return replace(proposal, state=state, decided_by=who, decided_at=at, reason=reason)

    return _each(proposals, id_, decide)


def _each(proposals: Proposals, id_: str, change: Callable[[Proposal], Proposal]) -> Proposals:
    return tuple(change(proposal) if proposal.id == id_ else proposal for proposal in proposals)
