"""`GET /api/v1/stream`, `GET /api/v1/stream/flags`: the log, and the flags, as they change."""

import re
from typing import Annotated, Any

from fastapi import Header, Query, Request
from pydantic import WithJsonSchema

from controlplane.errors import InvalidInput
from controlplane.http.calls import FARTHEST, Asking
from controlplane.http.flag_hub import FlagFeed
from controlplane.http.hub import Hubs
from controlplane.http.log_hub import Filter, LogFeed
from controlplane.http.route import router
from controlplane.http.sse import EventStream
from events.catalog import CATALOG
from events.log import can_be_stored
from events.upcasts import UPCASTS

routes = router("streams")

_POSITION = re.compile(r"[0-9]{1,19}")
_LONGEST = 255

_PositionSchema = WithJsonSchema({"type": "integer", "minimum": 0, "maximum": FARTHEST})
After = Annotated[str | None, Query(description="Go on after this position."), _PositionSchema]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID", description="As `after`, and goes before it: where a client was."
    ),
    _PositionSchema,
]
Stream = Annotated[str | None, Query(description="Events of this stream only.")]
Type = Annotated[
    str | None, Query(description="Events of this type only; it may end in a star: `flag.*`.")
]

_MESSAGE: dict[str, Any] = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "event": {"type": "string"},
        "id": {"type": "string", "description": "A log position."},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["id", "data"],
}
EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events, until one of the two leaves.",
        "content": {"text/event-stream": {"schema": _MESSAGE}},
    }
}


@routes.get("/stream", status_code=200, response_class=EventStream, responses=EVENT_STREAM)
async def stream_events(
    request: Request,
    asking: Asking,
    stream: Stream = None,
    type: Type = None,  # noqa: A002  why: the field's name
    after: After = None,
    last_event_id: LastEventId = None,
) -> EventStream:
    """What is recorded, as it is: every event after a position, once, in order."""
    hubs: Hubs = request.app.state.hubs
    wanted = Filter(stream=_stream(stream), type=_type(type))
    position = await hubs.begin(position_of(last_event_id, after))
    return hubs.stream(LogFeed(hubs.log, wanted, position), asking)


@routes.get("/stream/flags", status_code=200, response_class=EventStream, responses=EVENT_STREAM)
async def stream_flags(
    request: Request, asking: Asking, last_event_id: LastEventId = None
) -> EventStream:
    """All flags as they stand, and then each one that changes."""
    hubs: Hubs = request.app.state.hubs
    position = position_of(last_event_id)
    await hubs.flags.reach(position or 0)
    return hubs.stream(FlagFeed(hubs.flags, position, asking.flags), asking)


def position_of(*given: str | None) -> int | None:
    """The first position that is given. Raises InvalidInput where any is none."""
    found = [_position(text) for text in given if text]
    return found[0] if found else None


def _position(text: str) -> int:
    if not _POSITION.fullmatch(text) or int(text) > FARTHEST:
        raise InvalidInput(reason=f"{text[:_LONGEST]!r} is no position: a whole number from 0")
    return int(text)


def _stream(name: str | None) -> str | None:
    if name is not None and not (0 < len(name) <= _LONGEST and can_be_stored(name)):
        raise InvalidInput(reason=f"{name[:_LONGEST]!r} is no name of a stream")
    return name


def _type(name: str | None) -> str | None:
    """The name as it can be asked for; a misspelt one would be waited for in vain."""
    if name is None or name == "*":
        return None
    known = {*CATALOG, *(stored for stored, _ in UPCASTS)}
    start = name.removesuffix("*")
    if name in known or (start != name and any(one.startswith(start) for one in known)):
        return name
    raise InvalidInput(
        reason=f"no event is called {name[:_LONGEST]!r}; a star at the end stands for the rest"
    )
