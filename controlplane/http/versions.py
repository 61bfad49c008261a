"""At which version a thing is that an answer shows: its ETag, for the next command's If-Match."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from controlplane.http.models.alerts import Alert
from controlplane.http.models.flags import Flag
from controlplane.http.models.rollouts import Rollout
from controlplane.requests import version_of
from events.alerts import alert_stream
from events.flags import flag_stream
from events.rollouts import rollout_stream

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Shown(msgspec.Struct):
    """What of an answer tells which thing it shows, and as of when."""

    position: int
    id: str = ""
    name: str = ""
    flag: str = ""
    rule: str = ""


STREAMS: dict[type, Callable[[Shown], str]] = {
    Flag: lambda shown: flag_stream(shown.name),
    Rollout: lambda shown: rollout_stream(shown.id),
    Alert: lambda shown: alert_stream(shown.flag, shown.rule),
}
"""Of each form that has versions, the stream that they count."""


def tagging(handler: Handler, stream: Callable[[Shown], str]) -> Handler:
    """The same handler, its answers tagged: with the version as of the position that they tell.

    What happens to the thing afterwards is not in the answer, and so not in its tag.
    """

    async def tagged(request: Request) -> Response:
        response = await handler(request)
        shown = msgspec.json.decode(response.body, type=Shown)
        log, before = request.app.state.plane.log, shown.position + 1
        version = await run_in_threadpool(version_of, log, stream(shown), before)
        response.headers["ETag"] = f'"{version}"'
        return response

    return tagged
