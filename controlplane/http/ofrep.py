"""OFREP 0.3: `POST /ofrep/v1/evaluate/flags`, with or without a key, and `GET /ofrep/v1/stream`.

Answered from memory, in the event loop: the database may be away.
"""

from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import Header, Query, Request, Response

from controlplane.http.calls import Asking, Plane
from controlplane.http.flag_hub import RefetchFeed, last_change, last_moment, seen_by
from controlplane.http.hub import Hubs
from controlplane.http.models.ofrep import ASKED, BulkFailure, Evaluation, Evaluations, Failure
from controlplane.http.models.problem import PROBLEMS
from controlplane.http.ofrep_answers import (
    NotUnderstoodError,
    context_of,
    failure,
    matches,
    position_in,
    resolution,
    resolutions,
    seconds_in,
    tag,
)
from controlplane.http.route import router
from controlplane.http.sse import EventStream
from controlplane.http.streams import EVENT_STREAM, LastEventId, position_of
from events.errors import LogUnavailable

routes = router("ofrep", prefix="/ofrep/v1")

_JSON = "application/json"
_BODY: dict[str, Any] = {"requestBody": {"required": False, "content": {_JSON: {"schema": ASKED}}}}


@routes.post(
    "/evaluate/flags/{key}",
    openapi_extra=_BODY,
    responses={
        200: {"model": Evaluation},
        400: PROBLEMS[400] | {"model": Failure},
        404: {"model": Failure},
    },
)
async def evaluate_flag(key: str, request: Request, plane: Plane, asking: Asking) -> Response:
    """What one flag answers."""
    try:
        context = context_of(await request.body())
    except NotUnderstoodError as error:
        return _answer(failure(key, error.code, str(error)), HTTPStatus.BAD_REQUEST)
    flag = plane.flags.snapshot.known(key)
    if not (flag.exists and asking.sees(key)):
        details = f"There is no flag {key}"
        return _answer(failure(key, "FLAG_NOT_FOUND", details), HTTPStatus.NOT_FOUND)
    found = resolution(flag, context)
    return _answer(found, HTTPStatus.BAD_REQUEST if "errorCode" in found else HTTPStatus.OK)


@routes.post(
    "/evaluate/flags",
    openapi_extra=_BODY,
    responses={
        200: {"model": Evaluations},
        400: PROBLEMS[400] | {"model": BulkFailure},
        304: {"description": "The client has it already."},
    },
)
async def evaluate_flags(
    request: Request,
    plane: Plane,
    asking: Asking,
    etag: Annotated[str, Query(alias="flagConfigEtag")] = "",
    modified: Annotated[str, Query(alias="flagConfigLastModified")] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """What all flags answer, archived ones too: they stay off."""
    try:
        context = context_of(await request.body())
    except NotUnderstoodError as error:
        refused = {"errorCode": error.code, "errorDetails": str(error)}
        return _answer(refused, HTTPStatus.BAD_REQUEST)
    behind = await _catch_up(request.app.state.hubs, position_in(etag), seconds_in(modified))
    flags = seen_by(asking.flags, plane.flags.snapshot.flags)
    # Before anything is evaluated: what is kept under it is never older than it says.
    tagged = tag(last_change(flags), context, plane.environment, *asking.flags)
    headers = {"ETag": tagged, "Cache-Control": "no-cache"}
    if not behind and matches(if_none_match, tagged):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(resolutions(flags, context, plane.environment), 200, headers, _JSON)


@routes.get("/stream", status_code=200, response_class=EventStream, responses=EVENT_STREAM)
async def stream_ofrep(
    request: Request, asking: Asking, last_event_id: LastEventId = None
) -> EventStream:
    """When to evaluate again."""
    hubs: Hubs = request.app.state.hubs
    position = position_of(last_event_id)
    await hubs.flags.reach(position or 0)
    return hubs.stream(RefetchFeed(hubs.flags, position, asking.flags), asking)


async def _catch_up(hubs: Hubs, position: int, seconds: int) -> bool:
    """Look again where a client heard of more than is known here; whether it still did."""

    def behind() -> bool:
        flags = hubs.flags.flags
        return position > last_change(flags) or seconds > last_moment(flags)

    if behind():
        with suppress(LogUnavailable):  # Then the last known flags answer.
            await hubs.flags.refresh()
    return behind()


def _answer(found: dict[str, Any], status: HTTPStatus) -> Response:
    return Response(msgspec.json.encode(found), status, media_type=_JSON)
