"""The application: every slice's routes behind one gate."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from threading import Lock

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from controlplane.http import (
    access,
    admin,
    alerts,
    audit,
    document,
    events,
    executions,
    flags,
    freezes,
    health,
    incidents,
    log,
    metrics,
    ofrep,
    past,
    plans,
    problems,
    projections,
    proposals,
    rehearsals,
    replays,
    reports,
    rollouts,
    scrape,
    steering,
    streams,
    webhooks,
)
from controlplane.http.gate import Gate, GateSettings
from controlplane.http.hub import Hubs, StreamSettings
from controlplane.plane import ControlPlane
from controlplane.scrapes import Scrapes

# Routes are tried one after another: what is asked most comes first.
SLICES = (
    ofrep,
    executions,
    health,
    streams,
    admin,
    document,
    scrape,
    webhooks,
    flags,
    plans,
    rollouts,
    steering,
    proposals,
    events,
    audit,
    reports,
    log,
    metrics,
    projections,
    alerts,
    incidents,
    freezes,
    past,
    replays,
    rehearsals,
    access,
)


_SERVERS = [
    {"url": "/", "description": "Where this document was asked for."},
    {"url": "http://localhost:9000", "description": "controlplane serve, unless told otherwise."},
]
_STRICT = GateSettings()
_USUAL = StreamSettings()


def create_app(
    plane: ControlPlane,
    settings: GateSettings = _STRICT,
    streaming: StreamSettings = _USUAL,
    *,
    legacy_metrics: bool = True,
) -> FastAPI:
    """The API of one plane, to be wrapped in Limits and served in one process."""
    hubs = Hubs(plane, streaming, streams_per_token=settings.streams_per_token)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        hubs.start(loop)
        # Whoever stops the server calls it first, from another thread.
        app.state.end_streams = partial(loop.call_soon_threadsafe, hubs.end_streams)
        try:
            yield
        finally:
            hubs.close()

    app = FastAPI(
        title="Rollout control plane",
        version="1",
        description="Takes a risky change to production in waves, and can prove afterwards why.",
        openapi_url=None,  # Behind the gate like everything else.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        lifespan=lifespan,
        responses={},
        servers=_SERVERS,
    )
    app.state.plane = plane
    app.state.gate = Gate(plane, settings)
    app.state.scrapes = Scrapes(plane, legacy=legacy_metrics)
    app.state.verifying = Lock()
    app.state.hubs = hubs
    app.state.end_streams = lambda: None
    for one in SLICES:
        app.include_router(one.routes)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _failed)
    return app


async def _not_routed(request: Request, error: Exception) -> Response:
    """What no route takes."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        return problems.answer("NoSuchRoute", status, "Nothing is here; see /api/v1/openapi.json")
    name = "".join(word.capitalize() for word in status.phrase.split())
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request.url.path))
    return problems.answer(name, status, f"{error.detail}.", headers=headers)


def _methods(path: str) -> list[str]:
    """What can be done there: Starlette tells the methods of the first route of several."""
    found = [
        route
        for one in SLICES
        for route in one.routes.routes
        if isinstance(route, APIRoute) and route.path_regex.match(path)
    ]
    template = found[0].path if found else ""
    own = [route for route in found if route.path == template]
    return sorted(method for route in own for method in route.methods or ())


async def _failed(_request: Request, _error: Exception) -> Response:
    """A fault of ours: the server's log says which, the answer does not."""
    detail = "The control plane failed; its log says why. What was asked may have been done."
    return problems.answer("InternalError", HTTPStatus.INTERNAL_SERVER_ERROR, detail)
