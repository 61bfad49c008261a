"""Sent many times at once under one key, to a server that listens: done once, always answered."""

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Barrier
from typing import Any

import pytest

from controlplane import ControlPlane
from tests.http.callers import QUICK
from tests.http.listening import HasPort, listening
from tests.journeys.traffic import ENGINEER, FLAG

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


def test_a_token_is_issued_once_and_its_text_is_told_to_one(plane: ControlPlane) -> None:
    with listening(plane) as server:
        answers = at_once(server, "/api/v1/tokens", {"owner": "ben", "roles": ["viewer"]})
    assert {status for status, _, _ in answers} == {201}
    assert {told["id"] for _, _, told in answers} == {plane.access.tokens()[0].id}
    texts = [told["text"] for _, _, told in answers]
    assert len([text for text in texts if text is not None]) == 1
    (text,) = [told["text"] for _, replayed, told in answers if not replayed]
    assert plane.access.authenticate(text).actor.id == "ben"
