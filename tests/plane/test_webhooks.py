"""Registering, changing and watching webhooks from Python."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane import clock as edge
from controlplane.errors import InvalidInput
from controlplane.exposition import PlaneCollector
from controlplane.webhook_errors import DeadLetterNotFound, WebhookNotFound
from events.errors import InvalidEvent
from events.timestamps import HOUR
from tests.conftest import Clock
from tests.controlplane.servers import Receiver, receiving
from tests.house.sources import ROOT
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL
from tests.plane.conftest import secret
from tests.plane.outbox import ATTEMPTS, FAILED, Outbox, turn

URL = "https://hooks.example/rollouts"
USUAL: dict[str, Any] = {"types": ["flag.*"], "secret": "deploys", "actor": ENGINEER}


@pytest.fixture(autouse=True)
def canary(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CONTROLPLANE_ALLOWED_DESTINATIONS", "127.0.0.1")
    return secret(monkeypatch)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def test_it_is_registered_changed_paused_and_removed(plane: ControlPlane) -> None:
    hook = plane.webhooks.register(URL, description="deployments", **USUAL)
    assert (hook.id, hook.url, hook.types, hook.secret) == (
        "webhook-1",
        URL,
        ("flag.*",),
        "deploys",
    )
    assert (hook.registered_by, hook.after) == (ENGINEER, plane.head().position)
    assert plane.webhooks.all() == [plane.webhooks.get("webhook-1")] == [hook]
    changed = plane.webhooks.change("webhook-1", types="alert.*", actor=ON_CALL)
    assert (changed.types, changed.url, changed.description) == (("alert.*",), URL, "deployments")
    assert plane.webhooks.pause("webhook-1", actor=ON_CALL, reason="INC-7").paused == "INC-7"
    assert plane.webhooks.resume("webhook-1", actor=ON_CALL).paused is None
    assert plane.webhooks.remove("webhook-1", actor=ON_CALL, reason="unread") == changed
    assert plane.webhooks.all() == []
    assert plane.webhooks.register(URL, **USUAL).id == "webhook-2"
    assert [event.type for event in plane.events(stream="webhooks")] == [
        f"webhook.{what}"
        for what in ("registered", "changed", "paused", "resumed", "removed", "registered")
    ]


def test_registered_twice_it_is_one(plane: ControlPlane) -> None:
    first = plane.webhooks.register(URL, **USUAL)
    head = plane.head()
    assert plane.webhooks.register(URL, **USUAL) == first
    assert plane.head() == head
    everything = {"types": (), "everything": True}
    assert plane.webhooks.register(URL, **USUAL | everything).types == ("*",)


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"url": "nonsense"}, InvalidInput, "no URL"),
        ({"url": "https://10.0.0.1/"}, InvalidInput, "private"),
        ({"url": "https://x.example/" + "a" * 2000}, InvalidEvent, "url"),
        ({"types": []}, InvalidInput, "everything"),
        ({"types": ["flags.*"]}, InvalidInput, "no event is called flags"),
        ({"secret": "unknown"}, InvalidInput, "secret unknown is not here"),
        ({"secret": "../deploys"}, InvalidInput, "names no secret"),
        ({"after": 10}, InvalidInput, "the log ends at"),
        ({"description": "x" * 2001}, InvalidEvent, "description"),
        ({"actor": ""}, InvalidInput, "say who acts"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_recorded(
    remembered: ControlPlane, wrong: dict[str, Any], error: type[Exception], told: str
) -> None:
    head = remembered.head()
    with pytest.raises(error, match=told):
        remembered.webhooks.register(**{"url": URL} | USUAL | wrong)
    assert remembered.head() == head


def test_another_secret_must_be_there_too(remembered: ControlPlane) -> None:
    remembered.webhooks.register(URL, **USUAL)
    with pytest.raises(InvalidInput, match="secret unknown is not here"):
        remembered.webhooks.change("webhook-1", secret="unknown", actor=ENGINEER)  # noqa: S106  why: a name


def test_what_is_not_there_is_not_found(plane: ControlPlane) -> None:
    hooks = plane.webhooks
    for ask in (hooks.get, hooks.standing, hooks.test, hooks.dead_letters):
        with pytest.raises(WebhookNotFound, match="no webhook webhook-1"):
            ask("webhook-1")
    for do in (hooks.pause, hooks.remove):
        with pytest.raises(WebhookNotFound):
            do("webhook-1", actor=ON_CALL, reason="x")
    for act in (hooks.resume, hooks.change, hooks.redeliver):
        with pytest.raises(WebhookNotFound):
            act("webhook-1", actor=ON_CALL)
    hooks.register(URL, **USUAL)
    with pytest.raises(DeadLetterNotFound, match="Position 7 is no dead letter of webhook-1"):
        hooks.redeliver("webhook-1", 7, actor=ON_CALL)
    assert hooks.redeliver("webhook-1", actor=ON_CALL) == []


def test_it_is_read_again_from_the_database(kept: ControlPlane, receiver: Receiver) -> None:
    kept.webhooks.register(receiver.url, after=0, **USUAL)
    kept.webhooks.deliver()
    with ControlPlane(kept.url, clock=kept.clock) as another:
        assert another.webhooks.all() == kept.webhooks.all()
        assert another.webhooks.standing("webhook-1") == kept.webhooks.standing("webhook-1")
        another.projections.rebuild("webhooks")
        another.webhooks.deliver()
        assert another.webhooks.all() == kept.webhooks.all()
    assert len(receiver.requests) == 1


def test_a_test_is_sent_now_and_records_nothing(
    plane: ControlPlane, receiver: Receiver, canary: str
) -> None:
    plane.webhooks.register(receiver.url, **USUAL)
    head = plane.head()
    plane.webhooks.pause("webhook-1", actor=ON_CALL, reason="INC-7")
    outcome = plane.webhooks.test("webhook-1")
    assert (outcome.kind, outcome.sentence) == ("delivered", "answered 204 No Content")
    assert plane.head().position == head.position + 1
    (request,) = receiver.requests
    said = json.loads(request.body)
    assert (said["type"], said["data"]) == ("webhook.test", {"webhook": "webhook-1"})
    assert request.headers["webhook-id"] == said["id"]
    assert canary not in str(request)
    receiver.answer = lambda _: 500
    assert plane.webhooks.test("webhook-1").kind == "failed"


def test_two_environments_of_one_database_do_not_meet(
    kept: ControlPlane, receiver: Receiver
) -> None:
    kept.webhooks.register(receiver.url, after=0, **USUAL)
    with ControlPlane(kept.url, environment="staging", clock=kept.clock) as staging:
        assert staging.webhooks.all() == []
        staging.webhooks.register(f"{receiver.url}/staging", after=0, **USUAL)
        staging.webhooks.deliver()
        assert receiver.requests == []
        kept.webhooks.deliver()
        staging.flags.create("a", owner="x", actor=ENGINEER)
        staging.webhooks.deliver()
    assert [request.path for request in receiver.requests] == ["/hook", "/hook/staging"]


# As the documentation shows it


def examples() -> tuple[str, str]:
    """The blocks of Python: a receiver, and the API."""
    page = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
    receiving_, api = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return receiving_, api


def test_the_ten_lines_of_a_receiver_verify_what_is_sent(
    remembered: ControlPlane, receiver: Receiver, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    exec(examples()[0], told)  # noqa: S102  why: our own words
    remembered.webhooks.register(receiver.url, **USUAL)
    monkeypatch.setattr(remembered.webhooks._outgoing.send, "_clock", edge.now)
    remembered.webhooks.test("webhook-1")
    (request,) = receiver.requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    verified = told["verified"]
    assert verified(canary, headers, request.body)["type"] == "webhook.test"
    for wrong in (
        (canary.replace("Y2", "Z2"), headers, request.body),
        (canary, headers, request.body + b" "),
        (canary, headers | {"webhook-id": "x"}, request.body),
        (canary, headers | {"webhook-timestamp": "1790000000"}, request.body),
    ):
        with pytest.raises(ValueError, match=r"not signed by us|sent long ago"):
            verified(*wrong)


def test_the_example_of_the_api_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTROLPLANE_ALLOWED_DESTINATIONS")
    exec(examples()[1], {})  # noqa: S102  why: our own words


def test_what_waits_is_dead_or_paused_is_exported(plane: ControlPlane, clock: Clock) -> None:
    for number in (1, 2):
        plane.webhooks.register(f"{URL}/{number}", **USUAL)
    plane.webhooks.pause("webhook-2", actor=ON_CALL, reason="INC-7")
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    outbox = Outbox(lambda _webhook, _event: FAILED)
    with closing(outbox.deliverer(plane)) as deliverer:
        turn(deliverer)
        assert exported(plane) == {
            ("webhook_failed_attempts", "webhook-1"): 1,
            ("webhook_failed_attempts", "webhook-2"): 0,
            ("webhook_dead_letters", "webhook-1"): 0,
            ("webhook_dead_letters", "webhook-2"): 0,
            ("webhook_paused", "webhook-1"): 0,
            ("webhook_paused", "webhook-2"): 1,
        }
        for _ in range(ATTEMPTS):
            clock.advance(HOUR)
            turn(deliverer)
    found = exported(plane)
    assert found["webhook_failed_attempts", "webhook-1"] == 0
    assert found["webhook_dead_letters", "webhook-1"] == 1


def exported(plane: ControlPlane) -> dict[tuple[str, str], float]:
    families = [one for one in PlaneCollector(plane).collect() if one.name.startswith("webhook_")]
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, sample.labels["webhook"]): sample.value for sample in samples}
