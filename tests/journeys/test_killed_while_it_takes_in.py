"""A server that is killed again and again in the middle of taking executions in loses none of
those that it accepted, and counts none twice.
"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
import urllib3

from controlplane import ControlPlane
from controlplane.clock import new_id
from events.executions import BatchExecuted
from tests.journeys.serving import Served, database, start
from tests.journeys.traffic import ENGINEER, FLAG, batch

KILLS = 20
A_BATCH = 40


@dataclass
class Sender:
    """Sends batches, each until it is answered, as any client should: under the same ids."""

    url: str
    token: str
    accepted: list[str] = field(default_factory=list)
    unanswered: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        pool = urllib3.PoolManager(retries=False, timeout=5)
        while not self.stopped.is_set():
            self._deliver(pool, [batch(id=new_id()) for _ in range(A_BATCH)])

    def _deliver(self, pool: urllib3.PoolManager, executions: list[dict[str, str]]) -> None:
        body = b"\n".join(json.dumps(one).encode() for one in executions)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/x-ndjson",
        }
        while True:
            try:
                answer = pool.request("POST", self.url, body=body, headers=headers)
            except urllib3.exceptions.HTTPError:
                self.unanswered += 1
                time.sleep(0.02)
                continue
            if answer.status == 200:
                assert answer.json()["refused"] == []
                self.accepted += [one["id"] for one in executions]
                return
            time.sleep(0.05)


def port_nobody_has() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def token(tmp_path: Path) -> str:
    with ControlPlane(database(tmp_path)) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        return plane.access.issue(owner="service", roles="ingestor", actor=ENGINEER).text


def lives(folder: Path, port: int, token: str) -> Iterator[Served]:
    """The server, started again each time; the last one is left alone."""
    options = ("--port", str(port), "--metrics-port", "0")
    for _ in range(KILLS + 1):
        yield start(database(folder), *options, token=token)


@pytest.mark.timeout(200)
def test_every_accepted_execution_is_counted_once_though_it_is_killed_twenty_times(
    tmp_path: Path, token: str
) -> None:
    port, random = port_nobody_has(), Random(20261124)  # noqa: S311  why: to be the same each time
    sender = Sender(f"http://127.0.0.1:{port}/api/v1/executions", token)
    sending = threading.Thread(target=sender.run)
    for life, served in enumerate(lives(tmp_path, port, token)):
        if life == 0:
            sending.start()
        time.sleep(0.15 + 0.25 * random.random())
        if life == KILLS:
            sender.stopped.set()
            sending.join(30)
            assert served.stops() == 0
            break
        served.process.kill()
        served.process.wait(10)
    assert not sending.is_alive()
    assert sender.unanswered >= KILLS / 2, "it was hardly ever killed in the middle"
    with ControlPlane(database(tmp_path)) as plane:
        found = Counter(event.id for event in plane.events(type=BatchExecuted.TYPE, limit=10**6))
        assert set(found.values()) == {1}
        assert found.keys() >= set(sender.accepted)
        assert len(found) == len(sender.accepted), "each was sent until it was answered"
        assert plane.metrics.total(FLAG).executions == len(found)
        plane.verify()
