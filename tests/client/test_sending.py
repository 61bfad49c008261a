"""What was accepted arrives, whatever the server answers; what it will never take is kept apart."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest

from controlplane import ControlPlane
from controlplane.client import Client
from events import BatchExecuted
from tests.client import standin
from tests.client.conftest import FACTS, FLAG, MakeClient, until
from tests.client.standin import Fault, Handler, StandIn


def recorded(plane: ControlPlane) -> list[str]:
    return sorted(event.id for event in plane.events(type=BatchExecuted.TYPE, limit=5000))


def ids(first: int, count: int) -> list[str]:
    return [str(UUID(int=number)) for number in range(first, first + count)]


@pytest.fixture
def patient(server: StandIn, client_of: MakeClient) -> Client:
    """One that gathers until it is told to send."""
    return client_of(server, send_every_seconds=600)


@pytest.mark.parametrize(
    "fault",
    [
        standin.hangs_up,
        standin.loses_the_answer,
        standin.says_anything,
        standin.answers(503),
        standin.answers(500),
        standin.answers(429, Retry_After="0"),
        standin.answers(429),
        standin.answers(502, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
        standin.answers(503, Retry_After="soon"),
        standin.answers(301, Location="/elsewhere"),
        standin.answers(401),
        standin.answers(404),
        standin.answers(200),
        standin.takes_at_most(3),
    ],
)
def test_a_batch_is_sent_until_the_server_says_that_it_has_it(
    fault: Fault, server: StandIn, patient: Client, served: ControlPlane
) -> None:
    server.faults.extend([fault] * 2)
    for id_ in ids(1, 10):
        assert patient.record(FACTS, id=id_)
    assert patient.flush(20)
    assert recorded(served) == ids(1, 10)
    status = patient.status()
    assert (status.waiting, status.spool_bytes, status.refused, status.dropped) == (0, 0, 0, 0)
    assert status.executions_problem == ""


def test_what_hinders_is_said_while_it_does(server: StandIn, patient: Client) -> None:
    server.always = standin.answers(401)
    patient.record(FACTS)
    assert not patient.flush(0.1)
    assert "answered 401" in patient.status().executions_problem
    assert patient.status().waiting == 1


def test_when_it_was_recorded_but_the_answer_was_lost_it_counts_once(
    server: StandIn, patient: Client, served: ControlPlane
) -> None:
    server.faults.append(standin.loses_the_answer)
    patient.record(FACTS)
    assert patient.flush(10)
    assert len(recorded(served)) == 1
    assert patient.status().duplicates == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_that_spoils_its_batch_is_found_by_halving_and_kept_apart(
    status: int, server: StandIn, patient: Client, served: ControlPlane, tmp_path: Path
) -> None:
    server.always = standin.chokes_on(b"rotten", status)
    for number, id_ in enumerate(ids(1, 100)):
        patient.record(FACTS, id=id_, error="rotten" if number in (17, 63) else "")
    assert patient.flush(10)
    assert recorded(served) == sorted(set(ids(1, 100)) - {ids(1, 100)[17], ids(1, 100)[63]})
    assert patient.status().refused == 2
    assert len(server.batches) < 40
    kept = refused(tmp_path)
    assert [line["execution"]["id"] for line in kept] == [ids(1, 100)[17], ids(1, 100)[63]]
    assert f"answered {status}" in kept[0]["reason"]


def refused(tmp_path: Path) -> list[dict[str, Any]]:
    (path,) = tmp_path.rglob("refused.ndjson")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_the_server_refuses_by_itself_is_kept_with_its_reason(
    patient: Client, served: ControlPlane, tmp_path: Path
) -> None:
    patient.record(FACTS, id=ids(1, 1)[0])
    patient.record(FACTS, flag="no-such-flag", id=ids(2, 1)[0])
    assert patient.flush(10)
    assert recorded(served) == ids(1, 1)
    (line,) = refused(tmp_path)
    assert line["reason"] == "there is no flag 'no-such-flag'"
    assert line["execution"]["flag"] == "no-such-flag"
    assert patient.status().refused == 1


def test_what_is_refused_and_has_no_directory_is_counted(
    server: StandIn, client_of: MakeClient
) -> None:
    client = client_of(server, on_disk=False)
    client.record(FACTS, flag="no-such-flag")
    assert client.flush(10)
    assert client.status().refused == 1


def test_a_batch_has_at_most_a_thousand(
    server: StandIn, patient: Client, served: ControlPlane
) -> None:
    for _ in range(2500):
        patient.record(FACTS)
    assert patient.flush(20)
    assert max(server.batches) <= 1000
    assert sum(server.batches) == served.metrics.total(FLAG).executions == 2500


def test_a_full_batch_does_not_wait_for_more(patient: Client, served: ControlPlane) -> None:
    for _ in range(2000):  # The first few may have gone already.
        patient.record(FACTS)
    until(lambda: served.metrics.total(FLAG).executions >= 1000)


def test_recording_does_not_wait_for_a_server_that_does_not_answer(
    server: StandIn, patient: Client, served: ControlPlane
) -> None:
    answer = Event()

    def hangs(handler: Handler, lines: list[bytes]) -> None:
        answer.wait(30)
        handler.answer(200, handler.record(lines))

    server.faults.append(hangs)
    for _ in range(3000):
        assert patient.record(FACTS)
    assert not patient.flush(0.05)
    answer.set()
    assert patient.flush(20)
    assert served.metrics.total(FLAG).executions == 3000


@pytest.mark.parametrize("on_disk", [True, False])
def test_closing_sends_what_waits(
    server: StandIn, client_of: MakeClient, served: ControlPlane, on_disk: Callable[..., Any]
) -> None:
    client = client_of(server, on_disk=on_disk, send_every_seconds=600)
    for _ in range(10):
        client.record(FACTS)
    client.close()
    assert served.metrics.total(FLAG).executions == 10


def test_in_memory_closing_tries_to_the_last_and_then_says_what_is_lost(
    server: StandIn, client_of: MakeClient, served: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.extend([standin.answers(503)] * 3)
    client = client_of(server, on_disk=False, send_every_seconds=600)
    client.record(FACTS)
    client.close(30)
    assert served.metrics.total(FLAG).executions == 1
    server.always = standin.answers(503)
    client = client_of(server, on_disk=False, send_every_seconds=600)
    client.record(FACTS)
    client.close(0.3)
    assert client.status().dropped == 1
    assert "1 executions are lost" in caplog.text


def test_what_somebody_removed_is_told_as_dropped(
    server: StandIn, client_of: MakeClient, tmp_path: Path
) -> None:
    client = client_of(server, offline=True)
    client.record(FACTS)
    shutil.rmtree(next(tmp_path.rglob("spool")))
    client._sender.start()
    assert client.flush(10)
    assert client.status().dropped == 1
    assert server.batches == []


def test_two_clients_share_a_directory(
    server: StandIn, client_of: MakeClient, served: ControlPlane, tmp_path: Path
) -> None:
    one, other = client_of(server), client_of(server)
    for number in range(300):
        assert (one if number % 2 else other).record(FACTS)
    assert one.flush(10)
    assert other.flush(10)
    assert served.metrics.total(FLAG).executions == 300
    one.close()
    other.close()
    assert list(next(tmp_path.rglob("spool")).iterdir()) == []


def test_what_was_told_to_one_server_is_never_sent_to_another(
    server: StandIn, client_of: MakeClient, served: ControlPlane
) -> None:
    away = client_of("http://127.0.0.1:9", offline=True)
    away.record(FACTS)
    away.close()
    client = client_of(server)
    client.record(FACTS)
    assert client.flush(10)
    assert served.metrics.total(FLAG).executions == 1
