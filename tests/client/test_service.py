"""The client against the service itself, as `controlplane serve` runs it."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import Reason

from controlplane import ControlPlane
from controlplane.client import Client, Notice
from controlplane.client.openfeature import ControlPlaneProvider
from controlplane.http.server import ApiServer, Listening
from tests.client.conftest import FACTS, FLAG, MakeClient, until

UNITS = [f"user-{n}" for n in range(100)]


@pytest.fixture
def kept(tmp_path: Path, sqlite_template: Path) -> Iterator[ControlPlane]:
    shutil.copy(sqlite_template, tmp_path / "log.db")
    with ControlPlane(f"sqlite:///{tmp_path / 'log.db'}") as plane:
        plane.flags.create(FLAG, owner="patch-team", actor="ana")
        plane.flags.enable(FLAG, percentage=100, actor="ana")
        yield plane


@pytest.fixture
def token(kept: ControlPlane) -> str:
    return kept.access.issue(owner="svc", roles=("viewer", "ingestor"), actor="ana").text


def serving(plane: ControlPlane, port: int = 0) -> ApiServer:
    service = ApiServer(plane, Listening(port=port))
    service.start()
    return service


def test_flags_come_and_executions_go(
    kept: ControlPlane, token: str, client_of: MakeClient
) -> None:
    with closing(serving(kept)) as service:
        client = client_of(service.url, token=token)
        assert client.wait_until_ready(10, fresh=True)
        for unit in UNITS:
            answer = client.evaluate(FLAG, unit)
            assert answer == kept.flags.explain(FLAG, unit)
            assert client.record(answer, outcome="succeeded", duration_us=41_000)
        client.record(FACTS, flag="no-such-flag")
        assert client.flush(10)
        assert kept.metrics.total(FLAG).executions == len(UNITS)
        kept.flags.disable(FLAG, actor="ana")
        until(lambda: not client.is_enabled(FLAG, "user-17"))
        status = client.status()
        assert (status.connected, status.environment) == (True, "production")
        assert (status.accepted, status.waiting, status.refused) == (len(UNITS) + 1, 0, 1)
        assert status.position == kept.flags.get(FLAG).position
        client.close()
    assert {event.actor.id for event in kept.events(type="execution.*")} == {"svc"}


def test_what_was_missed_while_the_service_was_away_is_seen_when_it_is_back(
    kept: ControlPlane, token: str, client_of: MakeClient
) -> None:
    with closing(serving(kept)) as service:
        client = client_of(service.url, token=token)
        assert client.wait_until_ready(10)
    until(lambda: not client.status().connected)
    assert client.record(FACTS)
    kept.flags.set_percentage(FLAG, 0, actor="ana")
    assert client.is_enabled(FLAG, "user-17")
    with closing(serving(kept, service.port)):
        until(lambda: not client.is_enabled(FLAG, "user-17"), 30)
        assert client.flush(30)
        assert kept.metrics.total(FLAG).executions == 1
        client.close()


def test_a_database_that_was_restored_takes_the_client_back_with_it(
    kept: ControlPlane, token: str, client_of: MakeClient, tmp_path: Path
) -> None:
    heard: list[Notice] = []
    shutil.copy(tmp_path / "log.db", tmp_path / "backup.db")
    for suffix in ("-wal", "-shm"):
        if (tmp_path / f"log.db{suffix}").exists():
            shutil.copy(tmp_path / f"log.db{suffix}", tmp_path / f"backup.db{suffix}")
    kept.flags.create("later", owner="o", actor="ana")
    kept.flags.set_percentage(FLAG, 0, actor="ana")
    with closing(serving(kept)) as service:
        client = client_of(service.url, token=token)
        client.listen(heard.append)
        assert client.wait_until_ready(10)
        until(lambda: client.status().flags == 2)
    with (
        ControlPlane(f"sqlite:///{tmp_path / 'backup.db'}") as restored,
        closing(serving(restored, service.port)),
    ):
        until(lambda: client.is_enabled(FLAG, "user-17"), 30)
        until(lambda: client.status().flags == 1)
        assert client.status().position == restored.flags.get(FLAG).position
        client.close()


@pytest.mark.parametrize("roles", [None, ("viewer",), ("ingestor",)])
def test_who_may_not_is_told_why(
    kept: ControlPlane, client_of: MakeClient, roles: tuple[str, ...] | None
) -> None:
    token = "none"  # noqa: S105  why: none
    if roles is not None:
        token = kept.access.issue(owner="svc", roles=roles, actor="ana").text  # type: ignore[arg-type]  # why: roles by name
    with closing(serving(kept)) as service:
        client = client_of(service.url, token=token)
        client.record(FACTS)
        sees, tells = roles == ("viewer",), roles == ("ingestor",)
        until(lambda: client.ready if sees else client.status().flags_problem)
        until(lambda: client.flush(0.1) if tells else client.status().executions_problem)
        status = client.status()
        assert status.ready is sees
        assert (status.waiting == 0) is tells
        assert sees or "answered 40" in status.flags_problem
        assert tells or "answered 40" in status.executions_problem
        client.close()


def test_openfeature_answers_as_the_service_does(
    kept: ControlPlane, token: str, client_of: MakeClient
) -> None:
    kept.flags.set_percentage(FLAG, 50, actor="ana")
    with closing(serving(kept)) as service:
        client: Client = client_of(service.url, token=token)
        api.set_provider_and_wait(ControlPlaneProvider(client))
        features = api.get_client()
        for unit in UNITS:
            details = features.get_boolean_details(FLAG, False, EvaluationContext(unit))  # noqa: FBT003  why: its name is long
            assert details.value is kept.flags.is_enabled(FLAG, unit)
            assert details.reason == Reason.SPLIT
        api.clear_providers()
        client.close()
