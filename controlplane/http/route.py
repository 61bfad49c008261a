"""The class of every route: nothing is answered but through the gate."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from controlplane.http.gate import Gate
from controlplane.http.models.problem import PROBLEMS
from controlplane.http.policy import POLICY
from controlplane.http.versions import STREAMS, tagging

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_OURS = "/api/"
"""Elsewhere others say what may be asked, or probes and scrapers add what they like."""
_QUOTED = 100


class GuardedRoute(APIRoute):
    """A route that is in the policy table by its handler's name."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]  # why: a coroutine is one
        """See APIRoute."""
        handler, name = super().get_route_handler(), self.endpoint.__name__
        stream, rule = STREAMS.get(self.response_model), POLICY.get(name)
        if stream is not None and rule is not None and rule.command:
            handler = tagging(handler, stream)
        if self.path.startswith(_OURS):
            handler = _strict(handler, self.dependant)

        async def guarded(request: Request) -> Response:
            gate: Gate = request.app.state.gate
            return await gate.answer(name, request, handler)

        return guarded


def _strict(handler: Handler, dependant: Dependant) -> Handler:
    """Refuse a query parameter that there is not: misspelt, a filter would let everything pass."""
    known = frozenset(_parameters(dependant))
    told = f"There is no such parameter; there are: {', '.join(sorted(known)) or 'none'}"

    async def strict(request: Request) -> Response:
        others = [name for name in request.query_params if name not in known]
        if others:
            places = [("query", name[:_QUOTED]) for name in others]
            raise RequestValidationError([{"type": "x", "loc": p, "msg": told} for p in places])
        return await handler(request)

    return strict


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for other in dependant.dependencies:
        yield from _parameters(other)


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
