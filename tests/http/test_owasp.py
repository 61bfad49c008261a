"""The OWASP API Security Top 10 (2023), risk by risk: https://owasp.org/API-Security/editions/2023/

Where a risk has tests of its own elsewhere, it names them; a name that is gone is found out.
"""

import ast
from collections.abc import Iterator
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.http.app import create_app
from controlplane.http.document import document
from controlplane.http.policy import POLICY
from tests.conftest import Clock
from tests.house.sources import ROOT
from tests.http.callers import client, holding
from tests.journeys.traffic import ENGINEER, FLAG

ELSEWHERE = {
    "API1 broken object level authorization": [
        "http/test_gate.py::test_a_token_for_some_flags_sees_no_others",
        "http/test_flag_routes.py::test_a_token_for_some_flags_lists_and_makes_only_those",
    ],
    "API2 broken authentication": [
        "access/test_access.py::test_a_token_opens_nothing_once_it_is_revoked",
        "access/test_access.py::test_a_token_opens_nothing_from_the_moment_it_expires",
        "access/test_access.py::test_a_token_of_nobody_or_of_another_environment_is_not_known",
        "http/test_gate.py::test_whoever_guesses_has_to_wait",
    ],
    "API3 broken object property level authorization": [
        "http/test_disclosure.py::test_readers_of_events_see_the_host_of_a_webhook_and_no_more",
        "access/test_access.py::test_the_text_of_a_token_is_kept_nowhere",
    ],
    "API4 unrestricted resource consumption": [
        "http/test_limits.py::test_a_body_that_is_too_large_is_refused_unread",
        "http/test_limits.py::test_a_bomb_does_not_go_off",
        "http/test_gate.py::test_a_token_has_its_share_of_requests_and_takes_nobody_elses",
        "access/test_requests.py::test_a_flood_of_denials_is_counted_not_recorded",
        "journeys/test_service.py::test_whoever_says_nothing_is_let_go_of",
        "http/test_crowded.py::test_one_too_many_is_told_so_and_may_come_again",
    ],
    "API5 broken function level authorization": [
        "http/test_gate.py::test_every_route_has_a_policy_and_every_policy_a_route",
        "http/test_gate.py::test_a_route_without_a_policy_is_answered_to_nobody",
    ],
    "API6 unrestricted access to sensitive business flows": [
        "http/test_rollout_routes.py::test_one_starts_it_another_one_approves",
        "access/test_access.py::test_who_asked_for_a_rollout_does_not_silence_what_holds_it_up",
        "access/test_access.py::test_nobody_reviews_their_own_deed",
        "access/test_requests.py::test_sent_twice_at_the_same_time_it_is_done_once",
    ],
    "API7 server side request forgery": [
        "controlplane/test_destinations.py::test_what_is_special_is_not_reached_by_any_name",
        "controlplane/test_posting.py::test_the_address_that_was_checked_is_the_one_that_is_spoken_to",
        "controlplane/test_posting.py::test_a_redirect_to_where_credentials_are_told_is_not_followed",
    ],
    "API8 security misconfiguration": [
        "http/test_gate.py::test_open_it_answers_no_page_from_elsewhere",
        "http/test_limits.py::test_answers_say_what_a_browser_must_not_do",
        "http/test_limits.py::test_a_fault_of_ours_tells_nobody_how",
        "journeys/test_service.py::test_beyond_this_machine_it_asks_for_tls_or_a_proxy",
    ],
    "API9 improper inventory management": [],
    "API10 unsafe consumption of APIs": [
        "controlplane/test_posting.py::test_of_a_long_answer_the_beginning_is_read",
        "controlplane/test_posting.py::test_headers_without_end_are_not_read_without_end",
        "controlplane/test_posting.py::test_who_dribbles_headers_has_no_more_time_than_others",
        "controlplane/test_posting.py::test_whatever_a_stranger_says_is_no_crash",
    ],
}

NAMED = [
    (risk, name, function)
    for risk, tests in ELSEWHERE.items()
    for name, function in (test.split("::") for test in tests)
]


