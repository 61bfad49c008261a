"""Nothing is answered but through the gate, and nothing passes it unrecorded."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.requests import Request

from controlplane import ControlPlane
from controlplane.errors import InvalidInput
from controlplane.http import policy
from controlplane.http.app import create_app
from controlplane.http.headers import is_loopback, of_this_machine
from controlplane.http.policy import flag_of, stream_of
from controlplane.permissions import GRANTS, ROLES
from events.access import CommandDenied, Role
from tests.http.callers import PUT, client, holding
from tests.journeys.traffic import ENGINEER, FLAG


def denials(plane: ControlPlane) -> list[CommandDenied]:
    found = [event.event for event in plane.events(type="access.command_denied")]
    return [event for event in found if isinstance(event, CommandDenied)]


# -- who asks -------------------------------------------------------------------------------------


def test_nobody_is_answered_but_about_health(scraped: ControlPlane) -> None:
    stranger = client(scraped)
    assert stranger.get("/livez").status_code == stranger.get("/readyz").status_code == 200
    for ask in (stranger.get("/api/v1/openapi.json"), stranger.post("/admin/flags", json=PUT)):
        assert ask.status_code == 401
        assert ask.headers["WWW-Authenticate"] == "Bearer"
        assert ask.headers["Content-Type"] == "application/problem+json"
        assert "Authorization: Bearer" in ask.json()["detail"]
    assert scraped.flags.all() == []


def test_the_first_page_tells_everybody_the_same_and_leads_on(scraped: ControlPlane) -> None:
    told = client(scraped).get("/")
    assert told.status_code == 200
    assert told.json() == holding(scraped, "admin").get("/").json()
    for name in ("openapi", "metrics", "live", "ready"):
        assert holding(scraped, "admin").get(told.json()[name]).status_code == 200, name
    assert scraped.environment not in told.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer rcp_production_nonsense"},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Authorization": "Bearer"},
        {"X-API-Key": "rcp_x"},
    ],
)
def test_a_wrong_token_is_no_token(scraped: ControlPlane, headers: dict[str, str]) -> None:
    assert client(scraped).post("/admin/flags", json=PUT, headers=headers).status_code == 401
    (denied,) = denials(scraped)
    assert (denied.command, denied.status, denied.token) == ("admin_flags", 401, "")


def test_either_header_carries_a_token(scraped: ControlPlane) -> None:
    text = scraped.access.issue(owner="ben", roles="viewer", actor=ENGINEER).text
    for headers in ({"Authorization": f"bearer {text}"}, {"X-API-Key": text}):
        assert client(scraped).get("/api/v1/openapi.json", headers=headers).status_code == 200


def test_whoever_guesses_has_to_wait(scraped: ControlPlane) -> None:
    stranger = client(scraped)
    answers = [stranger.get("/api/v1/openapi.json") for _ in range(40)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_a_token_has_its_share_of_requests_and_takes_nobody_elses(scraped: ControlPlane) -> None:
    texts = [scraped.access.issue(owner=o, roles="viewer", actor=ENGINEER).text for o in "ab"]
    busy = client(scraped, requests_per_second=1.0, burst=5.0)
    asked = [busy.get("/api/v1/me", headers={"X-API-Key": texts[0]}) for _ in range(8)]
    assert [answer.status_code for answer in asked].count(429) == 3
    assert "Retry-After" in asked[-1].headers
    other = busy.get("/api/v1/me", headers={"X-API-Key": texts[1]})
    assert other.status_code == 200


def test_what_is_answered_from_memory_counts_a_tenth(scraped: ControlPlane) -> None:
    text = scraped.access.issue(owner="app", roles="viewer", actor=ENGINEER).text
    asking = client(scraped, token=text, requests_per_second=0.001, burst=5.0)
    answers = [asking.post("/ofrep/v1/evaluate/flags", json={}).status_code for _ in range(51)]
    assert (answers.count(200), answers[-1]) == (50, 429)


# -- what is permitted ----------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_a_percentage_is_lowered_by_operators_and_raised_by_approvers(
    scraped: ControlPlane, role: Role
) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    scraped.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    asking = holding(scraped, role)
    grants = GRANTS[role]
    for percentage, needed in ((60, "flags.raise"), (20, "flags.lower"), (0, "flags.lower")):
        answer = asking.post("/admin/flags", json={"name": FLAG, "percentage": percentage})
        assert answer.status_code == (200 if needed in grants else 403), answer.text


def test_a_route_without_a_policy_is_answered_to_nobody(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = holding(scraped, "admin")
    monkeypatch.delitem(policy.POLICY, "admin_flags")
    assert asking.post("/admin/flags", json=PUT).status_code == 403
    assert scraped.flags.all() == []


def test_every_route_has_a_policy_and_every_policy_a_route(scraped: ControlPlane) -> None:
    app = create_app(scraped)
    handlers = {route.endpoint.__name__ for route in _routes(app)}
    assert handlers == set(policy.POLICY)


def _routes(app: Any) -> Iterator[Any]:
    for one in app.routes:
        if hasattr(one, "endpoint"):
            yield one
        else:
            yield from _routes(getattr(one, "original_router", None) or one)


def test_a_token_for_some_flags_sees_no_others(scraped: ControlPlane) -> None:
    asking = holding(scraped, "admin", scopes=("flag:checkout-*",))
    assert asking.post("/admin/flags", json=PUT).status_code in (403, 404)
    assert scraped.flags.all() == []
    assert asking.get("/api/v1/openapi.json").status_code == 403


@pytest.mark.parametrize(
    ("parameters", "flag", "stream"),
    [
        ({"flag": "a"}, "a", "flag-a"),
        ({"rollout": "a-r1"}, "a", "rollout-a-r1"),
        ({"rollout": "a-r1-r2"}, "a-r1", "rollout-a-r1-r2"),
        ({"proposal": "a-r1-p3"}, "a", "rollout-a-r1"),
        ({"override": "a-r1-o3"}, "a", "rollout-a-r1"),
        ({"flag": "a", "rule": "SLOW", "number": "1"}, "a", "alert-a-SLOW"),
        ({"rollout": "nonsense"}, "nonsense", "rollout-nonsense"),
        ({}, None, None),
    ],
)
def test_a_path_tells_what_it_is_about(
    parameters: dict[str, str], flag: str | None, stream: str | None
) -> None:
    assert (flag_of(parameters), stream_of(parameters)) == (flag, stream)


# -- what is recorded -----------------------------------------------------------------------------


def test_a_command_is_recorded_with_who_from_where_and_by_which_token(
    scraped: ControlPlane,
) -> None:
    asking = holding(scraped, "approver")
    assert asking.post("/admin/flags", json=PUT).status_code == 200
    accepted, *led_to = scraped.events(after=1)
    assert accepted.type == "access.command_accepted"
    assert (accepted.actor.kind, accepted.actor.id) == ("token", "ben")
    assert accepted.event.token == scraped.access.tokens()[0].id  # type: ignore[attr-defined]  # why: of that type
    assert {event.causation_id for event in led_to} == {accepted.id}


def test_a_refusal_is_recorded_with_its_reason(scraped: ControlPlane) -> None:
    assert holding(scraped, "operator").post("/admin/flags", json=PUT).status_code == 403
    (denied,) = denials(scraped)
    assert (denied.problem, denied.status) == ("RaiseNotPermitted", 403)
    assert "takes an approver" in denied.reason


def test_no_token_gets_into_the_log_wherever_it_is_put(scraped: ControlPlane) -> None:
    text = scraped.access.issue(owner="ben", roles="admin", actor=ENGINEER).text
    secret = text.split("_")[-2]
    asking = client(scraped, token=text)
    asking.post(f"/admin/flags?token={text}", json={"name": text.lower(), "percentage": 10})
    asking.post("/admin/flags", json={"name": FLAG, "percentage": text})
    asking.post("/admin/flags", content=text)
    asking.post("/admin/flags", json=PUT, headers={"If-Match": text})
    asking.post(f"/admin/{text}", json=PUT)
    client(scraped, token=text + "x").post("/admin/flags", json=PUT)
    kept = json.dumps([[event.data, event.stream] for event in scraped.events()])
    assert "access.command_denied" in {event.type for event in scraped.events()}
    assert secret not in kept


@pytest.mark.parametrize(
    "write",
    [
        lambda text: json.dumps(text).replace("c", "\\u0063", 1),
        lambda text: "".join(f"\\u{ord(c):04X}" for c in text).join('""'),
        lambda text: json.dumps(text).replace("_", "\\u005f"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_nor_does_one_that_is_written_otherwise(
    scraped: ControlPlane, write: Callable[[str], str], encoding: str
) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    text = scraped.access.issue(owner="ben", roles="admin", actor=ENGINEER).text
    asking, before = client(scraped, dev=True), scraped.head()
    body = f'{{"reason": {write(text)}}}'
    assert json.loads(body.encode(encoding)) == {"reason": text}
    answer = asking.post(f"/api/v1/flags/{FLAG}/disable", content=body.encode(encoding))
    assert (answer.status_code, "there is a token" in answer.text) == (422, True)
    (denied,) = scraped.events(after=before.position)
    assert denied.type == "access.command_denied"
    assert text.split("_")[-2] not in denied.data


def test_nor_one_in_a_query_or_in_the_name_of_who_acts(scraped: ControlPlane) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    text = scraped.access.issue(owner="ben", roles="admin", actor=ENGINEER).text
    asking, disable = client(scraped, dev=True), f"/api/v1/flags/{FLAG}/disable"
    hidden = text.replace("c", "%63", 1)
    answers = [
        asking.delete(f"/api/v1/webhooks/webhook-1?reason={hidden}"),
        asking.post(disable, headers={"X-Actor": text}),
        asking.post(disable, headers={"X-Actor": f"ana {text}"}),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    kept = json.dumps([[event.data, event.actor.name] for event in scraped.events()])
    assert text.split("_")[-2] not in kept


def test_what_is_much_like_a_token_and_none_is_taken(scraped: ControlPlane) -> None:
    asking = client(scraped, dev=True)
    for reason in ("rcp_", "\\u0072cp_production_3f9c0a1b2c3d", "caf\u00e9 \u0000 \\u00"):
        made = {"name": FLAG, "owner": reason.replace("\0", "")}
        assert asking.post("/api/v1/flags", content=json.dumps(made)).status_code in (201, 409)


# -- open to this machine -------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:9000", "[::1]:9000", "x.localhost"])
def test_open_it_answers_this_machine(scraped: ControlPlane, host: str) -> None:
    asking = client(scraped, dev=True)
    answer = asking.post("/admin/flags", json=PUT, headers={"Host": host, "X-Actor": "ana"})
    assert answer.status_code == 200
    assert scraped.events(newest_first=True)[0].actor.id == "ana"


def test_open_it_reads_a_name_in_any_script(scraped: ControlPlane) -> None:
    asking = client(scraped, dev=True)
    for name in ("Zoë", "李雷", "ana"):
        headers = {b"X-Actor": name.encode()}
        assert asking.post("/admin/flags", json=PUT, headers=headers).status_code == 200
        assert scraped.events(newest_first=True)[0].actor.name == name
    turned = asking.post("/admin/flags", json=PUT, headers={b"X-Actor": "a\x9bb".encode()})
    assert (turned.status_code, "X-Actor holds" in turned.text) == (422, True)
    headers = [(b"host", b"localhost"), (b"x-actor", "Zoë".encode("latin-1"))]
    with pytest.raises(InvalidInput, match="X-Actor is not in UTF-8"):
        of_this_machine(Request({"type": "http", "headers": headers}))


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "192.168.0.7:9000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_open_it_answers_no_page_from_elsewhere(
    scraped: ControlPlane, headers: dict[str, str]
) -> None:
    asking = client(scraped, dev=True)
    assert asking.post("/admin/flags", json=PUT, headers=headers).status_code == 401
    assert asking.get("/api/v1/openapi.json", headers=headers).status_code == 401


def test_hosts_of_this_machine_are_told_from_others() -> None:
    ours = ["localhost", "127.0.0.1", "127.9.9.9", "::1", "LOCALHOST"]
    others = ["", "192.0.2.1", "localhost.evil.example", "10.0.0.1", "::", "127.0.0.1.evil.example"]
    assert [is_loopback(host) for host in ours + others] == [True] * 5 + [False] * 6
