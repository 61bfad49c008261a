import pytest

from controlplane import ControlPlane
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, Rolling, Service


@pytest.fixture
def service(clock: Clock) -> Service:
    """In memory: where the log lies is no matter of rehearsals."""
    plane = ControlPlane("memory://", clock=clock)
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    return Service(plane, clock)


@pytest.fixture
def rolling(service: Service) -> Rolling:
    """The built-in plan has just entered wave 1."""
    return Rolling(service, service.plane.rollouts.start(flag=FLAG, actor=ENGINEER).id)
