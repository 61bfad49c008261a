"""Flags over HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from controlplane import ControlPlane
from tests.http.callers import client, holding
from tests.journeys.traffic import ENGINEER, FLAG

FLAGS = "/api/v1/flags"
ONE = f"{FLAGS}/{FLAG}"


@pytest.fixture
def asking(scraped: ControlPlane) -> TestClient:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    return client(scraped, dev=True)


def test_a_flag_lives_its_life(scraped: ControlPlane) -> None:
    asking = client(scraped, dev=True)
    made = asking.post(FLAGS, json={"name": FLAG, "owner": "patch-team"})
    assert (made.status_code, made.json()["percentage"]) == (201, 0)
    steps: list[tuple[str, str, dict[str, Any] | None, tuple[bool, float]]] = [
        ("POST", "/enable", {"percentage": 10, "reason": "first look"}, (True, 10)),
        ("POST", "/percentage", {"percentage": 25.5}, (True, 25.5)),
        ("POST", "/disable", None, (False, 0)),
        ("POST", "/archive", {"reason": "over"}, (False, 0)),
    ]
    for method, path, body, standing in steps:
        answer = asking.request(method, ONE + path, json=body)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["enabled"], answer.json()["percentage"]) == standing
    assert asking.get(ONE).json()["archived"] is True
    told = [event["type"] for event in asking.get(f"{ONE}/history").json()["items"]]
    assert told[:3] == ["flag.created", "flag.enabled", "flag.exposure_changed"]


def test_an_audience_is_served_by_its_conditions(asking: TestClient) -> None:
    beta = {
        "name": "beta",
        "conditions": [{"attribute": "group", "operator": "in", "value": ["beta", "staff"]}],
    }
    answer = asking.post(f"{ONE}/enable", json={"percentage": 100, "audience": beta})
    assert answer.json()["exposures"] == [{"audience": beta, "percentage": 100}]
    for attributes, enabled in (({"group": "beta"}, True), ({"group": "x"}, False), ({}, False)):
        question = {"unit": "user-17", "attributes": attributes}
        found = asking.post(f"{ONE}/evaluate", json=question).json()
        assert found["enabled"] is enabled, found


def test_variants_are_defined_and_answered(asking: TestClient) -> None:
    defined = asking.put(
        f"{ONE}/variants",
        json={
            "kind": "string",
            "variants": [{"name": "blue", "value": "#00f"}, {"name": "plain", "value": "#fff"}],
            "default": "plain",
        },
    )
    assert defined.status_code == 200, defined.text
    found = asking.post(f"{ONE}/evaluate", json={"unit": None}).json()
    assert (found["variant"], found["value"]) == ("plain", "#fff")
    assert found["openfeature_reason"] == "DISABLED"
    wrong = {"kind": "number", "variants": [{"name": "a", "value": "x"}], "default": "a"}
    assert asking.put(f"{ONE}/variants", json=wrong).status_code == 422


def test_a_flag_goes_back_to_how_it_stood(scraped: ControlPlane, asking: TestClient) -> None:
    asking.post(f"{ONE}/enable", json={"percentage": 25})
    position = scraped.head().position
    asking.post(f"{ONE}/disable")
    back = asking.post(f"{ONE}/revert", json={"at": position, "reason": "by mistake"})
    assert (back.status_code, back.json()["percentage"]) == (200, 25)
    for at, status in ((0, 422), ("yesterday", 422), ("2100-01-01T00:00Z", 422)):
        answer = asking.post(f"{ONE}/revert", json={"at": at, "reason": "x"})
        assert answer.status_code == status, answer.text


def test_what_is_described_changes_and_the_rest_stays(asking: TestClient) -> None:
    answer = asking.patch(ONE, json={"tags": ["b", "a", "a"]})
    assert (answer.json()["tags"], answer.json()["owner"]) == (["a", "b"], "patch-team")


def test_lists_are_paged_and_what_changes_meanwhile_comes_again(scraped: ControlPlane) -> None:
    for n in range(5):
        scraped.flags.create(f"f{n}", owner="o", actor=ENGINEER)
    asking, seen, after = client(scraped, dev=True), [], 0
    for turn in range(9):
        answer = asking.get(FLAGS, params={"after": after, "limit": 2}).json()
        seen += [flag["name"] for flag in answer["items"]]
        if turn == 0:
            scraped.flags.enable("f0", percentage=1, actor=ENGINEER)
        if answer["next"] is None:
            break
        after = answer["next"]
    assert seen == ["f0", "f1", "f2", "f3", "f4", "f0"]


def test_a_token_for_some_flags_lists_and_makes_only_those(scraped: ControlPlane) -> None:
    for name in ("batch-1", "checkout"):
        scraped.flags.create(name, owner="o", actor=ENGINEER)
    asking = holding(scraped, "operator", scopes=("flag:batch-*",))
    assert [flag["name"] for flag in asking.get(FLAGS).json()["items"]] == ["batch-1"]
    assert asking.get(f"{FLAGS}/batch-1").status_code == 200
    assert asking.get(f"{FLAGS}/checkout").status_code == 404
    for name, status in (("batch-2", 201), ("other", 404)):
        assert asking.post(FLAGS, json={"name": name, "owner": "o"}).status_code == status


def test_what_was_read_is_changed_only_while_it_is_as_it_was_read(
    scraped: ControlPlane, asking: TestClient
) -> None:
    read = asking.get(ONE).headers["ETag"]
    scraped.flags.enable(FLAG, percentage=10, actor="somebody-else")
    body = {"percentage": 50}
    late = asking.post(f"{ONE}/percentage", json=body, headers={"If-Match": read})
    assert late.status_code == 412
    assert "Read it again" in late.json()["detail"]
    fresh = asking.get(ONE).headers["ETag"]
    assert asking.post(f"{ONE}/percentage", json=body, headers={"If-Match": fresh}).is_success
    for nonsense in ("x", '"-1"', "*", '"99999999999999999999"'):
        answer = asking.post(f"{ONE}/disable", headers={"If-Match": nonsense})
        assert answer.status_code == 422


def test_sent_again_under_its_key_a_command_answers_as_before(
    scraped: ControlPlane, asking: TestClient
) -> None:
    key = {"Idempotency-Key": "deploy-4711"}
    body = {"percentage": 10}
    first = asking.post(f"{ONE}/enable", json=body, headers=key)
    head = scraped.head()
    again = asking.post(f"{ONE}/enable", json=body, headers=key)
    assert (first.json(), first.headers.get("Idempotency-Replayed")) == (again.json(), None)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert scraped.head() == head
    other = asking.post(f"{ONE}/enable", json={"percentage": 20}, headers=key)
    assert other.status_code == 422
    assert asking.post(f"{ONE}/disable", headers={"Idempotency-Key": "k" * 256}).status_code == 422


def test_glass_is_broken_by_approvers_and_reviewed_by_another(scraped: ControlPlane) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    body = {"percentage": 100, "reason": "the old path is down"}
    assert holding(scraped, "operator").post(f"{ONE}/break-glass", json=body).status_code == 403
    assert holding(scraped, "approver").post(f"{ONE}/break-glass", json=body).status_code == 200
    assert scraped.access.review("review-1").opened_by == "ben"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("POST", "/nowhere/disable", None, 404),
        ("GET", "/" + "x" * 101, None, 404),
        ("GET", "/%00", None, 404),
        ("GET", "/%ff", None, 404),
        ("POST", "", {"name": "A B", "owner": "o"}, 422),
        ("POST", "", {"name": "a", "owner": " "}, 422),
        ("POST", "", {"name": "a"}, 422),
        ("POST", "", {"name": "a", "owner": "o", "enabled": True}, 422),
        ("POST", f"/{FLAG}/percentage", {"percentage": 10}, 409),
        ("POST", f"/{FLAG}/enable", {"percentage": "10"}, 422),
        ("POST", f"/{FLAG}/enable", {"percentage": True}, 422),
        ("POST", f"/{FLAG}/enable", {"percentage": 100.1}, 422),
        ("POST", f"/{FLAG}/enable", {"percentage": 0.0001}, 422),
        (
            "POST",
            f"/{FLAG}/enable",
            {"percentage": 1, "audience": {"name": "everyone", "x": 1}},
            422,
        ),
        ("POST", f"/{FLAG}/break-glass", {"percentage": 1, "reason": " "}, 422),
        ("POST", f"/{FLAG}/evaluate", {"attributes": {}}, 422),
        ("DELETE", f"/{FLAG}", None, 405),
    ],
)
def test_what_is_wrong_is_a_problem_that_says_so(
    asking: TestClient, method: str, path: str, body: Any, status: int
) -> None:
    answer = asking.request(method, FLAGS + path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]
