"""`/api/v1/rollouts/…`, `/api/v1/overrides/…`: what people do to one that runs."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path

from controlplane.http.calls import Asking, Json, Plane
from controlplane.http.models import steering as models
from controlplane.http.models.form import NOTHING_SAID, Because, PerhapsBecause
from controlplane.http.models.rollouts import Rollout
from controlplane.http.rollouts import RolloutId
from controlplane.http.route import router
from controlplane.views import rollout_view

routes = router("rollouts")

OverrideId = Annotated[str, Path(min_length=1, max_length=200, examples=["batch-patches-v1-r1-o1"])]


@routes.post("/rollouts/{rollout}/pause", response_model=Rollout)
def pause_rollout(rollout: RolloutId, body: Because, plane: Plane, asking: Asking) -> Json:
    """Hold the wave and its clock. What is served stays, guardrails go on."""
    return rollout_view(plane.rollouts.pause(rollout, reason=body.reason, actor=asking.actor))


@routes.post("/rollouts/{rollout}/resume", response_model=Rollout)
def resume_rollout(
    rollout: RolloutId, plane: Plane, asking: Asking, body: PerhapsBecause = NOTHING_SAID
) -> Json:
    """Release what people hold it by."""
    return rollout_view(plane.rollouts.resume(rollout, reason=body.reason, actor=asking.actor))


@routes.post("/rollouts/{rollout}/extend", response_model=Rollout)
def extend_rollout(
    rollout: RolloutId, body: models.Extension, plane: Plane, asking: Asking
) -> Json:
    """Watch the present wave for longer."""
    extended = plane.rollouts.extend_bake(rollout, body.by, reason=body.reason, actor=asking.actor)
    return rollout_view(extended)


@routes.post("/rollouts/{rollout}/skip", response_model=Rollout)
def skip_wave(rollout: RolloutId, body: Because, plane: Plane, asking: Asking) -> Json:
    """Propose to go on without the evidence; others must approve."""
    return rollout_view(plane.rollouts.skip(rollout, reason=body.reason, actor=asking.actor))


@routes.post(
    "/rollouts/{rollout}/overrides", status_code=HTTPStatus.CREATED, response_model=Rollout
)
def request_override(
    rollout: RolloutId, body: models.OverrideRequest, plane: Plane, asking: Asking
) -> Json:
    """Ask that a criterion need not pass in the present wave; a second person must agree."""
    asked = plane.rollouts.request_override(
        rollout, body.criterion, reason=body.reason, lasts=body.lasts, actor=asking.actor
    )
    return rollout_view(asked)


@routes.post("/overrides/{override}/approve", response_model=Rollout)
def approve_override(
    override: OverrideId, plane: Plane, asking: Asking, body: PerhapsBecause = NOTHING_SAID
) -> Json:
    """Agree to an override, as a second person."""
    return rollout_view(
        plane.rollouts.approve_override(override, reason=body.reason, actor=asking.actor)
    )


@routes.post("/overrides/{override}/withdraw", response_model=Rollout)
def withdraw_override(override: OverrideId, body: Because, plane: Plane, asking: Asking) -> Json:
    """End an override, approved or not."""
    return rollout_view(
        plane.rollouts.withdraw_override(override, reason=body.reason, actor=asking.actor)
    )


@routes.post("/rollouts/{rollout}/sign-offs", response_model=Rollout)
def sign_off(rollout: RolloutId, body: models.Signature, plane: Plane, asking: Asking) -> Json:
    """Vouch for an item of the checklist, or for a manual criterion of the present wave."""
    signed = plane.rollouts.sign_off(
        rollout, body.item, role=body.role, note=body.note, actor=asking.actor
    )
    return rollout_view(signed)


@routes.post("/rollouts/{rollout}/sign-offs/withdraw", response_model=Rollout)
def withdraw_sign_off(
    rollout: RolloutId, body: models.SignatureWithdrawal, plane: Plane, asking: Asking
) -> Json:
    """No longer vouch for it."""
    withdrawn = plane.rollouts.withdraw_sign_off(
        rollout, body.item, reason=body.reason, actor=asking.actor
    )
    return rollout_view(withdrawn)


@routes.post("/rollouts/{rollout}/answers", response_model=Rollout)
def answer_criterion(
    rollout: RolloutId, body: models.CriterionAnswer, plane: Plane, asking: Asking
) -> Json:
    """Say what something outside found about an external criterion of the present wave."""
    answered = plane.rollouts.answer(
        rollout, body.criterion, body.verdict, detail=body.detail, actor=asking.actor
    )
    return rollout_view(answered)


@routes.post("/rollouts/{rollout}/abort", response_model=Rollout)
def abort_rollout(
    rollout: RolloutId, plane: Plane, asking: Asking, body: PerhapsBecause = NOTHING_SAID
) -> Json:
    """Roll back: the flag is off for everyone when this answers. Needs no approval."""
    return rollout_view(plane.rollouts.abort(rollout, reason=body.reason, actor=asking.actor))
