import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import ControlPlane
from tests.journeys.traffic import FLAG, Clock


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[ControlPlane]:
    """A control plane on a file, with one flag, off."""
    with ControlPlane(f"sqlite:///{tmp_path / 'rollout.db'}", clock=clock) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor="release-engineer")
        yield plane


@pytest.fixture
def flagged(plane: ControlPlane) -> ControlPlane:
    """A control plane of each kind, with one flag, off."""
    plane.flags.create(FLAG, owner="patch-team", actor="release-engineer")
    return plane


@pytest.fixture
def remembered(clock: Clock) -> Iterator[ControlPlane]:
    """A control plane in memory, with one flag, off."""
    with ControlPlane("memory://", clock=clock) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor="release-engineer")
        yield plane


def secret(monkeypatch: pytest.MonkeyPatch, name: str = "DEPLOYS") -> str:
    """The environment has a secret; what it is."""
    value = "whsec_" + base64.b64encode(b"canary" * 5).decode()
    monkeypatch.setenv(f"CONTROLPLANE_WEBHOOK_SECRET_{name}", value)
    return value
