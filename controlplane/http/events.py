"""`/api/v1/events`: the record itself, for whoever may read all of it."""

from typing import Annotated

import msgspec
from fastapi import Path, Query, Request, Response

from controlplane.http.calls import FARTHEST, Limit, Plane
from controlplane.http.disclosure import disclosed
from controlplane.http.models import events as models
from controlplane.http.models.events import BATCH, ONE, Format
from controlplane.http.models.form import Page
from controlplane.http.route import router
from controlplane.views import event_view
from events.cloudevents import to_cloudevent
from events.event import Event, RecordedEvent

routes = router("events")

Name = Annotated[str | None, Query(max_length=255)]
Moment = Annotated[
    str | None,
    Query(max_length=64, description="ISO 8601 with a zone.", examples=["2026-11-18T00:00Z"]),
]
As = Annotated[
    Format, Query(alias="format", description="CloudEvents 1.0, or the log's own envelope.")
]


@routes.get("/events", response_model=Page[models.Recorded], responses=models.AS_BATCH)
def list_events(
    request: Request,
    plane: Plane,
    stream: Annotated[str | None, Query(max_length=255, examples=["flag-batch-patches-v1"])] = None,
    type_: Annotated[
        str | None,
        Query(alias="type", max_length=255, description="As stored, or `flag.*` and the like."),
    ] = None,
    actor: Annotated[str | None, Query(max_length=255, description="The id of who did it.")] = None,
    correlation_id: Annotated[
        str | None, Query(max_length=255, description="What it belongs to, such as a rollout.")
    ] = None,
    since: Moment = None,
    until: Annotated[
        str | None, Query(max_length=64, description="ISO 8601 with a zone; exclusive.")
    ] = None,
    after: Annotated[int, Query(ge=0, le=FARTHEST, description="Only positions above it.")] = 0,
    before: Annotated[
        int | None, Query(ge=0, le=FARTHEST, description="Only positions below it.")
    ] = None,
    *,
    newest_first: Annotated[
        bool, Query(description="Backwards: then `next` is to be passed as `before`.")
    ] = False,
    limit: Limit = 100,
    as_: As = "json",
) -> Response:
    """Events that meet all conditions, in the order of the log or backwards."""
    found = plane.events(
        stream=stream,
        type=type_,
        actor=actor,
        correlation_id=correlation_id,
        since=since,
        until=until,
        after=after,
        before=before,
        newest_first=newest_first,
        limit=limit + 1,
    )
    onwards = "before" if newest_first else "after"
    return _page(request, found, limit, as_, onwards)


@routes.get("/events/{position}", response_model=models.Recorded, responses=models.AS_ONE)
def get_event(
    plane: Plane,
    position: Annotated[int, Path(ge=1, le=FARTHEST)],
    as_: As = "json",
) -> Response:
    """The event at a position of the log."""
    event = disclosed(plane.event(position))
    if as_ == "json":
        return Response(msgspec.json.encode(event_view(event)), media_type="application/json")
    return Response(msgspec.json.encode(to_cloudevent(event)), media_type=ONE)


def _page(
    request: Request, found: list[RecordedEvent[Event]], limit: int, as_: Format, onwards: str
) -> Response:
    """A page of what was found, and where to go on if there is more."""
    shown = found[:limit]
    following = shown[-1].position if len(found) > limit else None
    if as_ == "json":
        answer = {"items": [event_view(disclosed(event)) for event in shown], "next": following}
        return Response(msgspec.json.encode(answer), media_type="application/json")
    headers = {}
    if following is not None:
        url = request.url.include_query_params(**{onwards: following})
        headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    content = msgspec.json.encode([to_cloudevent(disclosed(event)) for event in shown])
    return Response(content, media_type=BATCH, headers=headers)
