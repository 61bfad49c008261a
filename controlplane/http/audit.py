"""`/api/v1/audit`: who did what, when, on whose approval, and why."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal, TypeVar

import msgspec
from fastapi import Depends, Path, Query, Request, Response

from controlplane.audit_views import (
    COLUMNS,
    count_view,
    deed_view,
    event_row,
    happening_view,
    lines,
    told_view,
    why_view,
)
from controlplane.csv_tables import to_csv
from controlplane.http.calls import FARTHEST, After, Asking, FlagName, Json, Limit, Plane, page_of
from controlplane.http.disclosure import disclosed, narrowed
from controlplane.http.events import Moment, Name
from controlplane.http.models.audit import (
    AS_WANTED,
    CSV,
    NDJSON,
    Counts,
    Deed,
    Happening,
    Told,
    Why,
)
from controlplane.http.models.events import BATCH
from controlplane.http.models.form import Page
from controlplane.http.rollouts import RolloutId
from controlplane.http.route import router
from controlplane.plane.questions import Question, Which
from events.cloudevents import to_cloudevent
from events.event import ActorKind
from events.log import Dimension
from projections import audit

routes = router("audit", prefix="/api/v1/audit")

Format = Literal["json", "ndjson", "csv", "cloudevents"]
Backwards = Annotated[
    bool, Query(description="Backwards: then `next` is to be passed as `before`.")
]
Pattern = Annotated[str, Query(max_length=255)]
T = TypeVar("T")


async def _within(
    actor: Annotated[Name, Query(description="The id of who did it.")] = None,
    since: Moment = None,
    until: Annotated[
        str | None, Query(max_length=64, description="ISO 8601 with a zone; exclusive.")
    ] = None,
    after: Annotated[int, Query(ge=0, le=FARTHEST, description="Only positions above it.")] = 0,
    before: Annotated[
        int | None, Query(ge=0, le=FARTHEST, description="Only positions below it.")
    ] = None,
) -> Question:
    return {"actor": actor, "since": since, "until": until, "after": after, "before": before}


Within = Annotated[Question, Depends(_within)]


async def _asked(
    within: Within,
    slice_: Annotated[
        audit.Slice | None, Query(alias="slice", description="A part of it all.")
    ] = None,
    type_: Annotated[
        list[Pattern] | None,
        Query(alias="type", max_length=50, description="As stored, or `flag.*`; any of several."),
    ] = None,
    stream: Annotated[Name, Query(examples=["flag-batch-patches-v1"])] = None,
    kind: Annotated[ActorKind | None, Query(description="Of who did it.")] = None,
    correlation_id: Annotated[
        Name, Query(description="What it belongs to, such as a rollout.")
    ] = None,
    text: Annotated[
        Name, Query(description="What a reason, a note or a finding says, in any case.")
    ] = None,
    clock: Annotated[
        Which, Query(description="Whose time `since` and `until` are: of who told it, or the log's")
    ] = "occurred",
) -> Question:
    return within | {
        "slice": slice_,
        "type": type_,
        "stream": stream,
        "kind": kind,
        "correlation_id": correlation_id,
        "text": text,
        "clock": clock,
    }


Asked = Annotated[Question, Depends(_asked)]


@routes.get("/events", response_model=Page[Told], responses=AS_WANTED)
def audit_events(
    request: Request,
    plane: Plane,
    asked: Asked,
    *,
    newest_first: Backwards = False,
    limit: Limit = 100,
    as_: Annotated[Format, Query(alias="format", description="CSV is for spreadsheets.")] = "json",
) -> Response:
    """Events that meet all conditions, in the order of the log or backwards."""
    asked |= {"newest_first": newest_first, "limit": limit + 1}
    found = plane.audit.events(**asked)
    shown = [disclosed(event) for event in found[:limit]]
    following = shown[-1].position if len(found) > limit else None
    if as_ == "json":
        answer = {"items": [told_view(event) for event in shown], "next": following}
        return Response(msgspec.json.encode(answer), media_type="application/json")
    headers = {}
    if following is not None:
        url = request.url.include_query_params(**{"before" if newest_first else "after": following})
        headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    if as_ == "ndjson":
        text = lines([told_view(event) for event in shown])
        return Response(text, media_type=NDJSON, headers=headers)
    if as_ == "csv":
        return Response(to_csv(COLUMNS, map(event_row, shown)), media_type=CSV, headers=headers)
    content = msgspec.json.encode([to_cloudevent(event) for event in shown])
    return Response(content, media_type=BATCH, headers=headers)


@routes.get("/counts", response_model=Counts, response_model_exclude_unset=True)
def audit_counts(
    plane: Plane,
    asked: Asked,
    group_by: Annotated[list[Dimension], Query(max_length=6, description="Counted together.")] = [],  # noqa: B006  why: FastAPI copies it
    limit: Limit = 1000,
) -> Json:
    """How many events meet all conditions, by what they have in common."""
    groups = tuple(dict.fromkeys(group_by))
    found = plane.audit.count(groups, **asked)
    return {
        "items": [count_view(one, groups) for one in found[:limit]],
        "groups": len(found),
        "events": sum(one.count for one in found),
    }


@routes.get("/why/{position}", response_model=Why)
def audit_why(plane: Plane, position: Annotated[int, Path(ge=1, le=FARTHEST)]) -> Json:
    """What led to an event, from the first cause on, and what it led to."""
    found = plane.audit.why(position)
    return why_view(
        replace(
            found,
            causes=tuple(map(disclosed, found.causes)),
            event=disclosed(found.event),
            effects=tuple(map(_shown, found.effects)),
        )
    )


@routes.get("/denied", response_model=Page[Told])
def audit_denied(
    plane: Plane,
    within: Within,
    text: Annotated[Name, Query(description="What the refusal says.")] = None,
    *,
    newest_first: Backwards = False,
    limit: Limit = 100,
) -> Json:
    """Commands that were refused, to whom, from where and why."""
    within |= {"text": text, "newest_first": newest_first, "limit": limit + 1}
    found = plane.audit.denied(**within)
    return _page(found, limit, lambda event: event.position, told_view)


@routes.get("/approvals", response_model=Page[Deed])
def audit_approvals(
    plane: Plane, within: Within, *, newest_first: Backwards = False, limit: Limit = 100
) -> Json:
    """What people agreed to, turned down, signed or took back, and who had asked for it."""
    within |= {"newest_first": newest_first, "limit": limit + 1}
    return _deeds(plane.audit.approvals(**within), limit)


@routes.get("/flags/{flag}/changes", response_model=Page[Deed])
def flag_changes(
    flag: FlagName,
    plane: Plane,
    within: Within,
    *,
    newest_first: Backwards = False,
    limit: Limit = 100,
) -> Json:
    """Every change of a flag: by whom, by which command, and on whose approval."""
    within |= {"newest_first": newest_first, "limit": limit + 1}
    return _deeds(plane.audit.who_changed(flag, **within), limit)


@routes.get("/rollouts/{rollout}/approvals", response_model=Page[Deed])
def rollout_approvals(
    rollout: RolloutId,
    plane: Plane,
    within: Within,
    *,
    newest_first: Backwards = False,
    limit: Limit = 100,
) -> Json:
    """What people agreed to, or did not, about one rollout."""
    within |= {"newest_first": newest_first, "limit": limit + 1}
    return _deeds(plane.audit.approvals(rollout, **within), limit)


@routes.get("/rollouts/{rollout}/timeline", response_model=Page[Happening])
def rollout_timeline(
    rollout: RolloutId, plane: Plane, asking: Asking, after: After = 0, limit: Limit = 100
) -> Json:
    """All that happened to a rollout, to its flag and alerts, and freezes meanwhile."""
    found = [
        replace(one, event=narrowed(one.event, asking)) for one in plane.audit.timeline(rollout)
    ]
    return page_of(found, happening_view, after, limit)


def _deeds(found: list[audit.Deed], limit: int) -> Json:
    """A page of what was done. Nothing in it is about webhooks."""
    return _page(found, limit, lambda deed: deed.event.position, deed_view)


def _page(
    found: list[T], limit: int, position: Callable[[T], int], view: Callable[[T], Json]
) -> Json:
    shown = found[:limit]
    onwards = position(shown[-1]) if len(found) > limit else None
    return {"items": [view(one) for one in shown], "next": onwards}


def _shown(effect: audit.Effect) -> audit.Effect:
    return audit.Effect(disclosed(effect.event), tuple(map(_shown, effect.effects)))
