"""The control plane as a service: what people type, what supervisors and Prometheus do."""

import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import urllib3

from controlplane import ControlPlane
from controlplane.http import server
from tests.journeys.serving import database, serving
from tests.journeys.traffic import ENGINEER, FLAG, batch

PROCEDURE = [
    """curl -X POST http://localhost:9000/admin/flags \\
  -d '{"name":"batch-patches-v1","percentage":10}'""",
    "curl http://localhost:9090/metrics | grep batch_patches",
]
"""Wave 1, to the letter."""


def free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.skipif(not (free(9000) and free(9090)), reason="ports 9000 and 9090 are taken")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_procedure_for_a_wave_works_as_it_is_written(tmp_path: Path) -> None:
    with serving(database(tmp_path), "--dev", "--port", "9000", "--metrics-port", "9090"):
        told = [
            subprocess.run(  # noqa: S602  why: what people type into a shell
                command, shell=True, capture_output=True, text=True, check=True, timeout=20
            ).stdout
            for command in PROCEDURE
        ]
    flag = json.loads(told[0])
    assert (flag["name"], flag["enabled"], flag["percentage"]) == (FLAG, True, 10)
    assert 'batch_patches_total{status="succeeded"} 0.0' in told[1]
    with ControlPlane(database(tmp_path)) as plane:
        assert plane.flags.get(FLAG).percentage == 10
        (accepted,) = plane.events(type="access.command_accepted")
        assert accepted.actor.id == "dev"


def test_whoever_starts_it_gets_a_token_once_and_can_issue_others(tmp_path: Path) -> None:
    with serving(database(tmp_path)) as first:
        assert first.token
        assert first.ask("POST", "/admin/flags", {"name": FLAG, "percentage": 5}).status == 200
        assert first.stops() == 0
        with serving(database(tmp_path)) as second:
            assert second.token == ""
            second.token = first.token
            assert second.ask("POST", "/admin/flags", {"name": FLAG, "percentage": 0}).status == 200


def test_beyond_this_machine_it_asks_for_tls_or_a_proxy(tmp_path: Path) -> None:
    from typer.testing import CliRunner  # noqa: PLC0415  why: only here

    from controlplane.cli import app  # noqa: PLC0415  why: idem

    for options, because in (
        (["--host", "0.0.0.0"], "in the clear"),  # noqa: S104  why: that is what is refused
        (["--host", "0.0.0.0", "--dev"], "on this machine only"),  # noqa: S104  why: idem
        (["--tls-certificate", "x.pem"], "a certificate and its key"),
        (["--tls-certificate", "x.pem", "--tls-key", "x.key"], "cannot be used"),
    ):
        words = ["--database", database(tmp_path), "serve", "--port", "0", "--metrics-port", "0"]
        result = CliRunner().invoke(app, [*words, *options])
        assert result.exit_code == 1
        assert because in result.stderr, result.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_runs_and_is_gone_in_five_seconds(
    tmp_path: Path, how: signal.Signals
) -> None:
    with serving(database(tmp_path)) as served:
        host, port = served.api.removeprefix("http://").split(":")
        half = socket.create_connection((host, int(port)))
        half.sendall(b"POST /admin/flags HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        stream = served.pool.request(
            "GET",
            f"{served.api}/api/v1/stream",
            headers={"Authorization": f"Bearer {served.token}"},
            preload_content=False,
        )
        assert stream.status == 200
        begun = time.monotonic()
        assert served.stops(how) == 0
        assert time.monotonic() - begun < 5
        half.close()


def test_whoever_says_nothing_is_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PATIENCE_SECONDS", 0.2)
    with ControlPlane(database(tmp_path)) as plane:
        api = server.ApiServer(plane, server.Listening(port=0))
        api.start()
        for said in (b"", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "):
            with socket.create_connection(("127.0.0.1", api.port), timeout=5) as silent:
                silent.sendall(said)
                assert silent.recv(1000) == b""
        assert urllib3.request("GET", f"{api.url}/livez").status == 200
        api.close()


def test_headers_without_end_are_not_read_without_end(tmp_path: Path) -> None:
    with ControlPlane(database(tmp_path)) as plane:
        api = server.ApiServer(plane, server.Listening(port=0))
        api.start()
        with socket.create_connection(("127.0.0.1", api.port), timeout=5) as endless:
            endless.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
            with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
                endless.sendall(b"X-More: %b\r\n" % (b"x" * 10_000) * 10_000)
        with socket.create_connection(("127.0.0.1", api.port), timeout=5) as often:
            for _ in range(20):  # Of several requests on one connection, each has its own.
                often.sendall(
                    b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"
                )
                assert b" 200 " in often.recv(10_000)
        api.close()


# -- Prometheus -----------------------------------------------------------------------------------

CONFIGURATION = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: open
    static_configs: [{targets: ["METRICS"]}]
  - job_name: by-token
    authorization: {credentials: "TOKEN"}
    static_configs: [{targets: ["API"]}]
"""


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_a_real_prometheus_scrapes_it(tmp_path: Path) -> None:
    with ControlPlane(database(tmp_path)) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        plane.executions.record([batch() for _ in range(7)])
    with serving(database(tmp_path)) as served:
        written = CONFIGURATION.replace("METRICS", served.metrics.removeprefix("http://"))
        written = written.replace("API", served.api.removeprefix("http://"))
        (tmp_path / "prometheus.yml").write_text(written.replace("TOKEN", served.token))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        prometheus = subprocess.Popen(  # noqa: S603  why: a program of the system
            [
                shutil.which("prometheus") or "",
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            found = _until_scraped(port)
        finally:
            prometheus.kill()
            prometheus.wait(10)
    assert found == {"open": 7.0, "by-token": 7.0}


def _until_scraped(port: int) -> dict[str, float]:
    query = f'http://127.0.0.1:{port}/api/v1/query?query=batch_patches_total{{status="succeeded"}}'
    found: dict[str, float] = {}
    for _ in range(150):
        time.sleep(0.2)
        try:
            result = urllib3.request("GET", query, retries=False).json()["data"]["result"]
        except (urllib3.exceptions.HTTPError, ValueError, KeyError):
            continue  # It is not up yet.
        found = {one["metric"]["job"]: float(one["value"][1]) for one in result}
        if len(found) == 2:
            break
    return found
