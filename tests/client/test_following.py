"""Flags are followed: at once, through interruptions, and honestly where they cannot be."""

import socket

import pytest

from controlplane import ControlPlane
from controlplane.client import Notice
from controlplane.client import server as requests
from tests.client.conftest import FLAG, MakeClient, until
from tests.client.flags import flag, snapshot
from tests.client.scripted import STAY, STREAM, one, scripted, whole
from tests.client.standin import StandIn


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def test_a_change_is_seen_without_asking(served: ControlPlane, client_of: MakeClient) -> None:
    with StandIn(served) as server:
        client = client_of(server)
        assert client.wait_until_ready(5)
        assert client.is_enabled(FLAG, "user-17")
        served.flags.disable(FLAG, actor="ana", reason="kill switch")
        until(lambda: not client.is_enabled(FLAG, "user-17"))
        assert client.evaluate(FLAG, "user-17").reason == "DISABLED"
        assert len(server.asked) == 1
        status = client.status()
        assert (status.connected, status.environment) == (True, "production")
        assert status.position == served.flags.get(FLAG).position


def test_without_a_server_everything_is_off_and_the_status_says_why(
    served: ControlPlane, client_of: MakeClient
) -> None:
    port = free_port()
    client = client_of(f"http://127.0.0.1:{port}")
    assert not client.wait_until_ready(0.05)
    assert not client.is_enabled(FLAG, "user-17")
    assert client.evaluate(FLAG, "user-17").reason == "NOT_READY"
    until(lambda: "refused" in client.status().flags_problem)
    assert client.status().age_seconds is None
    with StandIn(served, port):
        assert client.wait_until_ready(10)
        assert client.is_enabled(FLAG, "user-17")
        assert client.status().flags_problem == ""


@pytest.mark.parametrize(
    ("flags", "answers"),
    [(1, "answers are of position 3"), (0, "there were none at the server, so everything is off")],
)
def test_the_log_says_where_answers_come_from_meanwhile(
    client_of: MakeClient, caplog: pytest.LogCaptureFixture, flags: int, answers: str
) -> None:
    with ControlPlane("memory://") as plane:
        for _ in range(flags):
            plane.flags.create(FLAG, owner="patch-team", actor="ana")
            plane.flags.enable(FLAG, percentage=100, actor="ana")
        with StandIn(plane) as server:
            assert client_of(server).wait_until_ready(5)
        until(lambda: answers in caplog.text)


