"""What nobody made is not found, on every route, whatever its name is made of."""

from http import HTTPStatus
from typing import Any

import pytest
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.http.app import create_app
from controlplane.http.document import document
from controlplane.http.examples import told
from tests.http.callers import client
from tests.journeys.traffic import ENGINEER, FLAG

NAMES = ["nowhere", "%00", "a%00b", "%ED%A0%80", "%F0%9F%98%80", "x" * 100, "x" * 10_000]
"""What databases differ in."""
MORE_NAMES = [
    *("nowhere-r1", "nowhere-r1-p1", "nowhere-r1-o1", "webhook-7", "-", "%20", "%25", "%ff"),
    *("%E2%80%AE", "%C2%B2", "%0A", "%7B%7D", "x" * 200, "a%2Fb", "%2e%2e%2fb", "-r1", "-r1-p1"),
    "x-r%D9%A3",
]
NUMBERS = ["0", "-1", "x", "1e3", "1.5", "%00", "%D9%A3", str(2**63), "9" * 4000]
MISSING = 2**63 - 1
"""As a position, or the number of an alert: it may be, and is not."""
Operation = tuple[str, str, str, Any]


@pytest.fixture(scope="module")
def operations() -> list[Operation]:
    """Name, method and path of each that is about one thing, and a body that it takes."""
    with ControlPlane("memory://") as plane:
        paths = document(create_app(plane))["paths"]
    return [
        (name, method.upper(), path, told().get(name, {}).get("asked"))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "{" in path and (name := operation["operationId"])
    ]


def asked_for(path: str, given: str) -> list[str]:
    """The path with something in the place of each of its parameters, one after the other."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    usual = {"flag": FLAG, "rule": "GLASS_BROKEN", "number": str(MISSING), "position": str(MISSING)}
    found = []
    for wrong in names:
        filled = path
        for name in names:
            value = given if name == wrong else usual.get(name, "webhook-1")
            filled = filled.replace(f"{{{name}}}", value)
        found.append(filled)
    return found


def query_of(path: str, method: str) -> dict[str, str]:
    """What has to be said besides."""
    if path.startswith("/api/v1/past"):
        return {"at": "1"}
    return {"reason": "x"} if method == "DELETE" else {}


def furnished(plane: ControlPlane) -> TestClient:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    return client(plane, dev=True)


def found(asking: TestClient, operations: list[Operation], names: list[str]) -> dict[str, str]:
    """What was answered otherwise than that it is not there."""
    otherwise = {}
    for name, method, path, body in operations:
        numbered = path.endswith(("{position}", "{number}")) and path.count("{") == 1
        for where in () if numbered else (one for given in names for one in asked_for(path, given)):
            answer = asking.request(method, where, json=body, params=query_of(path, method))
            if answer.status_code not in (404, 405):
                otherwise[f"{name} {where[:100]}"] = answer.text
            elif answer.headers["Content-Type"] != "application/problem+json":
                assert answer.json()["errorCode"] == "FLAG_NOT_FOUND", "as OFREP has it"
    return otherwise


def test_a_name_that_nothing_has_is_not_found(
    plane: ControlPlane, operations: list[Operation]
) -> None:
    assert found(furnished(plane), operations, NAMES) == {}


def test_nor_is_a_name_of_another_form(scraped: ControlPlane, operations: list[Operation]) -> None:
    assert found(furnished(scraped), operations, MORE_NAMES) == {}


def test_a_number_that_nothing_can_have_is_not_found(
    scraped: ControlPlane, operations: list[Operation]
) -> None:
    asking, otherwise = furnished(scraped), {}
    for name, method, path, body in operations:
        for number in ("{position}", "{number}"):
            for given in NUMBERS if number in path else ():
                filled = path.replace(number, given)
                where = asked_for(filled, FLAG)[-1] if "{" in filled else filled
                answer = asking.request(method, where, json=body, params=query_of(path, method))
                if answer.status_code != HTTPStatus.NOT_FOUND:
                    otherwise[f"{name} {given[:20]}"] = answer.text
    assert otherwise == {}
