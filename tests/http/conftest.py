from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import ControlPlane
from controlplane.metrics_server import MetricsServer
from tests.journeys.traffic import ENGINEER, FLAG, Clock


@pytest.fixture
def scraped(clock: Clock) -> Iterator[ControlPlane]:
    """An empty control plane, the one whose metrics are served."""
    with ControlPlane("memory://", clock=clock) as plane:
        yield plane


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[ControlPlane]:
    """A control plane on a file, with one flag, off."""
    with ControlPlane(f"sqlite:///{tmp_path / 'rollout.db'}", clock=clock) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        yield plane


@pytest.fixture
def server(scraped: ControlPlane) -> Iterator[MetricsServer]:
    server = MetricsServer(scraped, port=0)
    server.start()
    yield server
    server.close()