def test_nor_are_there_answers_where_no_server_ever_was(
    client_of: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    client_of(f"http://127.0.0.1:{free_port()}")
    until(lambda: "none are known yet, so everything is off" in caplog.text)


def test_what_is_on_disk_answers_before_the_server_does(
    served: ControlPlane, client_of: MakeClient
) -> None:
    with StandIn(served) as server:
        first = client_of(server)
        assert first.wait_until_ready(5)
        first.close()
    again = client_of(server.url)
    assert again.is_enabled(FLAG, "user-17")
    assert (again.ready, again.wait_until_ready(0, fresh=True)) == (True, False)
    assert again.status().age_seconds is not None
    assert client_of(server.url, offline=True).is_enabled(FLAG, "user-17")


def test_after_an_interruption_only_what_was_missed_is_asked_for(
    served: ControlPlane, client_of: MakeClient
) -> None:
    with StandIn(served) as server:
        client = client_of(server)
        assert client.wait_until_ready(5)
        before = client.status().position
        server.refuses = 503
        server.cut()
        until(lambda: "503" in client.status().flags_problem)
        served.flags.set_percentage(FLAG, 0, actor="ana")
        assert client.is_enabled(FLAG, "user-17")
        server.refuses = 0
        until(lambda: not client.is_enabled(FLAG, "user-17"))
        assert server.asked[0].get("Last-Event-ID") is None
        assert server.asked[-1]["Last-Event-ID"] == str(before)


def test_who_is_not_let_in_says_so_and_goes_on_answering(
    served: ControlPlane, client_of: MakeClient
) -> None:
    with StandIn(served) as server:
        client = client_of(server, token="t0ken")  # noqa: S106  why: nobody's
        assert client.wait_until_ready(5)
        server.refuses = 401
        server.cut()
        until(lambda: "answered 401" in client.status().flags_problem)
        assert not client.status().connected
        assert client.is_enabled(FLAG, "user-17")
        assert server.asked[0]["Authorization"] == "Bearer t0ken"


def test_what_is_no_stream_is_no_stream_whatever_its_status(client_of: MakeClient) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"
    with scripted([page]) as server:
        client = client_of(server.url)
        until(lambda: "answered text/html" in client.status().flags_problem)
        assert not client.ready


def test_a_redirect_is_not_followed_with_the_token(client_of: MakeClient) -> None:
    with scripted() as other:
        to = f"HTTP/1.1 302 Found\r\nLocation: {other.url}/\r\nContent-Length: 0\r\n\r\n"
        with scripted([to.encode()]) as server:
            client = client_of(server.url, token="t0ken")  # noqa: S106  why: nobody's
            until(lambda: "answered 302" in client.status().flags_problem)
        assert other.asked == []


def test_after_something_that_is_not_understood_everything_is_asked_for_anew(
    client_of: MakeClient,
) -> None:
    garbled = b"id: 6\nevent: flag\ndata: {\n\n"
    with scripted(
        [STREAM, whole(snapshot(5, flag("a", 1))), one(flag("b", 6)), garbled, STAY],
        [STREAM, whole(snapshot(7, flag("c", 7))), STAY],
    ) as server:
        client = client_of(server.url)
        until(lambda: client.is_enabled("c", "u"))
        assert not client.is_enabled("a", "u")
        assert "Last-Event-ID" not in server.asked[1]


def test_events_of_a_later_release_are_passed_over(client_of: MakeClient) -> None:
    later = b"id: 6\nevent: segment\ndata: {\n\n"
    with scripted([STREAM, whole(snapshot(5, flag("a", 1))), later, one(flag("b", 7)), STAY]) as s:
        client = client_of(s.url)
        until(lambda: client.is_enabled("b", "u"))
        assert client.is_enabled("a", "u")


def test_a_server_that_falls_silent_is_left(
    client_of: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "SILENCE_SECONDS", 0.1)
    with scripted([STREAM, whole(snapshot(5, flag("a", 1))), STAY]) as server:
        client = client_of(server.url)
        until(lambda: len(server.asked) > 1)
        assert client.is_enabled("a", "u")
        assert "Last-Event-ID: 5" in server.asked[1]


def test_where_the_server_goes_back_the_client_and_its_file_do(
    client_of: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    with scripted(
        [STREAM, whole(snapshot(9, flag("a", 9, percentage=0)))],
        [STREAM, whole(snapshot(4, flag("a", 3))), STAY],
    ) as server:
        client = client_of(server.url)
        until(lambda: client.status().position == 4)
        assert client.is_enabled("a", "u")
        client.close()
        assert client_of(server.url, offline=True).status().position == 4
    assert "the server went back: 9 → 4" in caplog.text


def test_another_environment_replaces_what_is_known_with_a_warning(
    client_of: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    with scripted(
        [STREAM, whole(snapshot(9, flag("a", 9)))],
        [STREAM, whole(snapshot(9, environment="staging")), STAY],
    ) as server:
        client = client_of(server.url)
        until(lambda: client.status().environment == "staging")
        assert not client.is_enabled("a", "u")
    assert "flags are of staging now, not production" in caplog.text


def test_who_listens_is_told_what_changes_and_when_it_is_stale(
    served: ControlPlane, client_of: MakeClient
) -> None:
    heard: list[Notice] = []
    port = free_port()
    client = client_of(f"http://127.0.0.1:{port}", stale_after_seconds=0.3)

    def fails(_notice: Notice) -> None:
        raise RuntimeError

    client.listen(fails)
    client.listen(heard.append)
    with StandIn(served, port) as server:
        until(lambda: heard == [Notice("ready"), Notice("changed", (FLAG,))])
        server.cut()
        server.refuses = 503
        until(lambda: heard[2:] == [Notice("stale")])
        assert client.stale
        server.refuses = 0
        until(lambda: heard[3:] == [Notice("fresh")])
        assert not client.status().stale
        client.unlisten(heard.append)
        served.flags.disable(FLAG, actor="ana")
        until(lambda: not client.is_enabled(FLAG, "u"))
    assert [notice.kind for notice in heard[4:]] == []


def test_a_snapshot_that_cannot_be_saved_is_still_answered_from(
    client_of: MakeClient, server: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(server, directory="/dev/null/nowhere")
    assert client.wait_until_ready(5)
    assert client.is_enabled(FLAG, "user-17")
    until(lambda: "could not be saved" in caplog.text)
