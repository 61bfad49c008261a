"""Webhooks as they are run: by schedulers, over a network, and through the death of a process."""

import base64
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pytest
from standardwebhooks import Webhook as Verifier

from controlplane import ControlPlane
from controlplane.errors import InvalidInput
from controlplane.scheduler import Intervals, Scheduler
from tests.cli.conftest import Terminal
from tests.conftest import only_sqlite
from tests.controlplane.servers import Reply, Request, receiving
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL

OFTEN = Intervals(evaluation=60, alerts=60, projections=60, webhooks=0.02)
SECRET = "whsec_" + base64.b64encode(b"a canary in a coal mine, a canary").decode()

NUMBERS = count()


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLPLANE_ALLOWED_DESTINATIONS", "127.0.0.1")
    monkeypatch.setenv("CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS", SECRET)


def register(plane: ControlPlane, url: str, *types: str) -> None:
    plane.webhooks.register(
        url, types=types or ("flag.*",), secret="deploys", actor=ENGINEER  # noqa: S106  why: a name
    )  # fmt: skip


def describe(plane: ControlPlane, times: int) -> list[str]:
    """Make so many events; their ids."""
    for number in islice(NUMBERS, times):
        plane.flags.describe(FLAG, description=f"{number}", actor=ENGINEER)
    return [event.id for event in plane.events(type="flag.described", limit=10**6)][-times:]


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.01)


def ids(requests: list[Request]) -> list[str]:
    """Of what was sent, verified as a receiver does, in the order in which it came first."""
    for request in requests:
        said = Verifier(SECRET).verify(request.body, dict(request.headers))
        assert said["id"] == request.headers["webhook-id"]
    return list(dict.fromkeys(request.headers["webhook-id"] for request in requests))


def serve(url: str, parent: Connection) -> None:
    """In a process of its own: a scheduler, until the parent is gone."""
    with ControlPlane(url) as plane:
        scheduler = Scheduler(plane, OFTEN, lease_seconds=1.0)
        scheduler.start()
        parent.send("looks")
        try:
            parent.recv()
        except EOFError:
            scheduler.close()


class Crowd:
    """Schedulers in processes of their own, on one database."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self._url, self._stack = url, stack
        self._context = get_context("spawn")

    def start(self) -> int:
        """One more; its process id."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(self._url, theirs), daemon=True)
        process.start()
        theirs.close()
        self._stack.callback(process.join)
        self._stack.callback(ours.close)
        assert ours.poll(60)
        ours.recv()
        assert process.pid is not None
        return process.pid


@pytest.fixture
def crowd(url: str) -> Iterator[Crowd]:
    with ExitStack() as stack:
        yield Crowd(url, stack)


@pytest.fixture
def flagged(url: str) -> Iterator[ControlPlane]:
    with ControlPlane(url) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        yield plane


def test_whoever_is_killed_whenever_each_event_arrives_and_in_order(
    flagged: ControlPlane, crowd: Crowd
) -> None:
    dice = Random(7)  # noqa: S311  why: reproducible, nothing to keep secret
    with receiving() as receiver:
        register(flagged, receiver.url)
        recorded = describe(flagged, 60)

        def answer(_: Request) -> Reply:
            time.sleep(dice.random() / 200)
            return 204

        receiver.answer = answer
        for kill_at in (10, 30):
            pid = crowd.start()
            until(lambda kill_at=kill_at: len(receiver.requests) >= kill_at)  # type: ignore[misc]  # why: bound as it is now
            os.kill(pid, signal.SIGKILL)
        crowd.start()
        until(lambda: len(ids(receiver.requests)) == len(recorded))
    assert ids(receiver.requests) == recorded
    again = len(receiver.requests) - len(recorded)
    assert again <= 2, "what was under way when one was killed"
    assert flagged.webhooks.dead_letters() == []
    flagged.verify()


