"""`/api/v1/rollouts`: asking for one, starting it, and where it stands."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Query, Response

from controlplane import plans
from controlplane.history.past import Known
from controlplane.http.calls import (
    After,
    Asking,
    Json,
    Limit,
    Plane,
    page_of,
    refuse_unseen,
    tag,
    when,
)
from controlplane.http.models import steering as models
from controlplane.http.models.form import Because, Page, everything
from controlplane.http.models.rollouts import ChecklistItem, Rollout, Standing, Status, Verification
from controlplane.http.route import router
from controlplane.plans import FOUR_WAVES
from controlplane.views import (
    checklist_view,
    plan_view,
    rollout_view,
    standing_view,
    status_view,
    verification_view,
)
from events.rollouts import rollout_stream

routes = router("rollouts", prefix="/api/v1/rollouts")

RolloutId = Annotated[str, Path(min_length=1, max_length=200, examples=["batch-patches-v1-r1"])]
NOW = models.Submission()
AGREED = models.StartApproval()


@routes.get("", response_model=Page[Rollout])
def list_rollouts(plane: Plane, asking: Asking, after: After = 0, limit: Limit = 100) -> Json:
    """All rollouts, in the order in which they last changed."""
    found = [rollout for rollout in plane.rollouts.all() if asking.sees(rollout.flag)]
    return page_of(found, rollout_view, after, limit)


@routes.post("", status_code=HTTPStatus.CREATED, response_model=Rollout)
def start_rollout(body: models.Starting, plane: Plane, asking: Asking) -> Json:
    """Draft a rollout and enter its first wave."""
    refuse_unseen(asking, body.flag)
    plan = FOUR_WAVES if body.plan is None else body.plan
    return rollout_view(
        plane.rollouts.start(
            plan, flag=body.flag, actor=asking.actor, may_plan=asking.may("plans.edit")
        )
    )


@routes.post("/drafts", status_code=HTTPStatus.CREATED, response_model=Rollout)
def draft_rollout(body: models.Starting, plane: Plane, asking: Asking) -> Json:
    """Ask for a rollout, to be signed off, approved and started later."""
    refuse_unseen(asking, body.flag)
    plan = FOUR_WAVES if body.plan is None else body.plan
    return rollout_view(
        plane.rollouts.draft(
            plan, flag=body.flag, actor=asking.actor, may_plan=asking.may("plans.edit")
        )
    )


@routes.get("/{rollout}", response_model=Rollout)
def get_rollout(rollout: RolloutId, plane: Plane, response: Response) -> Json:
    """A rollout as it stands; its version is the ETag."""
    tag(response, plane, rollout_stream(rollout))
    return rollout_view(plane.rollouts.get(rollout))


@routes.put("/{rollout}/plan", response_model=Rollout)
def revise_rollout(rollout: RolloutId, body: models.Revision, plane: Plane, asking: Asking) -> Json:
    """Give one that has not started another plan; its approvals begin anew."""
    return rollout_view(plane.rollouts.revise(rollout, body.plan, actor=asking.actor))


@routes.post("/{rollout}/submit", response_model=Rollout)
def submit_rollout(
    rollout: RolloutId, plane: Plane, asking: Asking, body: models.Submission = NOW
) -> Json:
    """Ask for approval of the start."""
    return rollout_view(plane.rollouts.submit(rollout, start_at=body.start_at, actor=asking.actor))


@routes.post("/{rollout}/approve-start", response_model=Rollout)
def approve_start(
    rollout: RolloutId, plane: Plane, asking: Asking, body: models.StartApproval = AGREED
) -> Json:
    """Agree to the start, as somebody else than who asked for it."""
    return rollout_view(
        plane.rollouts.approve_start(
            rollout, reason=body.reason, plan_hash=body.plan_hash, actor=asking.actor
        )
    )


@routes.post("/{rollout}/reject-start", response_model=Rollout)
def reject_start(rollout: RolloutId, body: Because, plane: Plane, asking: Asking) -> Json:
    """Send it back to its authors."""
    return rollout_view(
        plane.rollouts.reject_start(rollout, reason=body.reason, actor=asking.actor)
    )


@routes.post("/{rollout}/start", response_model=Rollout)
def start_draft(rollout: RolloutId, plane: Plane, asking: Asking) -> Json:
    """Enter the first wave of a rollout that was drafted."""
    return rollout_view(plane.rollouts.start(rollout=rollout, actor=asking.actor))


@routes.post("/{rollout}/retry", status_code=HTTPStatus.CREATED, response_model=Rollout)
def retry_rollout(rollout: RolloutId, plane: Plane, asking: Asking) -> Json:
    """Try again with the same plan: a new attempt, of which nothing is decided yet."""
    return rollout_view(
        plane.rollouts.retry(rollout, actor=asking.actor, may_plan=asking.may("plans.edit"))
    )


@routes.post("/{rollout}/evaluate", response_model=Rollout)
def evaluate_rollout(rollout: RolloutId, plane: Plane, asking: Asking) -> Json:
    """Take one look now, record what is new and act on it, as the scheduler does."""
    return rollout_view(plane.rollouts.evaluate(rollout, actor=asking.actor))


@routes.get("/{rollout}/status", response_model=Status)
def rollout_status(rollout: RolloutId, plane: Plane) -> Json:
    """Where it stands and what it waits for, judged now; nothing is recorded."""
    return status_view(plane.rollouts.status(rollout))


@routes.get("/{rollout}/explain", response_model=Standing)
def explain_rollout(
    rollout: RolloutId,
    plane: Plane,
    at: Annotated[
        str | None,
        Query(max_length=40, description="A moment (ISO 8601 with a zone) or a log position."),
    ] = None,
    known: Annotated[
        Known, Query(description="`now`: also what was recorded later of what had happened by then")
    ] = "then",
) -> Json:
    """Why it stands where it does, or stood there at any moment, and what was decided."""
    if at is not None and known == "now":
        return standing_view(plane.as_of(when(at), known).rollouts.explain(rollout))
    return standing_view(plane.rollouts.explain(rollout, None if at is None else when(at)))


@routes.get("/{rollout}/verify", response_model=Verification)
def verify_rollout(rollout: RolloutId, plane: Plane) -> Json:
    """Judge again, from the log alone, all that was judged."""
    return verification_view(plane.rollouts.verify(rollout))


@routes.get("/{rollout}/checklist", response_model=Page[ChecklistItem])
def rollout_checklist(rollout: RolloutId, plane: Plane) -> Json:
    """What people vouch for, before which stage it is due, and who has."""
    return everything(checklist_view(plane.rollouts.status(rollout)))


@routes.get("/{rollout}/plan", response_model=dict[str, Any])
def rollout_plan(rollout: RolloutId, plane: Plane) -> Json:
    """The plan that it runs."""
    return plan_view(plans.recorded(plane.rollouts.get(rollout).plan))
