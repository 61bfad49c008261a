"""`controlplane serve` as a process of its own, and what an HTTP client sees of it."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import urllib3

PROGRAM = [sys.executable, "-c", "from controlplane.cli import app; app(prog_name='controlplane')"]
QUICK = {
    "CONTROLPLANE_EVALUATION_INTERVAL_SECONDS": "0.2",
    "CONTROLPLANE_ALERT_INTERVAL_SECONDS": "0.2",
    "CONTROLPLANE_PROJECTION_INTERVAL_SECONDS": "0.05",
}


@dataclass
class Served:
    """A server that runs, and where."""

    process: Popen[str]
    api: str
    metrics: str
    token: str = ""
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=8, retries=False, timeout=10)
    )

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """Send JSON, or bytes as they are."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            given.setdefault("Authorization", f"Bearer {self.token}")
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.pool.request(method, self.api + path, body=content, headers=given)

    def stops(self, how: signal.Signals = signal.SIGTERM, within: float = 5.0) -> int:
        """Tell it to stop; its exit status."""
        self.process.send_signal(how)
        return self.process.wait(within)


def start(
    url: str, *options: str, environment: Mapping[str, str] = QUICK, token: str = ""
) -> Served:
    """Start one; return once it says where it listens."""
    if not any(option.startswith("--port") for option in options):
        options = (*options, "--port", "0", "--metrics-port", "0")
    process = Popen(  # noqa: S603  why: our own program
        [*PROGRAM, "--database", url, "serve", *options],
        env=os.environ | dict(environment),
        stdout=PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = ""
    while not (found := re.search(r"API at (\S+), metrics at (\S+)/metrics\.", told)):
        line = process.stdout.readline()
        assert line, f"it ended: {told}"
        told += line
    first_token = re.search(r"rcp_\S+", told)
    return Served(process, found[1], found[2], token or (first_token[0] if first_token else ""))


@contextmanager
def serving(url: str, *options: str, **more: Any) -> Iterator[Served]:
    """One that is gone in the end, come what may."""
    served = start(url, *options, **more)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.wait(10)
        assert served.process.stdout is not None
        served.process.stdout.close()


def database(folder: Path) -> str:
    """A SQLite file that is not there yet."""
    return f"sqlite:///{folder / 'served.db'}"
