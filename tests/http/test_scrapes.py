"""While a read model is computed again, no metrics are better than wrong ones."""

from collections.abc import Callable
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.metrics_server import MetricsServer
from controlplane.scrapes import Scrapes
from projections.catalog import PROJECTIONS
from projections.rebuild import rebuild
from tests.http.callers import client, holding
from tests.http.scraping import ask, scrape
from tests.journeys.traffic import ENGINEER, FLAG, batch


@pytest.fixture
def measured(scraped: ControlPlane) -> ControlPlane:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    scraped.executions.record([batch() for _ in range(10)])
    scraped.projections.catch_up()
    return scraped


def halfway(plane: ControlPlane, then: Callable[[], Any]) -> Any:
    """What `then` sees in the middle of a rebuild by anybody."""
    seen: list[Any] = []
    entered: list[bool] = []

    rows = plane._core.rows
    write = rows.write

    def writing() -> Any:
        builds = [build for build in rows.builds() if not build.active]
        if builds and not entered:
            entered.append(True)
            seen.append(then())
        return write()

    rows.write = writing  # type: ignore[method-assign]  # why: to look between two of its steps
    rebuild(plane.log, rows, PROJECTIONS["totals"])
    del rows.write  # type: ignore[method-assign]  # why: idem
    return seen[0]


def test_while_a_rebuild_runs_a_scrape_is_told_to_come_again(
    measured: ControlPlane, server: MetricsServer
) -> None:
    scrape(server)
    response, text = halfway(measured, lambda: ask(server))
    assert (response.status, text) == (503, "The read model totals is being computed again.\n")
    assert 'batch_patches_total{status="succeeded"} 10' in scrape(server)


def test_a_rebuild_that_was_killed_does_not_hide_the_metrics_for_ever(
    measured: ControlPlane,
) -> None:
    now = [0.0]
    scrapes = Scrapes(measured, monotonic=lambda: now[0])
    told = []

    def look() -> None:
        for seconds in (0.0, 14.0, 16.0):
            now[0] = seconds
            told.append(scrapes.refusal() is not None)

    halfway(measured, look)
    assert told == [True, True, False]


def test_on_the_port_of_the_api_a_token_reads_them(measured: ControlPlane) -> None:
    assert client(measured).get("/metrics").status_code == 401
    assert holding(measured, "ingestor").get("/metrics").status_code == 403
    answer = holding(measured, "viewer").get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert 'batch_patches_total{status="succeeded"} 10' in answer.text
    asking = holding(measured, "viewer")
    behind = halfway(measured, lambda: asking.get("/metrics"))
    assert (behind.status_code, behind.headers["Retry-After"]) == (503, "5")
