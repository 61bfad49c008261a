"""Who calls the API in tests."""

import json
from typing import Any

from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.http.app import create_app
from controlplane.http.gate import GateSettings
from controlplane.http.limits import BodyLimits, Limits
from events.access import Role
from tests.journeys.traffic import ENGINEER, FLAG

PUT = {"name": FLAG, "percentage": 10}
QUICK: dict[str, Any] = {
    "name": "quick",
    "waves": [
        {
            "name": wave,
            "percentage": percentage,
            "hold": "30m",
            "criteria": [{"kind": "rate_below", "name": "error_rate", "bound": 0.05}],
        }
        for wave, percentage in (("half", 50), ("all", 100))
    ],
}


def client(
    plane: ControlPlane, *, token: str = "", limits: BodyLimits | None = None, **settings: Any
) -> TestClient:
    app = Limits(create_app(plane, GateSettings(**settings)), limits or BodyLimits())
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return TestClient(app, "http://localhost:9000", headers=headers, raise_server_exceptions=False)


def holding(plane: ControlPlane, *roles: Role, scopes: tuple[str, ...] = ()) -> TestClient:
    """Ben, with a token of these roles."""
    issued = plane.access.issue(owner="ben", roles=roles, scopes=scopes, actor=ENGINEER)
    return client(plane, token=issued.text)


def as_json(view: Any) -> Any:
    """As it arrives: a tuple is a list there."""
    return json.loads(json.dumps(view))


def as_(plane: ControlPlane, owner: str, *roles: Role) -> TestClient:
    """Anybody, with a token of these roles; an operator unless it is said."""
    issued = plane.access.issue(owner=owner, roles=roles or ("operator",), actor=ENGINEER)
    return client(plane, token=issued.text)
