"""When a proposal holds, and who may approve it."""

import unicodedata

from controlplane import plans
from controlplane.errors import NotAPerson, ProposalClosed, ProposalNotFound, SamePerson
from events.event import Actor
from events.rollouts import ProposalLapsed, RolloutEvent
from events.timestamps import Timestamp
from projections.rollouts import Proposal, Rollout


def was_turned_down(rollout: Rollout, now: Timestamp) -> bool:
    """Whether a person said no in this wave a short while ago."""
    plan = plans.recorded(rollout.plan)
    return any(
        proposal.state == "rejected"
        and proposal.wave == rollout.wave
        and now - proposal.decided_at < plan.propose_again_after
        for proposal in rollout.proposals
    )


def refuse_approver(rollout: Rollout, approver: Actor) -> None:
    """Raise NotAPerson, or SamePerson for who asked for the rollout, however it is written."""
    if approver.kind not in ("person", "token"):
        raise NotAPerson(actor=approver.id)
    if _plain(approver.id) == _plain(rollout.requested_by):
        raise SamePerson(actor=approver.id, rollout=rollout.id)


def _plain(id_: str) -> str:
    """As it looks: without case, width, what cannot be seen, and spaces but single ones inside."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", id_).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())


def open_proposal(rollout: Rollout, id_: str) -> Proposal:
    """The proposal, if it waits. Raises ProposalNotFound, ProposalClosed."""
    for proposal in rollout.proposals:
        if proposal.id == id_:
            if proposal.state != "open":
                why = f" ({proposal.reason})" if proposal.reason else ""
                raise ProposalClosed(proposal=id_, state=proposal.state, why=why)
            return proposal
    raise ProposalNotFound(proposal=id_)


def outdated(
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


def lapse(rollout: Rollout, reason: str) -> list[RolloutEvent]:
    """End the proposal that waits, if one does."""
    proposal = rollout.proposal
    if proposal is None:
        return []
    return [ProposalLapsed(rollout=rollout.id, proposal=proposal.id, reason=reason)]
