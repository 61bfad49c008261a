"""`/api/v1/flags`: who gets the new code."""

from http import HTTPStatus

from fastapi import Response

from controlplane.bucketing import Explanation
from controlplane.errors import FlagNotFound
from controlplane.http.calls import (
    After,
    Asking,
    FlagName,
    Json,
    Limit,
    Plane,
    page_of,
    refuse_unseen,
    tag,
)
from controlplane.http.models import flags as models
from controlplane.http.models.events import Recorded
from controlplane.http.models.flags import Explained, Flag
from controlplane.http.models.form import NOTHING_SAID, Page, PerhapsBecause, everything
from controlplane.http.route import router
from controlplane.views import event_view, explanation_view, flag_view
from events.flags import Variant, flag_stream

routes = router("flags")


@routes.get("/flags", response_model=Page[Flag])
def list_flags(plane: Plane, asking: Asking, after: After = 0, limit: Limit = 100) -> Json:
    """All flags, in the order in which they last changed."""
    found = [flag for flag in plane.flags.all() if asking.sees(flag.name)]
    return page_of(found, flag_view, after, limit)


@routes.post("/flags", status_code=HTTPStatus.CREATED, response_model=Flag)
def create_flag(body: models.Creation, plane: Plane, asking: Asking) -> Json:
    """Make a flag, off for everyone."""
    refuse_unseen(asking, body.name)
    return flag_view(plane.flags.create(**body.model_dump(), actor=asking.actor))


@routes.get("/flags/{flag}", response_model=Flag)
def get_flag(flag: FlagName, plane: Plane, response: Response) -> Json:
    """One flag as it stands; its version is the ETag."""
    tag(response, plane, flag_stream(flag))
    return flag_view(plane.flags.get(flag))


@routes.patch("/flags/{flag}", response_model=Flag)
def describe_flag(flag: FlagName, body: models.Description, plane: Plane, asking: Asking) -> Json:
    """Change owner, description or tags."""
    tags = None if body.tags is None else tuple(body.tags)
    described = plane.flags.describe(
        flag, owner=body.owner, description=body.description, tags=tags, actor=asking.actor
    )
    return flag_view(described)


@routes.post("/flags/{flag}/enable", response_model=Flag)
def enable_flag(flag: FlagName, body: models.Exposing, plane: Plane, asking: Asking) -> Json:
    """Switch on at a percentage of an audience. Raising takes an approver."""
    enabled = plane.flags.enable(
        flag,
        percentage=body.percentage,
        audience=body.audience.to_audience(),
        reason=body.reason,
        actor=asking.actor,
        may_raise=asking.may("flags.raise"),
    )
    return flag_view(enabled)


@routes.post("/flags/{flag}/percentage", response_model=Flag)
def set_percentage(flag: FlagName, body: models.Exposing, plane: Plane, asking: Asking) -> Json:
    """Move the percentage of a flag that is on. Raising takes an approver."""
    moved = plane.flags.set_percentage(
        flag,
        body.percentage,
        audience=body.audience.to_audience(),
        reason=body.reason,
        actor=asking.actor,
        may_raise=asking.may("flags.raise"),
    )
    return flag_view(moved)


@routes.post("/flags/{flag}/disable", response_model=Flag)
def disable_flag(
    flag: FlagName, plane: Plane, asking: Asking, body: PerhapsBecause = NOTHING_SAID
) -> Json:
    """Switch off for everyone, at once; a rollout in charge is thereby rolled back."""
    return flag_view(plane.flags.disable(flag, reason=body.reason, actor=asking.actor))


@routes.post("/flags/{flag}/archive", response_model=Flag)
def archive_flag(
    flag: FlagName, plane: Plane, asking: Asking, body: PerhapsBecause = NOTHING_SAID
) -> Json:
    """Retire a flag; it stays off for ever."""
    return flag_view(plane.flags.archive(flag, reason=body.reason, actor=asking.actor))


@routes.post("/flags/{flag}/break-glass", response_model=Flag)
def break_glass(flag: FlagName, body: models.GlassBreaking, plane: Plane, asking: Asking) -> Json:
    """Raise an exposure alone, past its rollout and past open alerts; somebody else reviews it."""
    raised = plane.flags.break_glass(
        flag,
        body.percentage,
        audience=body.audience.to_audience(),
        reason=body.reason,
        actor=asking.actor,
    )
    return flag_view(raised)


@routes.post("/flags/{flag}/revert", response_model=Flag)
def revert_flag(flag: FlagName, body: models.Reverting, plane: Plane, asking: Asking) -> Json:
    """Lead a flag back to how it stood at a moment or a log position, by ordinary commands."""
    return flag_view(plane.flags.revert(flag, body.at, reason=body.reason, actor=asking.actor))


@routes.put("/flags/{flag}/variants", response_model=Flag)
def define_variants(flag: FlagName, body: models.Variants, plane: Plane, asking: Asking) -> Json:
    """Say anew, as a whole, what a flag can answer."""
    defined = plane.flags.define_variants(
        flag,
        kind=body.kind,
        variants=[Variant(one.name, one.value, one.weight) for one in body.variants],
        default=body.default,
        reason=body.reason,
        actor=asking.actor,
    )
    return flag_view(defined)


@routes.get("/flags/{flag}/history", response_model=Page[Recorded])
def flag_history(flag: FlagName, plane: Plane) -> Json:
    """Everything that ever happened to a flag."""
    return everything([event_view(event) for event in plane.flags.history(flag)])


@routes.post("/flags/{flag}/evaluate", response_model=Explained)
def explain_flag(flag: FlagName, body: models.Question, plane: Plane) -> Json:
    """What a unit gets, and why."""
    return answered(plane.flags.explain(flag, body.unit, body.attributes))


def answered(explanation: Explanation) -> Json:
    """What a unit gets. Raises FlagNotFound."""
    if explanation.reason == "FLAG_NOT_FOUND":
        raise FlagNotFound(flag=explanation.flag)
    return explanation_view(explanation)
