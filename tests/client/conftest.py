"""A control plane with a flag, a server before it, and clients that are closed in the end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.client import Client
from tests.client.standin import StandIn

FLAG = "batch-patches-v1"
FACTS: dict[str, Any] = {
    "flag": FLAG,
    "cohort": "on",
    "unit": "user-17",
    "outcome": "succeeded",
    "duration_us": 41_000,
}

MakeClient = Callable[..., Client]


def impatient() -> float:
    """As chance: a twentieth of every delay."""
    return -0.9


def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what happens in another thread."""
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "it did not happen"
        sleep(0.002)


@pytest.fixture
def served() -> Iterator[ControlPlane]:
    """A control plane with one flag, on for everyone."""
    with ControlPlane("memory://") as plane:
        plane.flags.create(FLAG, owner="patch-team", actor="ana")
        plane.flags.enable(FLAG, percentage=100, actor="ana")
        yield plane


@pytest.fixture
def server(served: ControlPlane) -> Iterator[StandIn]:
    with StandIn(served) as server:
        yield server


@pytest.fixture
def client_of(tmp_path: Path) -> Iterator[MakeClient]:
    """Makes clients that send at once."""
    with ExitStack() as clients:

        def make(server: StandIn | str, *, on_disk: bool = True, **options: Any) -> Client:
            url = server if isinstance(server, str) else server.url
            known = {"directory": tmp_path / "client" if on_disk else None}
            known |= {"send_every_seconds": 0.01, "fraction": impatient}
            client = Client(url, **known | options)
            clients.callback(client.close, 0.2)
            return client

        yield make


@pytest.fixture
def client(server: StandIn, client_of: MakeClient) -> Client:
    """One that knows the flags."""
    client = client_of(server)
    assert client.wait_until_ready(5, fresh=True)
    return client
