"""Client and server are killed with no time to say goodbye: what was accepted arrives, once."""

import subprocess
import sys
import time
from pathlib import Path
from random import Random

from controlplane import ControlPlane
from controlplane.client import Client
from events import BatchExecuted
from tests.client import standin
from tests.client.conftest import FACTS, FLAG, until
from tests.client.test_following import free_port
from tests.journeys.serving import database, serving

LIVES = 3
RECORDS = """
import os, sys
from itertools import count
from uuid import UUID
from controlplane.client import Client

url, directory, life = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = Client(url, directory=directory, send_every_seconds=0.005)
for n in count(1):
    id_ = str(UUID(int=life * 10**9 + n))
    facts = {"flag": "batch-patches-v1", "cohort": "on", "unit": "u", "outcome": "succeeded"}
    if client.record(facts, duration_us=1, id=id_):
        os.write(1, id_.encode() + b"\\n")
"""


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE)  # noqa: S603  why: ours


def kill(process: "subprocess.Popen[bytes]") -> bytes:
    """Kill -9; all that it had said."""
    process.kill()
    said, _ = process.communicate()
    return said


def test_what_was_accepted_before_a_kill_is_in_the_log_once(tmp_path: Path) -> None:
    port, dice = free_port(), Random(time.monotonic_ns())  # noqa: S311  why: no secret
    options = ("--dev", "--port", str(port), "--metrics-port", "0")
    with ControlPlane(database(tmp_path)) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor="ana")
    url, directory = f"http://127.0.0.1:{port}", tmp_path / "client"
    accepted: set[str] = set()
    for life in range(1, LIVES + 1):
        with serving(database(tmp_path), *options):
            client = start("-c", RECORDS, url, str(directory), str(life))
            assert client.stdout is not None
            first = client.stdout.readline()
            time.sleep(dice.uniform(0.01, 0.3))
            if life % 2:
                said = kill(client)
        if not life % 2:  # The server first, then, and the client in the middle of its retries.
            time.sleep(dice.uniform(0.01, 0.1))
            said = kill(client)
        accepted |= {*(first + said).decode().split("\n")[:-1]}
    assert len(accepted) > LIVES
    with serving(database(tmp_path), *options), Client(url, directory=directory) as heir:
        until(lambda: heir.flush(1) and not list(directory.rglob("*.ndjson")), 60)
    with ControlPlane(database(tmp_path)) as plane:
        ids = [e.id for e in plane.events(type=BatchExecuted.TYPE, limit=10**6)]
        assert len(ids) == len(set(ids)) == plane.metrics.total(FLAG).executions
        assert accepted <= set(ids)
        plane.verify()


def test_an_execution_recorded_offline_by_a_killed_process_is_sent_by_the_next(
    tmp_path: Path,
) -> None:
    with ControlPlane("memory://") as plane:
        plane.flags.create(FLAG, owner="patch-team", actor="ana")
        with standin.StandIn(plane) as server:
            program = (
                "import os, signal, sys; from controlplane.client import Client\n"
                "client = Client(sys.argv[1], directory=sys.argv[2], offline=True)\n"
                f"assert client.record({FACTS!r})\n"
                "os.kill(os.getpid(), signal.SIGKILL)\n"
            )
            assert start("-c", program, server.url, str(tmp_path)).wait(30) == -9
            with Client(server.url, directory=tmp_path):
                until(lambda: plane.metrics.total(FLAG).executions == 1)
