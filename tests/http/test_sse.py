"""The response alone, on a server that is not ours: it has no way to cut a connection off."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from controlplane.access_errors import TooManyRequests
from controlplane.http.sse import COMMENT, PIECE, EventStream, Feed, Hub, Room, message

Message = dict[str, Any]


class Bytes(Feed):
    """Sends what it is given."""

    def __init__(self, hub: Hub[Any], *chunks: bytes) -> None:
        super().__init__(hub)
        self.chunks = [*chunks]

    async def take(self) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""


def room(**changes: Any) -> Room:
    usual: dict[str, Any] = {
        "heartbeat_seconds": 60.0,
        "stall_seconds": 60.0,
        "most_per_holder": 10,
        "still_opens": lambda _: True,
    }
    return Room(**usual | changes)


class Connection:
    """What a server is to an application."""

    def __init__(self, *, takes: int = 1000) -> None:
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self._takes = takes

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if len(self.sent) > self._takes:
            await asyncio.Event().wait()

    @property
    def body(self) -> bytes:
        return b"".join(one.get("body", b"") for one in self.sent)


async def answered(stream: EventStream, connection: Connection) -> None:
    async with asyncio.timeout(10):
        await stream({"type": "http"}, connection.receive, connection.send)


def test_an_event_is_written_as_the_standard_has_it() -> None:
    assert message(b"{}", id_=7) == b"id: 7\ndata: {}\n\n"
    assert message(b"{}", id_=7, event="flag") == b"event: flag\nid: 7\ndata: {}\n\n"


def test_what_is_long_is_sent_in_pieces_until_the_client_leaves() -> None:
    async def main() -> None:
        hub, connection = Hub[Bytes](), Connection()
        long = b"x" * (3 * PIECE + 1)
        task = asyncio.create_task(answered(EventStream(Bytes(hub, long), room()), connection))
        while len(connection.sent) < 6:  # noqa: ASYNC110  why: a test looks from outside
            await asyncio.sleep(0)
        assert len(hub.feeds) == 1
        connection.left.set()
        await task
        assert not hub.feeds
        start, retry, *pieces = connection.sent
        assert start["status"] == 200
        assert retry["body"].startswith(b"retry: ")
        assert [len(piece["body"]) for piece in pieces] == [PIECE, PIECE, PIECE, 1]

    asyncio.run(main())


def test_who_takes_nothing_is_given_up() -> None:
    async def main() -> None:
        here = room(stall_seconds=0.05)
        connection = Connection(takes=3)
        await answered(EventStream(Bytes(Hub(), *[b"x"] * 10), here), connection)
        assert connection.body.endswith(b"\n\nxx")
        assert len(here) == 0

    asyncio.run(main())


def test_heartbeats_begin_when_nothing_else_was_sent_for_a_while() -> None:
    async def main() -> None:
        connection = Connection()
        stream = EventStream(Bytes(Hub(), b"x"), room(heartbeat_seconds=0.02))
        task = asyncio.create_task(answered(stream, connection))
        while connection.body.count(COMMENT) < 3:  # noqa: ASYNC110  why: a test looks from outside
            await asyncio.sleep(0.001)
        stream.end()
        await task
        assert connection.sent[-1] == {
            "type": "http.response.body",
            "body": b"",
            "more_body": False,
        }

    asyncio.run(main())


def test_a_server_that_raises_where_the_client_has_left_is_fine() -> None:
    async def main() -> None:
        connection = Connection()

        async def send(message: Message) -> None:
            await connection.send(message)
            if len(connection.sent) == 3:
                raise OSError

        stream = EventStream(Bytes(Hub(), b"x", b"y"), room())
        await stream({"type": "http"}, connection.receive, send)
        assert len(connection.sent) == 3

    asyncio.run(main())


def test_cancelled_by_the_server_it_says_so() -> None:
    async def main() -> None:
        stream = EventStream(Bytes(Hub()), room())
        task = asyncio.create_task(answered(stream, Connection()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_once_the_room_is_closed_nobody_stays() -> None:
    async def main() -> None:
        here = room()
        here.end()
        connection = Connection()
        await answered(EventStream(Bytes(Hub(), b"x"), here), connection)
        assert b"x" not in connection.body
        assert connection.sent[-1]["more_body"] is False

    asyncio.run(main())


def test_streams_are_counted_by_holder() -> None:
    async def main() -> None:
        here = room(most_per_holder=2)
        connections = [Connection() for _ in range(2)]
        tasks = [
            asyncio.create_task(answered(EventStream(Bytes(Hub()), here, "ben"), one))
            for one in connections
        ]
        await asyncio.sleep(0.01)
        refused: Callable[[], None] = lambda: here.admit("ben")  # noqa: E731  why: of one line
        with pytest.raises(TooManyRequests, match="Too many streams: token ben has 2 open"):
            refused()
        here.admit("cleo")
        here.admit("")
        connections[0].left.set()
        await tasks[0]
        refused()
        connections[1].left.set()
        await tasks[1]
        assert not here._holders

    asyncio.run(main())
