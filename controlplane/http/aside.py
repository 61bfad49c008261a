"""What is done beside the log, such as a trial of a webhook: under a key, the answer is kept.

A command whose events are in the log is known by them to have been done. These leave none: so the
answer is recorded with the command, and whoever asks again under the same key is told it again.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from controlplane.access_errors import KeyInUse
from controlplane.plane import ControlPlane
from controlplane.requests import Request as Asked
from controlplane.requests import requested
from events.access import CommandAccepted
from events.event import Actor

REPLAYED = "Idempotency-Replayed"


class Aside:
    """Does such commands of one plane."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._under_way: set[str] = set()

    async def answer(
        self,
        asked: Asked,
        actor: Actor,
        request: Request,
        handler: Callable[[Request], Awaitable[Response]],
    ) -> Response:
        """Do it once under its key. Raises KeyReused, and KeyInUse while it is being done."""
        if not asked.key:
            return await self._done(asked, actor, await handler(request))
        if asked.stream in self._under_way:
            raise KeyInUse(key=asked.key)
        self._under_way.add(asked.stream)
        try:
            earlier = await run_in_threadpool(asked.earlier, self._plane.log)
            if earlier is not None:
                return _again(cast("CommandAccepted", earlier.event).result)
            return await self._done(asked, actor, await handler(request))
        finally:
            self._under_way.discard(asked.stream)

    async def _done(self, asked: Asked, actor: Actor, response: Response) -> Response:
        """Record what was answered. Another process may have been faster: then it is its answer."""
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            return response
        told = bytes(response.body).decode() if asked.key else ""
        with requested(asked):
            first = await run_in_threadpool(self._plane.access.note, actor, told)
        return _again(first) if asked.replayed else response


def _again(told: str) -> Response:
    return Response(told, media_type="application/json", headers={REPLAYED: "true"})
