import pytest

from controlplane import ControlPlane
from tests.journeys.traffic import ENGINEER, FLAG, Clock, Rolling, Service


@pytest.fixture
def service(plane: ControlPlane, clock: Clock) -> Service:
    """The flag is there and off; nothing has run."""
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    return Service(plane, clock)


@pytest.fixture
def served(service: Service) -> Service:
    """Half of the users get the new path, by hand, without a rollout."""
    service.plane.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    return service


@pytest.fixture
def rolling(service: Service) -> Rolling:
    """The built-in plan has just entered wave 1."""
    return Rolling(service, service.plane.rollouts.start(flag=FLAG, actor=ENGINEER).id)
