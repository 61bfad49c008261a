"""What only a process of its own can show: pipes, signals, ports, the demo."""

import re
import signal
import socket
from http.client import HTTPConnection
from importlib import import_module
from subprocess import Popen
from time import monotonic

import pytest

from controlplane import ControlPlane
from tests.cli.conftest import Terminal
from tests.journeys.traffic import FLAG, batch


def test_a_reader_that_has_seen_enough_is_no_error(flagged: Terminal) -> None:
    with ControlPlane(flagged.database) as plane:
        plane.executions.record([batch() for _ in range(1000)])
    for command in ("log export", "events query --limit 1000", "events query --json --limit 1000"):
        with flagged.process(*command.split()) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""
            # A table that rich writes ends with 1, as `yes | head` ends with a signal.
            assert process.wait(20) in (0, 1)


def metrics_port(process: Popen[str]) -> int:
    assert process.stdout is not None
    for told in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/metrics", told):
            return int(found[1])
    raise AssertionError("it does not say where the metrics are")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_and_stops_when_it_is_told_to(
    flagged: Terminal, stop: signal.Signals
) -> None:
    with flagged.process("serve", "--port", "0", "--metrics-port", "0") as process:
        port = metrics_port(process)
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics")
        assert b"batch_patches_total" in connection.getresponse().read()
        silent = socket.create_connection(("127.0.0.1", port))
        begun = monotonic()
        process.send_signal(stop)
        assert process.wait(10) == 0
        assert monotonic() - begun < 5
        silent.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_port_in_use_is_a_clear_error(flagged: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = flagged.refuses("serve", "--port", port)
    assert f"cannot be served at 127.0.0.1:{port}: " in line
    assert "choose another port" in line


def test_follow_prints_what_happens_until_it_is_interrupted(flagged: Terminal) -> None:
    with flagged.process("events", "follow", "--after", "0", "--type", "flag.*") as process:
        assert process.stdout is not None
        assert '"flag.created"' in process.stdout.readline()
        flagged.says("flags", "enable", FLAG, "--percentage", "5")
        assert '"flag.enabled"' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=10)
        assert "Traceback" not in told


def test_the_demo_goes_through_all_waves_and_the_log_holds(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("controlplane.cli.demo"), "_APPROVAL_TAKES_SECONDS", 0)
    shown = terminal.says("demo", "--seconds", "5")
    for words in ("wave 1", "wave 4", "soaking", "r1: completed", "The log is intact"):
        assert words in shown
    (verify,) = [line for line in shown.splitlines() if line.endswith("log verify")]
    assert "intact" in terminal.says(*verify.split()[1:])
    with ControlPlane(f"sqlite:///{terminal.folder / 'demo.db'}", environment="demo") as plane:
        assert plane.metrics.total(FLAG).executions > 400


def test_the_demo_breaks_and_follows_the_rollback(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("controlplane.cli.demo")
    monkeypatch.setattr(module, "_APPROVAL_TAKES_SECONDS", 0)
    monkeypatch.setattr(module, "_CONFIRMATION_TAKES_SECONDS", 0.5)
    shown = terminal.says("demo", "--seconds", "5", "--incident", "errors")
    for words in ("wave 2: rolling back", "r1: rolling back. error_rate", "to exposure 0"):
        assert words in shown
    _, _, steps = shown.partition("Try next:")
    for step in steps.strip().splitlines():
        command, _, file = step.partition(" > ")
        said = terminal.says(*command.split()[1:])
        if file:
            (terminal.folder / file).write_text(said)
        assert "identical" in said or "rollouts verify" not in step
    with ControlPlane(f"sqlite:///{terminal.folder / 'demo.db'}", environment="demo") as plane:
        incidents = [one.id for one in plane.incidents.all()]
    assert ("INC-" in steps) == bool(incidents), "nobody is sent to what is not there"


def test_the_workload_runs_against_any_database(flagged: Terminal) -> None:
    flagged.says("flags", "enable", FLAG, "--percentage", "100")
    with flagged.process("workload", "--batches", "40") as process:
        shown, _ = process.communicate(timeout=60)
    assert (process.returncode, "40 batches applied, 40 of them" in shown) == (0, True)
    with ControlPlane(flagged.database) as plane:
        assert plane.metrics.total(FLAG).executions == 40
