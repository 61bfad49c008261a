"""What is told is checked, completed, and accepted or not: at once, whatever the network does."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from controlplane import ControlPlane
from controlplane.client import Client
from events import EVERYONE, Audience, BatchExecuted, Condition
from events.event import Event, RecordedEvent
from tests.client.conftest import FACTS, FLAG, MakeClient
from tests.client.standin import StandIn

INSTANCE = f"{socket.gethostname()}:{os.getpid()}"


def in_log(plane: ControlPlane) -> list[RecordedEvent[Event]]:
    return plane.events(type=BatchExecuted.TYPE)


def only(plane: ControlPlane) -> BatchExecuted:
    (recorded,) = in_log(plane)
    assert isinstance(recorded.event, BatchExecuted)
    return recorded.event


def test_an_answer_with_what_came_of_it_is_an_execution(
    client: Client, served: ControlPlane
) -> None:
    answer = client.evaluate(FLAG, "user-17")
    assert client.record(answer, outcome="succeeded", duration_us=41_000, replace=2)
    assert client.flush(5)
    assert only(served) == BatchExecuted(
        flag=FLAG,
        cohort="on",
        unit="user-17",
        outcome="succeeded",
        duration_us=41_000,
        audience="everyone",
        replace=2,
        instance=INSTANCE,
    )


def test_it_has_an_id_and_a_moment_of_its_own(client: Client, served: ControlPlane) -> None:
    assert client.record(FACTS)
    assert client.record(FACTS)
    assert client.flush(5)
    first, second = in_log(served)
    assert UUID(first.id).version == 7
    assert first.id != second.id
    assert first.occurred_at <= first.recorded_at


def test_who_is_in_no_audience_is_told_as_none(client: Client, served: ControlPlane) -> None:
    beta = Audience("beta", (Condition("group", "equals", "beta"),))
    served.flags.set_percentage(FLAG, 0, audience=EVERYONE, actor="ana")
    served.flags.create("narrow", owner="o", actor="ana")
    served.flags.enable("narrow", percentage=50, audience=beta, actor="ana")
    while client.evaluate("narrow", "u").reason != "NO_AUDIENCE":
        pass
    client.record(client.evaluate("narrow", "u"), outcome="rejected", duration_us=0)
    assert client.flush(5)
    told = only(served)
    assert (told.cohort, told.audience, told.outcome) == ("off", "none", "rejected")


@pytest.mark.parametrize(
    ("told", "more"),
    [
        (FACTS, {}),
        (FACTS | {"duration_us": 9}, {"duration_us": 41_000}),
        (BatchExecuted(**FACTS), {}),
        ({}, FACTS),
        (FACTS | {"id": UUID(int=7)}, {}),
        (FACTS | {"occurred_at": datetime.now(UTC)}, {}),
        (FACTS | {"occurred_at": datetime.now(UTC).isoformat()}, {}),
    ],
)
def test_an_execution_may_be_told_in_any_of_these_ways(
    client: Client, served: ControlPlane, told: Any, more: dict[str, Any]
) -> None:
    assert client.record(told, **more)
    assert client.flush(5)
    assert only(served) == BatchExecuted(**FACTS, instance=INSTANCE)


def test_the_same_id_counts_once(client: Client, served: ControlPlane) -> None:
    for _ in range(3):
        assert client.record(FACTS, id=str(UUID(int=7)))
        assert client.flush(5)
    assert len(in_log(served)) == 1
    assert client.status().duplicates == 2


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"outcome": "perhaps"}, "outcome"),
        ({"duration_us": -1}, "duration_us"),
        ({"duration_us": 1.5}, "duration_us"),
        ({"duration_us": True}, "duration_us"),
        ({"surprise": 1}, "surprise"),
        ({"unit": ""}, "unit"),
        ({"unit": 17}, "unit"),
        ({"unit": "\ud800"}, "surrogates"),
        ({"violations": {"order": -1}}, "violations"),
        ({"error": "x" * 2001}, "error"),
        ({"id": "17"}, "not a UUID"),
        ({"id": str(UUID(int=10**30)).upper()}, "not a UUID"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": datetime(2020, 1, 1, tzinfo=UTC)}, "30 days ago"),
    ],
)
def test_what_the_server_would_refuse_is_refused_at_once(
    client: Client, served: ControlPlane, wrong: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        client.record(FACTS, **wrong)
    assert served.executions.record({**FACTS, **wrong}).accepted == 0
    assert client.status().accepted == 0


@pytest.mark.parametrize("told", [None, 17, "batch", [FACTS]])
def test_what_is_no_execution_is_a_type_error(client: Client, told: Any) -> None:
    with pytest.raises(TypeError, match="an execution is a mapping"):
        client.record(told)


def test_a_wrong_kind_of_moment_is_a_type_error(client: Client) -> None:
    with pytest.raises(TypeError, match="occurred_at"):
        client.record(FACTS, occurred_at=1.5)


def test_without_the_network_it_is_accepted_and_sent_by_the_next_client(
    served: ControlPlane, client_of: MakeClient
) -> None:
    with StandIn(served) as server:
        away = client_of(server.url, offline=True)
        assert all(away.record(FACTS) for _ in range(3))
        assert (away.flush(0.01), away.status().waiting) == (False, 3)
        away.close()
        client_of(server).flush(0)
        while served.metrics.total(FLAG).executions < 3:
            pass
    assert len(in_log(served)) == 3


@pytest.mark.parametrize("on_disk", [True, False])
def test_where_there_is_no_room_it_is_dropped_and_counted(
    server: StandIn, client_of: MakeClient, on_disk: Callable[..., Any]
) -> None:
    client = client_of(server, on_disk=on_disk, offline=True, spool_bytes=700)
    accepted = [client.record(FACTS) for _ in range(5)]
    status = client.status()
    assert (accepted, status.dropped) == ([True, True, True, False, False], 2)
    assert status.executions_problem == "700 bytes wait already"
    assert 0 < status.spool_bytes <= 700


def test_where_the_disk_fails_it_is_dropped_and_counted_and_flags_are_followed(
    server: StandIn, client_of: MakeClient
) -> None:
    client = client_of(server, directory="/dev/null/nowhere")
    assert client.wait_until_ready(5, fresh=True)
    assert client.is_enabled(FLAG, "user-17")
    assert not client.record(FACTS)
    assert client.status().dropped == 1
    assert "the disk does not take it" in client.status().executions_problem


def test_closed_it_takes_nothing_more_and_goes_on_answering(client: Client) -> None:
    client.close()
    client.close()
    assert not client.record(FACTS)
    assert client.status().dropped == 1
    assert client.is_enabled(FLAG, "user-17")
