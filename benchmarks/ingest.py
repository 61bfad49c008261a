"""Executions over HTTP beside the same call in the process: python benchmarks/ingest.py.

The server is a process of its own (uvicorn, as `controlplane serve` has it). Each round sends
batches over HTTP and records as many by `plane.executions.record`, in turn, on one kind of database
each; figures are medians, and ratios count. The client runs on the same processors.
"""

import argparse
import gzip
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import urllib3

from controlplane import ControlPlane, clock

SERVER = """
import sys
from controlplane import ControlPlane
from controlplane.http.gate import GateSettings
from controlplane.http.server import ApiServer, Listening
with ControlPlane(sys.argv[1]) as plane:
    server = ApiServer(plane, Listening(port=0), GateSettings(dev=True))
    server.start()
    print(server.url, flush=True)
    sys.stdin.read()
    server.close()
"""


def executions(count: int) -> list[dict[str, Any]]:
    """As a service records them, each with an id of its own."""
    return [
        {
            "id": clock.new_id(),
            "flag": "f",
            "cohort": "on",
            "unit": f"user-{i}",
            "outcome": "succeeded",
            "duration_us": 41_000 + i,
            "semantics_us": 9_000,
            "normalizer_us": 12_000,
            "executor_us": 20_000,
            "replace": 2,
            "patches_applied": 2,
            "instance": "web-1:4711",
        }
        for i in range(count)
    ]


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Ingest:
    """Batches of one size, by HTTP and in this process."""

    def __init__(self, url: str, plane: ControlPlane, size: int, batches: int) -> None:
        self._url = f"{url}/api/v1/executions"
        self._plane = plane
        self._size = size
        self._batches = batches
        self._pool = urllib3.PoolManager()

    def post(self, bodies: list[bytes], **headers: str) -> None:
        """One request a body."""
        for body in bodies:
            answer = self._pool.request("POST", self._url, body=body, headers=headers)
            assert answer.json()["accepted"] == self._size, answer.data

    def record(self, batches: list[list[dict[str, Any]]]) -> None:
        """One call a batch."""
        for batch in batches:
            assert self._plane.executions.record(batch).accepted == self._size

    def compare(self, rounds: int) -> None:
        """Print executions a second and ratios."""
        forms: dict[str, tuple[Callable[[Any], bytes], dict[str, str]]] = {
            "JSON": (msgspec.json.encode, {}),
            "NDJSON": (lines, {"Content-Type": "application/x-ndjson"}),
            "JSON, gzip": (packed, {"Content-Encoding": "gzip"}),
        }
        for label, (form, headers) in forms.items():
            pairs = []
            for _ in range(rounds):
                bodies = [form(executions(self._size)) for _ in range(self._batches)]
                http = seconds(lambda bodies=bodies, headers=headers: self.post(bodies, **headers))
                batches = [executions(self._size) for _ in range(self._batches)]
                here = seconds(lambda batches=batches: self.record(batches))
                pairs.append((http, here))
            count = self._size * self._batches
            by_http = count / statistics.median(http for http, _ in pairs)
            by_call = count / statistics.median(here for _, here in pairs)
            ratio = statistics.median(here / http for http, here in pairs)
            print(f"  {label:<20}{by_http:>12,.0f}/s{by_call:>12,.0f}/s{ratio:>8.2f}")


def lines(batch: list[dict[str, Any]]) -> bytes:
    """One a line."""
    return b"\n".join(map(msgspec.json.encode, batch))


def packed(batch: list[dict[str, Any]]) -> bytes:
    """As a client would, in no time."""
    return gzip.compress(msgspec.json.encode(batch), 1)


def measure(size: int, batches: int, rounds: int) -> None:
    """One server, one plane."""
    with tempfile.TemporaryDirectory() as folder:
        served, own = (f"sqlite:///{Path(folder) / name}.db" for name in ("served", "own"))
        for url in (served, own):
            with ControlPlane(url) as plane:
                plane.flags.create("f", owner="o", actor="a")
        command = [sys.executable, "-c", SERVER, served]
        with subprocess.Popen(  # noqa: S603  why: our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            print(f"{f'batches of {size}, SQLite':<22}{'HTTP':>14}{'a call':>14}{'ratio':>8}")
            with ControlPlane(own) as plane:
                Ingest(url, plane, size, batches).compare(rounds)
            assert server.stdin is not None
            server.stdin.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    measure(given.size, given.batches, given.rounds)
