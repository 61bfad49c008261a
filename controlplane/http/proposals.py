"""`/api/v1/proposals`: promotions that wait for people."""

from typing import Annotated

from fastapi import Path

from controlplane.http.calls import After, Asking, Json, Limit, Plane, page
from controlplane.http.models.form import NOTHING_SAID, Because, Page, PerhapsBecause
from controlplane.http.models.rollouts import Rollout, WaitingProposal
from controlplane.http.route import router
from controlplane.views import proposal_view, rollout_view

routes = router("proposals", prefix="/api/v1/proposals")

ProposalId = Annotated[str, Path(min_length=1, max_length=200, examples=["batch-patches-v1-r1-p1"])]


@routes.get("", response_model=Page[WaitingProposal])
def list_proposals(plane: Plane, asking: Asking, after: After = 0, limit: Limit = 100) -> Json:
    """Those that wait."""
    found = [
        (rollout.position, proposal_view(proposal) | _of(rollout.id, rollout.position))
        for rollout, proposal in plane.rollouts.proposals()
        if asking.sees(rollout.flag)
    ]
    return page(found, after, limit)


def _of(rollout: str, position: int) -> Json:
    return {"rollout": rollout, "position": position}


@routes.post("/{proposal}/approve", response_model=Rollout)
def approve_proposal(
    proposal: ProposalId, plane: Plane, asking: Asking, body: PerhapsBecause = NOTHING_SAID
) -> Json:
    """Agree: with the last approval it needs, its wave is promoted at once."""
    return rollout_view(plane.rollouts.approve(proposal, reason=body.reason, actor=asking.actor))


@routes.post("/{proposal}/reject", response_model=Rollout)
def reject_proposal(proposal: ProposalId, body: Because, plane: Plane, asking: Asking) -> Json:
    """Turn it down: the wave is held until somebody else than its askers resumes it."""
    return rollout_view(plane.rollouts.reject(proposal, reason=body.reason, actor=asking.actor))


@routes.post("/{proposal}/withdraw", response_model=Rollout)
def withdraw_proposal(proposal: ProposalId, body: Because, plane: Plane, asking: Asking) -> Json:
    """Take it back: the wave is held until somebody resumes it."""
    return rollout_view(plane.rollouts.withdraw(proposal, reason=body.reason, actor=asking.actor))
