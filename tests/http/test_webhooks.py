"""Webhooks over HTTP: for admins, and for nobody else."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.permissions import ROLES
from events.access import Role
from tests.conftest import Clock
from tests.controlplane.servers import Receiver, receiving
from tests.http.callers import client, holding
from tests.journeys.traffic import ENGINEER, FLAG
from tests.plane.conftest import secret
from tests.plane.outbox import ATTEMPTS, FAILED, Outbox, turn

AT = "/api/v1/webhooks"
URL = "https://hooks.example/rollouts"
ALERTS = {"types": ["alert.*"]}
SAID = {"url": URL, "secret": "deploys", "types": ["flag.*"], "description": "deployments"}


@pytest.fixture(autouse=True)
def canary(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CONTROLPLANE_ALLOWED_DESTINATIONS", "127.0.0.1")
    return secret(monkeypatch)


@pytest.fixture
def admin(scraped: ControlPlane) -> TestClient:
    return holding(scraped, "admin")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def sentences(answer: Any) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return str(answer.json()["detail"])


def test_an_admin_registers_changes_pauses_and_removes(
    scraped: ControlPlane, admin: TestClient
) -> None:
    made = admin.post(AT, json=SAID)
    assert made.status_code == 200, made.text
    hook = made.json()
    assert (hook["id"], hook["url"], hook["types"]) == ("webhook-1", URL, ["flag.*"])
    assert (hook["paused"], hook["attempts"], hook["registered_by"]) == (None, 0, "ben")
    assert hook["registered_at"].endswith("Z")
    assert admin.get(AT).json() == {"items": [hook], "next": None}
    assert admin.get(f"{AT}/webhook-1").json() == hook
    changed = admin.patch(f"{AT}/webhook-1", json={"types": [], "everything": True}).json()
    assert (changed["types"], changed["url"]) == (["*"], URL)
    assert admin.post(f"{AT}/webhook-1/pause", json={"reason": "x"}).json()["paused"] == "x"
    assert admin.post(f"{AT}/webhook-1/resume", json={}).json()["paused"] is None
    removed = admin.delete(f"{AT}/webhook-1", params={"reason": "unread"})
    assert removed.json()["id"] == "webhook-1"
    assert admin.get(AT).json()["items"] == []
    by = {event.actor.id for event in scraped.events(stream="webhooks")}
    assert by == {"ben"}


def test_asked_again_under_the_same_key_it_is_answered_and_not_done_again(
    scraped: ControlPlane, admin: TestClient
) -> None:
    asks = [
        lambda headers: admin.post(AT, json=SAID, headers=headers),
        lambda headers: admin.patch(f"{AT}/webhook-1", json=ALERTS, headers=headers),
        lambda headers: admin.post(f"{AT}/webhook-1/pause", json={"reason": "x"}, headers=headers),
        lambda headers: admin.post(f"{AT}/webhook-1/resume", json={}, headers=headers),
        lambda headers: admin.delete(f"{AT}/webhook-1?reason=x", headers=headers),
    ]
    for number, ask in enumerate(asks):
        headers = {"Idempotency-Key": f"key-{number}"}
        first, head = ask(headers), scraped.head()
        again = ask(headers)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["Idempotency-Replayed"] == "true"
        assert scraped.head() == head


@pytest.mark.parametrize("role", ROLES)
def test_nobody_but_an_admin_sees_or_touches_one(scraped: ControlPlane, role: Role) -> None:
    if role == "admin":
        return
    scraped.webhooks.register(
        URL, types=["flag.*"], secret="deploys", actor=ENGINEER  # noqa: S106  why: a name
    )  # fmt: skip
    asking = holding(scraped, role)
    hook = f"{AT}/webhook-1"
    answers = [
        asking.get(AT), asking.post(AT, json=SAID), asking.get(hook), asking.patch(hook, json={}),
        asking.delete(f"{hook}?reason=x"), asking.post(f"{hook}/pause", json={"reason": "x"}),
        asking.post(f"{hook}/resume", json={}), asking.post(f"{hook}/test"),
        asking.get(f"{hook}/dead-letters"), asking.post(f"{hook}/redeliver"),
        asking.post(f"{hook}/dead-letters/1/redeliver"),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {403}
    assert all(URL not in answer.text for answer in answers)
    assert client(scraped).get(AT).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"url": "https://10.0.0.1/"}, "private"),
        ({"url": "https://169.254.169.254/latest/"}, "link-local"),
        ({"url": "https://[::ffff:127.0.0.2]/"}, "loopback"),
        ({"url": "http://x.example/"}, "write https"),
        ({"url": "https://me:canary@x.example/"}, "recorded for ever"),
        ({"url": "https://x.example/?token=canary"}, "recorded for ever"),
        ({"types": []}, "everything"),
        ({"types": ["flags.*"]}, "no event is called"),
        ({"types": "flag.*"}, "types"),
        ({"secret": "unknown"}, "secret unknown is not here"),
        ({"after": 10**6}, "the log ends at"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_is_wrong_is_refused_with_a_reason(
    scraped: ControlPlane, admin: TestClient, wrong: dict[str, Any], told: str
) -> None:
    answer = admin.post(AT, json=SAID | wrong)
    assert answer.status_code == 422
    assert told in answer.text
    assert "canary" not in answer.text
    assert scraped.webhooks.all() == []


def test_what_is_not_there_is_not_found(scraped: ControlPlane, admin: TestClient) -> None:
    hook = f"{AT}/webhook-7"
    for answer in (
        admin.get(hook), admin.patch(hook, json={}), admin.delete(f"{hook}?reason=x"),
        admin.post(f"{hook}/test"), admin.post(f"{hook}/redeliver"),
        admin.get(f"{hook}/dead-letters"),
    ):  # fmt: skip
        assert answer.status_code == 404
        assert "no webhook webhook-7" in sentences(answer)
    admin.post(AT, json=SAID)
    answer = admin.post(f"{AT}/webhook-1/dead-letters/3/redeliver")
    assert (answer.status_code, "no dead letter" in sentences(answer)) == (404, True)
    assert scraped.events(type="webhook.redelivery_requested") == []


def test_a_test_tells_what_came_of_it(admin: TestClient, receiver: Receiver, canary: str) -> None:
    admin.post(AT, json=SAID | {"url": receiver.url})
    answer = admin.post(f"{AT}/webhook-1/test")
    assert answer.json() == {"delivered": True, "answer": "answered 204 No Content"}
    receiver.answer = lambda _: (500, {}, canary.encode())
    answer = admin.post(f"{AT}/webhook-1/test")
    assert answer.json() == {"delivered": False, "answer": "answered 500 Internal Server Error"}


def test_dead_letters_are_paged_and_tried_again(
    scraped: ControlPlane, admin: TestClient, clock: Clock
) -> None:
    admin.post(AT, json=SAID)
    for name in "abc":
        scraped.flags.create(f"{FLAG}-{name}", owner="x", actor=ENGINEER)
    outbox = Outbox(lambda _webhook, _event: FAILED)
    with closing(outbox.deliverer(scraped)) as deliverer:
        for _ in range(3 * ATTEMPTS):
            turn(deliverer)
            clock.advance(86_400_000_000)
    at = f"{AT}/webhook-1/dead-letters"
    first = admin.get(at, params={"limit": 2}).json()
    assert [one["event_type"] for one in first["items"]] == ["flag.created"] * 2
    assert first["next"] == first["items"][-1]["position"]
    rest = admin.get(at, params={"after": first["next"]}).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert rest["items"][0]["at"].endswith("Z")
    position = rest["items"][0]["position"]
    assert admin.post(f"{at}/{position}/redeliver").json()["state"] == "requested"
    assert len(admin.post(f"{AT}/webhook-1/redeliver").json()["items"]) == 3
    states = {one["state"] for one in admin.get(at).json()["items"]}
    assert states == {"requested"}
