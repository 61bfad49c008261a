"""The class of every route: nothing is answered but through the gate."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from controlplane.http.gate import Gate
from controlplane.http.models.problem import PROBLEMS
from controlplane.http.policy import POLICY
from controlplane.http.versions import STREAMS, tagging


class GuardedRoute(APIRoute):
    """A route that is in the policy table by its handler's name."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]  # why: a coroutine is one
        """See APIRoute."""
        handler, name = super().get_route_handler(), self.endpoint.__name__
        stream, rule = STREAMS.get(self.response_model), POLICY.get(name)
        if stream is not None and rule is not None and rule.command:
            handler = tagging(handler, stream)

        async def guarded(request: Request) -> Response:
            gate: Gate = request.app.state.gate
            return await gate.answer(name, request, handler)

        return guarded


def router(tag: str, prefix: str = "/api/v1") -> APIRouter:
    """A slice's routes."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=GuardedRoute,
        responses=PROBLEMS,
        generate_unique_id_function=_name,
    )


def _name(route: Any) -> str:
    name: str = route.name
    return name
