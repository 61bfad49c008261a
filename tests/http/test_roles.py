"""Every role at every route that the OpenAPI document names: what is not granted is denied."""

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.http.app import create_app
from controlplane.http.document import document
from controlplane.http.policy import POLICY
from controlplane.permissions import GRANTS, ROLES
from events.access import Role
from tests.http.callers import client, holding

ASK: dict[str, Any] = {"json": {}}


@pytest.fixture(scope="module")
def operations() -> list[tuple[str, str, str]]:
    """Method, path and id of each, streams left out: they do not end."""
    with ControlPlane("memory://") as plane:
        return [
            (method.upper(), path, operation["operationId"])
            for path, methods in document(create_app(plane))["paths"].items()
            for method, operation in methods.items()
            if "/stream" not in path
        ]


def filled(path: str) -> str:
    """The path with something in the place of each parameter."""
    for name, value in {"position": "1", "number": "1"}.items():
        path = path.replace(f"{{{name}}}", value)
    parts = ("x" if part.startswith("{") else part for part in path.split("/"))
    return "/".join(parts)


def granted(role: Role) -> Iterator[str]:
    for operation, rule in POLICY.items():
        if rule.permission in (None, "known") or rule.permission in GRANTS[role]:
            yield operation


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_answered_where_its_permissions_reach_and_nowhere_else(
    scraped: ControlPlane, operations: list[tuple[str, str, str]], role: Role
) -> None:
    asking, reach = holding(scraped, role), set(granted(role))
    wrong = {}
    for method, path, operation in operations:
        status = asking.request(method, filled(path), **ASK).status_code
        if status in (401, 500) or (status == 403) is (operation in reach):
            wrong[f"{method} {path}"] = status
    assert wrong == {}


def test_without_a_token_nothing_is_answered_but_about_health(
    scraped: ControlPlane, operations: list[tuple[str, str, str]]
) -> None:
    for method, path, operation in operations:
        # A client each: an address that guesses has to wait, and this one would.
        status = client(scraped).request(method, filled(path), **ASK).status_code
        expected = 200 if operation in ("front", "livez", "readyz") else 401
        assert status == expected, f"{method} {path}"


def test_a_policy_that_is_taken_away_takes_the_route_with_it(
    scraped: ControlPlane,
    operations: list[tuple[str, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = holding(scraped, "admin")
    for method, path, operation in operations:
        with monkeypatch.context() as without:
            without.delitem(POLICY, operation)
            status = asking.request(method, filled(path), **ASK).status_code
        assert status in (401, 403), f"{method} {path}: {status}"


def test_streams_are_in_the_same_table(scraped: ControlPlane) -> None:
    for path in ("/api/v1/stream", "/api/v1/stream/flags", "/ofrep/v1/stream"):
        assert client(scraped).get(path).status_code == 401
        assert holding(scraped, "ingestor").get(path).status_code == 403