def test_of_two_schedulers_one_delivers_and_hands_over_without_a_double(
    flagged: ControlPlane, url: str
) -> None:
    with receiving() as receiver, ControlPlane(url) as first, ControlPlane(url) as second:
        register(flagged, receiver.url)
        one, other = (Scheduler(plane, OFTEN, lease_seconds=600) for plane in (first, second))
        one.start()
        other.start()
        before = describe(flagged, 10)
        until(lambda: len(receiver.requests) >= 5)
        one.close()
        other._renew()
        after = describe(flagged, 10)
        until(lambda: len(receiver.requests) >= 20)
        other.close()
        assert [request.headers["webhook-id"] for request in receiver.requests] == before + after


@only_sqlite
def test_who_is_stuck_delays_neither_the_others_nor_the_end(flagged: ControlPlane) -> None:
    over = threading.Event()

    def hang(_: Request) -> Reply:
        over.wait()
        return None

    with receiving(hang) as stuck, receiving() as receiver:
        for server in (stuck, receiver):
            register(flagged, server.url)
        scheduler = Scheduler(flagged, OFTEN)
        scheduler.start()
        for number in range(1, 6):
            describe(flagged, 1)
            until(lambda number=number: len(receiver.requests) == number)  # type: ignore[misc]  # why: bound as it is now
        assert len(stuck.requests) == 1
        scheduler.close()
        over.set()
        assert flagged.schedule() is None


def test_serve_delivers_and_a_person_mends_what_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTROLPLANE_WEBHOOK_ATTEMPTS", "1")
    terminal = Terminal(tmp_path)
    with receiving(lambda _: 500) as receiver, ControlPlane(terminal.database) as plane:
        register(plane, receiver.url)
        with terminal.process("serve", "--port", "0", "--metrics-port", "0") as process:
            plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
            until(lambda: len(plane.webhooks.dead_letters()) == 1)
            receiver.answer = lambda _: 204
            plane.webhooks.redeliver("webhook-1", actor=ON_CALL)
            until(lambda: plane.webhooks.dead_letters() == [])
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert err.count("is a dead letter after 1 attempts: answered 500") == 1
        assert SECRET not in out + err
        assert receiver.url not in out + err
        first, second = receiver.requests
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"]


@only_sqlite
def test_a_secret_is_in_no_event_no_row_no_line_and_no_error(
    flagged: ControlPlane, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers: Iterator[Reply] = iter([500, (302, {"Location": "/"}, SECRET.encode()), None, 410])
    told = []
    with receiving(lambda _: next(answers, 204)) as receiver:
        register(flagged, receiver.url)
        for change in (
            lambda: flagged.webhooks.register(
                receiver.url, types=["nonsense"], secret="deploys", actor=ENGINEER  # noqa: S106  why: a name
            ),
            lambda: flagged.webhooks.register(
                f"https://{SECRET}@x.example/", types=["flag.*"], secret="deploys", actor=ENGINEER  # noqa: S106  why: a name
            ),
            lambda: flagged.webhooks.change("webhook-1", secret=SECRET[:5], actor=ENGINEER),
        ):  # fmt: skip
            with pytest.raises(InvalidInput) as refusal:
                change()
            told.append(str(refusal.value))
        describe(flagged, 2)
        for _ in count():
            flagged.webhooks.deliver()
            if flagged.webhooks.get("webhook-1").paused:
                break
            flagged.webhooks.change("webhook-1", description=f"{next(NUMBERS)}", actor=ENGINEER)
        told.append(str(flagged.webhooks.test("webhook-1")))
        flagged.webhooks.resume("webhook-1", actor=ENGINEER)
        flagged.webhooks.deliver()
    said = [event.data for event in flagged.events(limit=10**6)]
    said += [str(flagged.webhooks.standing("webhook-1")), caplog.text, *told]
    database = b"".join(path.read_bytes() for path in tmp_path.glob("log.db*"))
    key = SECRET.removeprefix("whsec_")
    for secret in (SECRET, key, base64.b64decode(key).decode()):
        assert secret not in "\n".join(said)
        assert secret.encode() not in database
    assert len(receiver.requests) == 7
    assert all(SECRET not in json.dumps(dict(one.headers)) for one in receiver.requests)
