"""Who reads slowly, or not at all, harms nobody; who leaves is gone; a stop is quick."""

import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from controlplane import ControlPlane
from controlplane.http.gate import GateSettings
from controlplane.http.server import ApiServer
from tests.http.listening import Listener, hubs_of, ids, listening
from tests.journeys.traffic import ENGINEER, FLAG, batch

STREAM = "/api/v1/stream"
FLAGS = "/api/v1/stream/flags"


def until(holds: Callable[[], bool], within: float = 15.0) -> None:
    ends = time.monotonic() + within
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def silent(server: ApiServer, path: str) -> socket.socket:
    """A client that asks, and reads nothing of the answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def taken(client: socket.socket) -> tuple[bytes, str]:
    """What is left for it, and how it ends."""
    client.settimeout(10)
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        return received, "reset"
    return received, "end"


def much(plane: ControlPlane, thousands: int = 10) -> None:
    """Several megabytes: more than the kernel keeps for a client."""
    for _ in range(thousands):
        plane.executions.record([batch(error="x" * 1000) for _ in range(1000)])


def test_a_client_that_does_not_read_is_cut_off_and_others_see_everything(
    kept: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with (
        listening(kept, stall_seconds=0.5) as server,
        Listener(server, f"{STREAM}?after=0") as reader,
        closing(silent(server, f"{STREAM}?after=0")) as client,
    ):
        until(lambda: hubs_of(server).open_streams == 2)
        with ThreadPoolExecutor() as pool:
            found = pool.submit(reader.take, 10_002)
            much(kept)
            assert ids(found.result()[1:]) == list(range(1, 10_002))
        until(lambda: hubs_of(server).open_streams == 1)
        assert "a stream is cut off: its client does not read" in caplog.messages
        # Its connection is closed, though what it was sent is not taken yet.
        until(lambda: len(server._server.server_state.connections) == 1)
        assert taken(client)[1] == "reset"
    assert "Exception" not in caplog.text
    assert "ASGI" not in caplog.text


def test_cut_off_a_client_goes_on_where_it_was(kept: ControlPlane) -> None:
    much(kept)
    with (
        listening(kept, stall_seconds=0.5) as server,
        closing(silent(server, f"{STREAM}?after=0")) as client,
    ):
        received = b"".join(client.recv(65536) for _ in range(20))
        until(lambda: hubs_of(server).open_streams == 1)
        until(lambda: hubs_of(server).open_streams == 0)
        more, end = taken(client)
        assert end == "reset"
        received += more
        last = max((int(line[4:]) for line in whole_events(received)), default=0)
        with Listener(server, STREAM, last=last) as again:
            head = kept.head().position
            assert ids(again.take(head - last + 1))[1:] == list(range(last + 1, head + 1))


def whole_events(received: bytes) -> list[bytes]:
    """The ids of the events that arrived to their ends; chunk sizes aside."""
    *events, _rest = received.split(b"\n\n")
    return [line for event in events for line in event.split(b"\n") if line.startswith(b"id: ")]


def test_who_falls_out_of_the_ring_is_sent_away_and_goes_on(kept: ControlPlane) -> None:
    with listening(kept) as server, closing(silent(server, STREAM)) as client:
        hub = hubs_of(server).log
        hub._most_events = 2000
        until(lambda: hub.reached > 0)
        much(kept, 12)
        until(lambda: hubs_of(server).open_streams == 1)
        # It begins to read, and what it would get next is not at hand any more.
        client.settimeout(0.2)
        received = b""
        while hubs_of(server).open_streams:
            try:
                received += client.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
        until(lambda: hubs_of(server).open_streams == 0)
        last = max(int(line[4:]) for line in whole_events(received))
        with Listener(server, STREAM, last=last) as again:
            assert ids(again.take(3))[1:] == [last + 1, last + 2]


def test_who_leaves_is_gone(kept: ControlPlane) -> None:
    with listening(kept) as server:
        for path in (STREAM, FLAGS, "/ofrep/v1/stream"):
            with Listener(server, path) as listener:
                listener.take(1)
                assert hubs_of(server).open_streams == 1
            until(lambda: hubs_of(server).open_streams == 0)
        hubs = hubs_of(server)
        assert not hubs.log.feeds
        assert not hubs.flags.feeds


def test_a_stop_ends_all_streams_at_once(
    kept: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(kept) as server:
        listeners = [Listener(server, path) for path in (STREAM, FLAGS) for _ in range(20)]
        for listener in listeners:
            listener.take(1)
        stuck = silent(server, f"{STREAM}?after=0")
        until(lambda: hubs_of(server).open_streams == 41)
        much(kept, 5)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 5
        for listener in listeners[20:]:
            assert listener.take(1) == []  # To its end, not broken off.
            listener.close()
        for listener in listeners[:20]:
            listener.close()
        stuck.close()
    assert not server._thread.is_alive()
    assert "Traceback" not in caplog.text
    assert "ASGI" not in caplog.text


# -- tokens -------------------------------------------------------------------------------------


def test_a_token_may_hold_so_many_streams(kept: ControlPlane) -> None:
    texts = [kept.access.issue(owner=owner, roles="viewer", actor=ENGINEER).text for owner in "ab"]
    with listening(kept, GateSettings(streams_per_token=2)) as server:
        first, second = (Listener(server, FLAGS, token=texts[0]) for _ in "12")
        assert [*map(len, (first.take(1), second.take(1)))] == [1, 1]
        with Listener(server, STREAM, token=texts[0]) as third:
            assert third.status == 429
            assert third.response.headers["Retry-After"]
            assert third.problem()["type"] == "urn:controlplane:problem:too-many-requests"
        with Listener(server, FLAGS, token=texts[1]) as other:
            assert other.status == 200
        first.close()
        until(lambda: hubs_of(server).open_streams == 1)
        with Listener(server, STREAM, token=texts[0]) as third:
            assert third.status == 200
        second.close()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_revoked_token_closes_what_it_opened(kept: ControlPlane, elsewhere: bool) -> None:  # noqa: FBT001  why: a case
    issued = kept.access.issue(owner="ben", roles="viewer", actor=ENGINEER)
    other = kept.access.issue(owner="cleo", roles="viewer", actor=ENGINEER)
    with (
        listening(kept, GateSettings(), heartbeat_seconds=0.2) as server,
        Listener(server, FLAGS, token=issued.text) as listener,
        Listener(server, FLAGS, token=other.text) as stays,
    ):
        listener.take(1)
        stays.take(1)
        token = issued.text.split("_")[2]
        if elsewhere:
            with ControlPlane(kept.url, clock=kept.clock) as plane:
                plane.access.revoke(token, actor=ENGINEER, reason="lost")
        else:
            kept.access.revoke(token, actor=ENGINEER, reason="lost")
        until(lambda: hubs_of(server).open_streams == 1)
        kept.flags.enable(FLAG, percentage=1, actor=ENGINEER)
        assert stays.take(1)[0].event == "flag"
