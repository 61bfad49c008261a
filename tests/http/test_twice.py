"""Sent many times at once under one key, to a server that listens: done once, always answered."""

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Barrier, Event
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.outgoing.delivery import Outcome
from projections.rows import Build
from tests.http.callers import QUICK, client
from tests.http.listening import HasPort, listening
from tests.journeys.traffic import ENGINEER, FLAG
from tests.plane.conftest import secret

AT_ONCE = 6
Answer = tuple[int, bool, dict[str, Any]]


def ask(server: HasPort, path: str, body: Any, key: str, ready: Barrier) -> Answer:
    """Status, whether it had been done before, and what was answered."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.connect()
        ready.wait(30)
        connection.request("POST", path, json.dumps(body), {"Idempotency-Key": key})
        answer = connection.getresponse()
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return answer.status, replayed, json.loads(answer.read())
    finally:
        connection.close()


def at_once(server: HasPort, path: str, body: Any) -> list[Answer]:
    ready = Barrier(AT_ONCE)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tasks = [pool.submit(ask, server, path, body, "once", ready) for _ in range(AT_ONCE)]
        return [task.result() for task in tasks]


@pytest.mark.parametrize(
    ("path", "body", "type_"),
    [
        (f"/api/v1/flags/{FLAG}/enable", {"percentage": 10}, "flag.enabled"),
        ("/api/v1/rollouts", {"flag": FLAG, "plan": QUICK}, "rollout.started"),
        ("/api/v1/freezes", {"reason": "peak"}, "freeze.declared"),
        ("/api/v1/flags", {"name": "another", "owner": "o"}, "flag.created"),
    ],
)
def test_a_command_is_done_once(
    plane: ControlPlane, path: str, body: dict[str, Any], type_: str
) -> None:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    head = plane.head().position
    with listening(plane) as server:
        answers = at_once(server, path, body)
    assert {status for status, _, _ in answers} <= {200, 201}, answers
    assert [replayed for _, replayed, _ in answers].count(False) == 1
    assert all(told == answers[0][2] for _, _, told in answers)
    assert len(plane.events(type=type_, after=head)) == 1
    assert len(plane.events(type="access.command_accepted")) == 1


def test_what_is_done_beside_the_log_is_done_once_and_answered_alike(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial of a webhook, a rebuild and what was pruned leave no events to be known by."""
    secret(monkeypatch)
    scraped.webhooks.register(
        "https://hooks.example.com/x",
        secret="deploys",  # noqa: S106  why: its name
        everything=True,
        actor=ENGINEER,
    )
    done: list[str] = []

    def trial(_webhook: str) -> Outcome:
        done.append("trial")
        return Outcome("delivered", f"answered 200, {len(done)}")

    monkeypatch.setattr(scraped.webhooks, "test", trial)
    pruned = [[scraped.projections.rebuild("flags")], []]
    monkeypatch.setattr(scraped.projections, "prune", lambda: pruned.pop(0))
    asking = client(scraped, dev=True)
    for path in (
        "/api/v1/webhooks/webhook-1/test",
        "/api/v1/projections/prune",
        "/api/v1/projections/flags/rebuild",
    ):
        asked = [asking.post(path, headers={"Idempotency-Key": path}) for _ in "12"]
        assert [one.headers.get("Idempotency-Replayed") for one in asked] == [None, "true"]
        assert asked[0].status_code == asked[1].status_code == 200
        assert asked[0].json() == asked[1].json()
        other = asking.post("/api/v1/projections/totals/rebuild", headers={"Idempotency-Key": path})
        assert (other.status_code, other.json()["title"]) == (422, "Key reused")
    assert done == ["trial"]
    assert asking.post("/api/v1/webhooks/webhook-1/test").json()["answer"] == "answered 200, 2"


def test_while_it_is_being_done_its_key_is_in_use(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end, built = Event(), Event(), scraped.projections.rebuild("flags")

    def slow(_name: str) -> Build:
        begun.set()
        assert may_end.wait(30)
        return built

    monkeypatch.setattr(scraped.projections, "rebuild", slow)
    path = "/api/v1/projections/flags/rebuild"
    with listening(scraped) as server, ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, server, path, None, "once", Barrier(1))
        assert begun.wait(30)
        status, _, told = ask(server, path, None, "once", Barrier(1))
        assert (status, told["title"]) == (409, "Key in use")
        may_end.set()
        status, replayed, answer = first.result()
        assert (status, replayed) == (200, False)
        assert ask(server, path, None, "once", Barrier(1)) == (200, True, answer)


def test_a_token_is_issued_once_and_its_text_is_told_to_one(plane: ControlPlane) -> None:
    with listening(plane) as server:
        answers = at_once(server, "/api/v1/tokens", {"owner": "ben", "roles": ["viewer"]})
    assert {status for status, _, _ in answers} == {201}
    assert {told["id"] for _, _, told in answers} == {plane.access.tokens()[0].id}
    texts = [told["text"] for _, _, told in answers]
    assert len([text for text in texts if text is not None]) == 1
    (text,) = [told["text"] for _, replayed, told in answers if not replayed]
    assert plane.access.authenticate(text).actor.id == "ben"
