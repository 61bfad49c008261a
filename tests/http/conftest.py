from collections.abc import Iterator

import pytest

from controlplane import ControlPlane
from controlplane.metrics_server import MetricsServer
from tests.journeys.traffic import Clock


@pytest.fixture
def scraped(clock: Clock) -> Iterator[ControlPlane]:
    """An empty control plane, the one whose metrics are served."""
    with ControlPlane("memory://", clock=clock) as plane:
        yield plane


@pytest.fixture
def server(scraped: ControlPlane) -> Iterator[MetricsServer]:
    server = MetricsServer(scraped, port=0)
    server.start()
    yield server
    server.close()
