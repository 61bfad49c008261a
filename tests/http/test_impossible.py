"""What cannot be is not there, or is not valid: whatever is put into a path or a body, no 5xx."""

from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.http.app import create_app
from controlplane.http.document import document
from tests.http.callers import QUICK, client
from tests.journeys.traffic import ENGINEER, FLAG

SLICES = tuple(f"/api/v1/{one}" for one in ("flags", "plans", "rollouts", "proposals", "overrides"))
IDS = ["%00", "a%00-r1", "x" * 10_000, "%ff", "%ED%A0%80", "-r1", "x-r1-p" + "9" * 50, "x-r%D9%A3"]
NUL, HALF = "\\u0000", "\\ud800"
GOOD: dict[str, str] = {
    "create_flag": '{"name": "f", "owner": "TEXT", "description": "TEXT", "salt": "TEXT"}',
    "describe_flag": '{"owner": "TEXT", "tags": ["TEXT"]}',
    "enable_flag": '{"percentage": 1, "reason": "TEXT"}',
    "set_percentage": '{"percentage": 1, "reason": "TEXT"}',
    "break_glass": '{"percentage": 60, "reason": "TEXT"}',
    "define_variants": '{"kind": "string", "variants": [{"name": "a", "value": "TEXT"}],'
    ' "default": "a", "reason": "TEXT"}',
    "explain_flag": '{"unit": "TEXT", "attributes": {"TEXT": "TEXT"}}',
    "start_rollout": '{"flag": "TEXT"}',
    "draft_rollout": '{"flag": "TEXT", "plan": {"TEXT": "TEXT"}}',
    "revise_rollout": '{"plan": {"name": "TEXT", "waves": []}}',
    "submit_rollout": '{"start_at": "TEXT"}',
    "approve_start": '{"reason": "TEXT", "plan_hash": "TEXT"}',
    "extend_rollout": '{"by": "1m", "reason": "TEXT"}',
    "request_override": '{"criterion": "error_rate", "reason": "TEXT"}',
    "sign_off": '{"item": "TEXT", "role": "TEXT", "note": "TEXT"}',
    "withdraw_sign_off": '{"item": "TEXT", "reason": "TEXT"}',
    "answer_criterion": '{"criterion": "TEXT", "verdict": "PASS", "detail": "TEXT"}',
    "revert_flag": '{"at": "TEXT", "reason": "TEXT"}',
    "check_plan": '{"name": "TEXT", "waves": "TEXT"}',
}
NUMBERS = ["NaN", "1e400", "-1", '"10"', "true", "null", "[]", "9" * 400]


@pytest.fixture
def running(plane: ControlPlane) -> ControlPlane:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.rollouts.start(QUICK, flag=FLAG, actor=ENGINEER)
    plane.rollouts.request_override(f"{FLAG}-r1", "error_rate", reason="known", actor=ENGINEER)
    plane.rollouts.skip(f"{FLAG}-r1", reason="no traffic", actor=ENGINEER)
    return plane


@pytest.fixture(scope="module")
def told() -> Any:
    """The OpenAPI document."""
    with ControlPlane("memory://") as plane:
        return document(create_app(plane))


@pytest.fixture(scope="module")
def operations(told: Any) -> list[tuple[str, str, str]]:
    """Id, method and path of each, those that switch the flag off last."""
    found = [
        (operation["operationId"], method.upper(), path)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
        if path.startswith(SLICES)
    ]
    return sorted(found, key=lambda one: one[0] in ("disable_flag", "archive_flag"))


def filled(path: str, given: str = "") -> str:
    """With `given` in the place of each id, or with what there is."""
    there = {"flag": FLAG, "rollout": f"{FLAG}-r1"}
    there |= {"proposal": f"{FLAG}-r1-p1", "override": f"{FLAG}-r1-o1"}
    for name, value in there.items():
        path = path.replace(f"{{{name}}}", given or value)
    return path


def test_an_id_that_nothing_can_have_is_not_found_or_not_valid(
    running: ControlPlane, operations: list[tuple[str, str, str]]
) -> None:
    asking, head = client(running, dev=True), running.head().position
    for operation, method, path in operations:
        body = GOOD.get(operation, '{"reason": "x"}').replace("TEXT", "x").encode()
        content = None if method == "GET" else body
        for given in IDS if "{" in path else ():
            answer = asking.request(method, filled(path, given), content=content)
            found = (answer.status_code, answer.headers["Content-Type"])
            if operation == "explain_flag" and found[0] == 200:
                assert answer.json()["reason"] == "FLAG_NOT_FOUND"
                continue
            assert found[0] in (404, 422), f"{method} {path} {given[:20]}: {answer.text}"
            assert found[1] == "application/problem+json"
    changed = {event.type for event in running.events(after=head)}
    assert changed == {"access.command_denied"}


@pytest.mark.parametrize(
    "text",
    [NUL, HALF, f"ok {NUL}", "\\u202e", "x" * 3000],
    ids=["nul", "half", "end", "turned", "long"],
)
def test_whatever_a_text_holds_it_is_kept_or_refused(
    running: ControlPlane, operations: list[tuple[str, str, str]], text: str
) -> None:
    asking = client(running, dev=True)
    for operation, method, path in operations:
        if method != "GET":
            body = GOOD.get(operation, '{"reason": "TEXT"}').replace("TEXT", text)
            answer = asking.request(method, filled(path), content=body.encode())
            assert answer.status_code < 500, f"{method} {path}: {answer.text}"
    assert running.verify() == running.head()


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:5])
def test_what_is_no_percentage_moves_nothing(running: ControlPlane, number: str) -> None:
    asking, before = client(running, dev=True), running.flags.get(FLAG)
    for path, more in (
        ("enable", ""),
        ("percentage", ""),
        ("break-glass", ', "reason": "x"'),
        ("enable", ', "audience": {"name": "b", "conditions": []}'),
    ):
        body = f'{{"percentage": {number}{more}}}'.encode()
        answer = asking.post(f"/api/v1/flags/{FLAG}/{path}", content=body)
        assert answer.status_code in (400, 422), answer.text
    assert running.flags.get(FLAG) == before


def test_every_command_is_asked_with_a_body_that_it_takes(
    told: Any, operations: list[tuple[str, str, str]]
) -> None:
    """Else what is wrong with a text would never be looked at."""
    assert set(GOOD) <= {name for name, _, _ in operations}
    for operation, method, path in operations:
        body = told["paths"][path][method.lower()].get("requestBody")
        if body and operation not in GOOD:
            assert "Because" in str(body), f"{operation} takes more than a reason"
