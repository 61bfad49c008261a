"""A process ends when it wants to: what waits is sent in passing, and nothing holds it up."""

import subprocess
import sys
from pathlib import Path

import pytest

from controlplane import ControlPlane
from tests.client.conftest import FACTS, FLAG
from tests.client.scripted import STAY, STREAM, scripted
from tests.client.standin import StandIn

SECONDS = 30
"""Much more than a client may take to end."""
PROGRAM = f"""
import sys
from controlplane.client import Client
client = Client(sys.argv[1], directory=sys.argv[2] or None, send_every_seconds=600)
assert client.record({FACTS!r})
"""


def ends(url: str, directory: str, body: str = "") -> int:
    program = [sys.executable, "-c", PROGRAM + body, url, directory]
    return subprocess.run(program, check=False, timeout=SECONDS).returncode  # noqa: S603  why: ours


@pytest.mark.parametrize("directory", [True, False])
@pytest.mark.parametrize("body", ["", "sys.exit(0)", "raise SystemExit", "del client"])
def test_what_waits_at_the_end_is_sent(
    server: StandIn, served: ControlPlane, tmp_path: Path, body: str, *, directory: bool
) -> None:
    assert ends(server.url, str(tmp_path) if directory else "", body) == 0
    assert served.metrics.total(FLAG).executions == 1


@pytest.mark.parametrize("directory", [True, False])
def test_a_server_that_never_answers_does_not_hold_up_the_end(
    tmp_path: Path, *, directory: bool
) -> None:
    with scripted(*[[STAY]] * 9) as server:
        assert ends(server.url, str(tmp_path) if directory else "") == 0


def test_a_stream_that_says_nothing_does_not_hold_up_the_end() -> None:
    with scripted(*[[STREAM, STAY]] * 9) as server:
        assert ends(server.url, "", "import time; time.sleep(0.1)") == 0


def test_a_name_that_cannot_be_resolved_does_not_hold_up_the_end(tmp_path: Path) -> None:
    slow = (
        "import socket, time\nsocket.getaddrinfo = lambda *a, **k: time.sleep(600)\n"
        "other = Client('http://plane.invalid', send_every_seconds=0.001)\n"
        f"other.record({FACTS!r})\ntime.sleep(0.05)\n"
    )
    assert ends("http://127.0.0.1:9", str(tmp_path), slow) == 0