@pytest.mark.parametrize(("risk", "file", "function"), NAMED)
def test_what_stands_for_a_risk_is_there(risk: str, file: str, function: str) -> None:
    defined = {
        node.name
        for node in ast.walk(ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert function in defined, risk


def operations(plane: ControlPlane) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document(create_app(plane))["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


# API1: ids of others are not there, whatever is asked of them.


def test_to_a_token_for_some_flags_every_route_about_another_one_finds_nothing(
    scraped: ControlPlane,
) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    scraped.rollouts.start(flag=FLAG, actor=ENGINEER)
    asking = holding(scraped, "admin", scopes=("flag:checkout",))
    theirs = {
        "flag": FLAG,
        "key": FLAG,
        "rollout": f"{FLAG}-r1",
        "proposal": f"{FLAG}-r1-p1",
        "override": f"{FLAG}-r1-o1",
        "rule": "SLOW_BATCH_DETECTED",
        "number": "1",
    }
    before, asked = scraped.head(), 0
    for method, path, _ in operations(scraped):
        filled = path
        for name, value in theirs.items():
            filled = filled.replace(f"{{{name}}}", value)
        if filled != path and "{" not in filled:
            answer = asking.request(method, filled, json={})
            assert answer.status_code == 404, f"{method} {filled}: {answer.text}"
            asked += 1
    assert asked > 30
    kinds = {event.type for event in scraped.events(after=before.position)}
    assert kinds <= {"access.command_denied", "access.denials_suppressed", "access.token_issued"}


# API2: what is compared in constant time is not a text somebody sent.


def test_a_token_is_found_by_its_id_and_compared_by_its_digest() -> None:
    source = (ROOT / "controlplane" / "tokens.py").read_text(encoding="utf-8")
    assert "compare_digest(digest(text), kept)" in source


# API3: nothing is taken but what is asked for.


def test_no_request_takes_a_field_that_is_not_in_the_document(scraped: ControlPlane) -> None:
    schemas = document(create_app(scraped))["components"]["schemas"]
    open_ones = set()
    for _, path, operation in operations(scraped):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name and schemas[name].get("additionalProperties") is not False:
            open_ones.add(f"{path}: {name}")
    assert open_ones == set()


def test_no_answer_tells_the_digest_of_a_token(scraped: ControlPlane) -> None:
    asking = holding(scraped, "admin")
    kept = scraped.access.tokens()[0].digest
    record = ("/api/v1/events", "/api/v1/audit/events", "/api/v1/replay/frames")
    for method, path, _ in operations(scraped):
        if method == "GET" and "{" not in path and "stream" not in path:
            found = asking.get(path).text
            assert kept not in found or path in record, path


# API6: people decide once, and in turn.


def test_between_two_waves_there_is_time(scraped: ControlPlane, clock: Clock) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    rollout = scraped.rollouts.start(flag=FLAG, actor=ENGINEER)
    asking = holding(scraped, "approver")
    clock.advance(1)
    for number in range(1, 4):
        path = f"/api/v1/proposals/{rollout.id}-p{number}/approve"
        assert asking.post(path).status_code == 404
    assert scraped.rollouts.get(rollout.id).wave == 1


# API7: no request goes where it could do harm (more in controlplane/test_destinations.py).


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://localhost./",
        "https://10.0.0.1/",
        "file:///etc/passwd",
        "https://user:password@hooks.example.com/",
    ],
)
def test_no_webhook_is_sent_to_where_it_could_do_harm(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS", "whsec_" + "A" * 43 + "=")
    body = {"url": url, "secret": "deploys", "types": ["flag.*"]}
    answer = holding(scraped, "admin").post("/api/v1/webhooks", json=body)
    assert answer.status_code == 422, answer.text
    assert scraped.webhooks.all() == []


# API8: no other origin is let in.


def test_no_page_of_another_origin_is_told_that_it_may_read(scraped: ControlPlane) -> None:
    asking = holding(scraped, "viewer")
    origin = {"Origin": "https://evil.example"}
    asked = {"Access-Control-Request-Method": "POST"}
    for answer in (
        asking.get("/api/v1/flags", headers=origin),
        asking.options("/api/v1/flags", headers=origin | asked),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


# API9: what there is, is in the document; the document is for whoever may read.


def test_the_document_is_whole_and_not_for_everybody(scraped: ControlPlane) -> None:
    assert client(scraped).get("/api/v1/openapi.json").status_code == 401
    told = {operation["operationId"] for _, _, operation in operations(scraped)}
    assert set(POLICY) - told == {"openapi_document"}
    versions = {path.split("/")[2] for _, path, _ in operations(scraped) if "/api/" in path}
    assert versions == {"v1"}
    for path in ("/docs", "/redoc", "/openapi.json", "/api/v1/docs"):
        assert client(scraped).get(path).status_code == 404
