"""What is recorded reaches whoever listens: everything, once, in order, from where they were."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import msgspec
import pytest

from controlplane import ControlPlane
from controlplane.http.server import ApiServer
from controlplane.views import event_view
from tests.http.listening import Listener, hubs_of, ids, listening
from tests.journeys.traffic import ENGINEER, FLAG, batch

STREAM = "/api/v1/stream"


@pytest.fixture
def server(kept: ControlPlane) -> Iterator[ApiServer]:
    with listening(kept) as server:
        yield server


def changes(plane: ControlPlane, count: int, flag: str = FLAG) -> None:
    for n in range(count):
        before = plane.flags.get(flag).percentage
        plane.flags.enable(flag, percentage=(before + 1) % 100 or 1, actor=ENGINEER, reason=str(n))


def test_everything_from_the_beginning(kept: ControlPlane, server: ApiServer) -> None:
    changes(kept, 5)
    kept.executions.record([batch() for _ in range(1000)])
    head = kept.head().position
    with Listener(server, f"{STREAM}?after=0") as listener:
        assert listener.response.headers["Content-Type"].startswith("text/event-stream")
        assert listener.response.headers["Cache-Control"] == "no-store"
        where, *found = listener.take(head + 1)
        assert where == ("position", 0, {"position": 0})
        assert ids(found) == list(range(1, head + 1))
        assert listener.retry >= 1000
    seen = [json.loads(json.dumps(event_view(event))) for event in kept.events(limit=head)]
    assert [message.data for message in found] == seen


def test_from_now_on_and_the_first_message_says_from_where(
    kept: ControlPlane, server: ApiServer
) -> None:
    changes(kept, 3)
    head = kept.head().position
    with Listener(server, STREAM) as listener:
        assert listener.take(1) == [("position", head, {"position": head})]
        changes(kept, 2)
        assert ids(listener.take(2)) == [head + 1, head + 2]


def test_where_a_client_was_goes_before_what_it_asks_for(
    kept: ControlPlane, server: ApiServer
) -> None:
    changes(kept, 5)
    with Listener(server, f"{STREAM}?after=1", last=4) as listener:
        assert ids(listener.take(2)) == [4, 5]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (f"stream=flag-{FLAG}", {"flag.created", "flag.enabled", "flag.exposure_changed"}),
        ("type=flag.exposure_changed", {"flag.exposure_changed"}),
        ("type=flag.*", {"flag.created", "flag.enabled", "flag.exposure_changed"}),
        (f"type=flag.*&stream=flag-{FLAG}", {"flag.enabled", "flag.created"}),
        ("type=*", {"execution.batch_executed", "flag.created"}),
    ],
)
def test_a_filter_means_the_same_from_the_ring_and_from_the_log(
    kept: ControlPlane, server: ApiServer, query: str, wanted: set[str]
) -> None:
    kept.flags.create("other", owner="o", actor=ENGINEER)
    with Listener(server, f"{STREAM}?{query}") as live:
        (where,) = live.take(1)
        changes(kept, 2)
        changes(kept, 2, "other")
        kept.executions.record([batch(), batch()])
        changes(kept, 1)
        head = kept.head().position
        last = f"flag-{FLAG}"
        stream = last if "stream" in query else None
        type_ = query.partition("type=")[2].partition("&")[0] or None
        expected = [event.position for event in kept.events(stream=stream, type=type_)]
        later = [position for position in expected if position > where.id]
        assert ids(live.take(len(later))) == later
    with Listener(server, f"{STREAM}?{query}&after=0") as again:
        found = again.take(len(expected) + 1)[1:]
        assert ids(found) == expected
        assert wanted <= {message.data["type"] for message in found}
        assert max(expected) <= head


def test_a_client_that_wants_little_learns_how_far_it_is(kept: ControlPlane) -> None:
    with (
        listening(kept, heartbeat_seconds=0.1) as server,
        Listener(server, f"{STREAM}?type=flag.archived") as listener,
    ):
        (start,) = listener.take(1)
        kept.executions.record([batch() for _ in range(2000)])
        head = kept.head().position
        told = [start]
        while told[-1].id < head:
            told += listener.take(1)
        assert {message.event for message in told} == {"position"}
        assert ids(told) == sorted({*ids(told)})
    with (
        listening(kept, heartbeat_seconds=0.1) as server,
        Listener(server, f"{STREAM}?type=flag.archived&after=0") as listener,
    ):
        assert listener.take(2)[-1].id == head


def test_silence_is_filled_with_comments(kept: ControlPlane) -> None:
    with listening(kept, heartbeat_seconds=0.05) as server, Listener(server, STREAM) as listener:
        listener.take(1)
        while listener.comments < 3:
            line = listener.response.readline()
            listener.comments += line == b":\n"


@pytest.mark.parametrize(
    ("query", "last", "says"),
    [
        ("after=-1", None, "'-1' is no position"),
        ("after=1.5", None, "no position"),
        ("after=99999999999999999999", None, "no position"),
        ("", "abc", "'abc' is no position"),
        ("after=1", "+1", "no position"),
        ("after=-1", "1", "'-1' is no position"),
        ("", "\uff11", "no position"),
        ("after=1000", None, "beyond the last event"),
        ("type=flag.disable", None, "no event is called 'flag.disable'"),
        ("type=fl*g", None, "no event is called"),
        ("type=nothing.*", None, "no event is called"),
        (f"type={'x' * 300}", None, "no event is called"),
        ("stream=", None, "no name of a stream"),
        ("stream=%00", None, "no name of a stream"),
        (f"stream={'x' * 300}", None, "no name of a stream"),
    ],
)
def test_what_cannot_be_meant_is_a_problem(
    server: ApiServer, query: str, last: str | None, says: str
) -> None:
    path = f"{STREAM}?{quote(query, safe='=&*%+-.')}"
    if last is not None and not last.isascii():
        path, last = f"{STREAM}?after={quote(last)}", None
    with Listener(server, path, last=last) as listener:
        assert listener.status == 422
        problem = listener.problem()
        assert problem["type"] == "urn:controlplane:problem:invalid-input"
        assert says in problem["detail"]


def test_nobody_listens_and_nothing_is_read(
    kept: ControlPlane, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read = kept.log.read
    monkeypatch.setattr(
        kept.log, "read", lambda after, limit: reads.append(after) or read(after, limit)
    )
    kept.executions.record([batch() for _ in range(1000)])
    assert reads == []
    for _ in range(2):
        with Listener(server, STREAM) as listener:
            (where,) = listener.take(1)
            changes(kept, 1)
            assert ids(listener.take(1)) == [where.id + 1]
        while hubs_of(server).open_streams:
            pass
        kept.executions.record([batch() for _ in range(1000)])
    # What happened while nobody listened was not gone through.
    assert len(reads) < 20


def test_an_event_of_the_log_is_json_as_everywhere(kept: ControlPlane, server: ApiServer) -> None:
    kept.flags.describe(FLAG, description="line one\nline two\u2028 and ünïcode 😀", actor=ENGINEER)
    with Listener(server, f"{STREAM}?after=0") as listener:
        *_, described = listener.take(3)
    (event,) = kept.events(type="flag.described")
    assert described.data == msgspec.to_builtins(event_view(event))
    assert described.data["data"]["description"] == "line one\nline two\u2028 and ünïcode 😀"
