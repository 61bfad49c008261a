"""Without a token: `/livez`, `/readyz`, and at `/` what this is.

Whether to restart this process, and whether to send it requests; nothing that is a secret.
"""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Response
from pydantic import BaseModel, Field

from controlplane.http.calls import Plane
from controlplane.http.route import router
from controlplane.scrapes import MOST_EVENTS_BEHIND
from events.errors import ControlPlaneError

routes = router("health", prefix="")

_FRONT = {
    "name": "Rollout control plane",
    "api": "/api/v1",
    "openapi": "/api/v1/openapi.json",
    "ofrep": "/ofrep/v1",
    "metrics": "/metrics",
    "live": "/livez",
    "ready": "/readyz",
    "authentication": "Authorization: Bearer TOKEN",
    "documentation": "docs/http.md, in the repository; at the terminal: controlplane --help",
}


class Alive(BaseModel):
    """It answers."""

    status: Literal["alive"]


class Ready(BaseModel):
    """Whether it answers for the present, and if not, why."""

    status: Literal["ready", "not ready"]
    database: Literal["reached", "not reached"]
    events_behind: Annotated[int | None, Field(description="Of the read model farthest behind.")]
    caught_up: bool
    scheduler: Annotated[
        Literal["held", "free"] | None,
        Field(description="Whether anybody has the lease: free, nobody looks at waves and alerts."),
    ]


class Front(BaseModel):
    """What this is, and where to go on."""

    name: Literal["Rollout control plane"]
    api: Literal["/api/v1"]
    openapi: Literal["/api/v1/openapi.json"]
    ofrep: Literal["/ofrep/v1"]
    metrics: Literal["/metrics"]
    live: Literal["/livez"]
    ready: Literal["/readyz"]
    authentication: str
    documentation: str


@routes.get("/", response_model=Front)
async def front() -> dict[str, str]:
    """Say what this is, and where to go on. It tells the same to everybody."""
    return _FRONT


@routes.get("/livez", response_model=Alive)
async def livez() -> dict[str, str]:
    """Answer, if the process can answer at all. The database is not asked."""
    return {"status": "alive"}


@routes.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
def readyz(plane: Plane, response: Response) -> dict[str, object]:
    """Say whether the database is reached and read models are caught up."""
    try:
        behind = max((lag.events for lag in plane.projections.lag()), default=0)
        scheduler = "held" if plane.schedule() else "free"
    except ControlPlaneError:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return {
            "status": "not ready",
            "database": "not reached",
            "events_behind": None,
            "caught_up": False,
            "scheduler": None,
        }
    caught_up = behind <= MOST_EVENTS_BEHIND
    if not caught_up:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return {
        "status": "ready" if caught_up else "not ready",
        "database": "reached",
        "events_behind": behind,
        "caught_up": caught_up,
        "scheduler": scheduler,
    }
