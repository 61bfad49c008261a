"""Webhooks at the terminal."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from controlplane import ControlPlane
from tests.cli.conftest import Terminal
from tests.controlplane.servers import Receiver, receiving
from tests.journeys.traffic import ENGINEER, FLAG
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


@pytest.fixture
def terminal(terminal: Terminal) -> Terminal:
    """With a database: without one, a question is refused."""
    ControlPlane(terminal.database).close()
    return terminal


def test_the_terminal_registers_and_watches(
    terminal: Terminal, receiver: Receiver, canary: str
) -> None:
    assert "controlplane webhooks register URL" in terminal.says("webhooks", "list")
    words = ("webhooks", "register", receiver.url, "--secret", "deploys", "--type", "flag.*")
    said = terminal.says(*words, "--type", "alert.raised", "--description", "deployments")
    assert said == "webhook-1 is sent alert.raised, flag.* after position 1\n"
    terminal.says("flags", "create", FLAG, "--owner", "patch-team")
    assert terminal.says("webhooks", "test", "webhook-1") == ("webhook-1 answered 204 No Content\n")
    with ControlPlane(terminal.database) as plane:
        plane.webhooks.deliver()
    _, request = receiver.requests
    assert Verifier(canary).verify(request.body, dict(request.headers))["type"] == "flag.created"
    (listed,) = terminal.data("webhooks", "list")
    assert (listed["id"], listed["position"], listed["attempts"]) == ("webhook-1", 2, 0)
    assert (listed["next_attempt_at"], listed["error"]) == (None, "")
    shown = terminal.says("webhooks", "show", "webhook-1")
    for told in (
        "delivers",
        receiver.url,
        "deploys",
        "deployments",
        "position 2",
        "dead letters: 0",
    ):
        assert told in shown
    assert terminal.data("webhooks", "show", "webhook-1")["dead_letters"] == 0
    assert canary not in shown + terminal.says("events", "query", "--json")


def test_the_terminal_changes_pauses_and_removes(terminal: Terminal) -> None:
    terminal.says("webhooks", "register", URL, "--secret", "deploys", "--type", "flag.*")
    change = ("webhooks", "change", "webhook-1", "--everything")
    assert terminal.says(*change) == "webhook-1 is sent *\n"
    pause = ("webhooks", "pause", "webhook-1", "--reason", "INC-7")
    assert terminal.says(*pause) == "webhook-1 is paused at position 1\n"
    assert "paused: INC-7" in terminal.says("webhooks", "list")
    assert terminal.data("webhooks", "resume", "webhook-1")["paused"] is None
    remove = ("webhooks", "remove", "webhook-1", "--reason", "unread")
    assert terminal.says(*remove) == "webhook-1 is removed\n"
    assert "controlplane webhooks list" in terminal.refuses(*remove)
    log = terminal.says("events", "query", "--type", "webhook.*")
    for told in ("registered for flag.*", "changed: is sent *", "paused: INC-7", "removed: unread"):
        assert f"webhook-1 {told}" in log


def test_the_terminal_shows_dead_letters_and_has_them_tried_again(terminal: Terminal) -> None:
    assert "Everything was delivered" in terminal.says("webhooks", "dead-letters")
    outbox = Outbox(lambda _webhook, _event: FAILED)
    day = 86_400_000_000
    with ControlPlane(terminal.database, clock=iter(range(day, 999 * day, day)).__next__) as plane:
        plane.webhooks.register(URL, **USUAL)
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        with closing(outbox.deliverer(plane)) as deliverer:
            turn(deliverer)
            trying = terminal.says("webhooks", "show", "webhook-1")
            assert "tried 1 times, again at" in trying
            assert f"last error: {FAILED.sentence}" in trying
            for _ in range(ATTEMPTS - 1):
                turn(deliverer)
    (letter,) = terminal.data("webhooks", "dead-letters", "webhook-1")
    assert (letter["position"], letter["event_type"], letter["state"]) == (
        2,
        "flag.created",
        "dead",
    )
    shown = terminal.says("webhooks", "dead-letters")
    assert "flag.created" in shown
    assert FAILED.sentence in shown
    again = ("webhooks", "redeliver", "webhook-1", "2")
    assert terminal.says(*again) == "1 dead letters of webhook-1 are tried again\n"
    assert "requested" in terminal.says("webhooks", "dead-letters")
    log = terminal.says("events", "query", "--type", "webhook.*")
    assert "webhook-1 was not sent position 2 in 3 attempts: answered 503" in log
    assert "webhook-1 is to be sent position 2 after all" in log


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"register {URL} --secret deploys", "everything"),
        (f"register {URL} --secret deploys --type flags.*", "no event is called flags.*"),
        (f"register {URL} --secret other --type flag.*", "CONTROLPLANE_WEBHOOK_SECRET_OTHER"),
        ("register https://169.254.169.254/ --secret deploys --type flag.*", "link-local"),
        ("register http://x.example/ --secret deploys --type flag.*", "write https"),
        ("register https://a:b@x.example/ --secret deploys --type flag.*", "recorded for ever"),
        ("show webhook-7", "controlplane webhooks list"),
        ("test webhook-7", "controlplane webhooks list"),
        ("redeliver webhook-7", "controlplane webhooks list"),
        ("pause webhook-7 --reason=", "say why"),
    ],
)
def test_the_terminal_refuses_in_one_line(terminal: Terminal, words: str, told: str) -> None:
    assert told in terminal.refuses("webhooks", *words.split())


def test_a_test_that_fails_is_a_refusal(terminal: Terminal, receiver: Receiver) -> None:
    receiver.answer = lambda _: (302, {"Location": "http://169.254.169.254/"}, b"")
    terminal.says("webhooks", "register", receiver.url, "--secret", "deploys", "--type", "flag.*")
    told = terminal.refuses("webhooks", "test", "webhook-1")
    assert told == "Nothing was delivered to webhook-1: answered 302 Found."
