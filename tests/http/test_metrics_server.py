"""The endpoint: right answers, honest refusals, and nothing takes it down."""

import socket
from pathlib import Path

import pytest

from controlplane import ControlPlane
from controlplane import scrapes as module
from controlplane.errors import InvalidInput
from controlplane.metrics_server import MetricsServer
from tests.conftest import PostgreSQL
from tests.http.scraping import ask, scrape, series
from tests.journeys.traffic import ENGINEER, FLAG, Clock, batch


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metric", "/favicon.ico", "/%6d"])
def test_elsewhere_there_is_nothing(server: MetricsServer, path: str) -> None:
    response, text = ask(server, path)
    assert (response.status, text) == (404, "Metrics are at /metrics.\n")


@pytest.mark.parametrize("path", ["/metrics?x=1", "/metrics?name[]=%00", "/metrics?&&&="])
def test_a_question_behind_the_path_does_no_harm(server: MetricsServer, path: str) -> None:
    assert ask(server, path)[0].status == 200


def test_a_method_that_changes_things_is_not_allowed(server: MetricsServer) -> None:
    assert ask(server, method="POST")[0].status == 405


def test_far_behind_it_asks_for_patience(
    scraped: ControlPlane, server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    monkeypatch.setattr(module, "MOST_EVENTS_BEHIND", 10)
    scraped.executions.record([batch() for _ in range(11)])
    response, text = ask(server)
    assert (response.status, text) == (503, "Catching up: 11 events behind.\n")
    assert response.headers["Retry-After"]
    scraped.projections.catch_up()
    assert 'batch_patches_total{status="succeeded"} 11' in scrape(server)


def test_a_little_behind_it_catches_up_itself(scraped: ControlPlane, server: MetricsServer) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    for count in (1, 2, 3):
        scraped.executions.record(batch())
        assert f'batch_patches_total{{status="succeeded"}} {count}' in scrape(server)


def test_without_a_database_it_says_so_and_stays(postgres: PostgreSQL) -> None:
    name = postgres.create()
    with ControlPlane(postgres.address(name)) as plane:
        server = MetricsServer(plane, port=0)
        server.start()
        scrape(server)
        postgres.drop(name)
        for _ in range(2):
            response, text = ask(server)
            assert response.status == 503
            assert "cannot be reached" in text
        server.close()


def test_an_error_nobody_thought_of_takes_nothing_down(
    scraped: ControlPlane, server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(scraped.metrics, "totals", lambda: 1 / 0)
        for _ in range(3):
            response, text = ask(server)
            assert response.status == 500
            assert "ZeroDivisionError" not in text
    scrape(server)


def test_who_connects_and_says_nothing_holds_up_nobody(server: MetricsServer) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    scrape(server)
    silent[0].sendall(b"\x00\xff" * 1000 + b"\r\n\r\n")
    scrape(server)
    for connection in silent:
        connection.close()


def test_counters_go_on_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    counts = []
    for _ in range(3):
        with ControlPlane(f"sqlite:///{tmp_path / 'log.db'}", clock=clock) as plane:
            server = MetricsServer(plane, port=0)
            server.start()
            plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
            plane.executions.record([batch() for _ in range(5)])
            found = series(scrape(server))
            counts.append(found["batch_patches_total", frozenset({("status", "succeeded")})])
            server.close()
    assert counts == [5, 10, 15]


def test_a_port_in_use_is_refused(scraped: ControlPlane, server: MetricsServer) -> None:
    with pytest.raises(InvalidInput, match=f"cannot be served at 127.0.0.1:{server.port}: "):
        MetricsServer(scraped, port=server.port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("host.invalid", 0)])
def test_where_it_cannot_listen_is_refused(scraped: ControlPlane, host: str, port: int) -> None:
    with pytest.raises(InvalidInput, match="cannot be served"):
        MetricsServer(scraped, host, port)


@pytest.mark.timeout(10)
def test_what_was_never_started_can_be_closed(scraped: ControlPlane) -> None:
    MetricsServer(scraped, port=0).close()
