"""Server-sent events: how they are written, and the response that sends them to one client.

The response is ours because it does less: bytes that were encoded once for everybody go straight
to the server, with one task to write, and one that notices who leaves. A client that does not
read holds up nobody: the server keeps a buffer of its own for it, which is bounded, and a client
that has not taken what it was sent for so many seconds is cut off. It may come again and go on.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from controlplane.access_errors import TooManyRequests

logger = logging.getLogger(__name__)

ABORT = "controlplane.abort"
"""The ASGI extension that cuts a connection off, whatever is still to be sent on it."""

PIECE = 64 * 1024
"""So many bytes are handed to the server at once; it holds back about as many more."""

COMMENT = b":\n\n"
"""Says nothing, to clients and to the proxies between: all is well."""

_RETRY_MS = 1000
_RETRY_STEP_MS = 617
_LINGER_SECONDS = 1.0


def message(data: bytes, *, id_: int, event: str = "") -> bytes:
    """One event. `data` is JSON, which has no line breaks."""
    name = b"event: %b\n" % event.encode() if event else b""
    return b"%bid: %d\ndata: %b\n\n" % (name, id_, data)


F = TypeVar("F", bound="Feed")


class Hub(Generic[F]):
    """Has something for clients; knows their feeds, to wake them all at once."""

    def __init__(self) -> None:
        self.feeds: set[F] = set()

    def enter(self, feed: F) -> None:
        """Someone listens."""
        self.feeds.add(feed)

    def leave(self, feed: F) -> None:
        """Someone left."""
        self.feeds.discard(feed)


class Feed(ABC):
    """What one client is sent, from where it is. It belongs to the event loop."""

    def __init__(self, hub: Hub[Any]) -> None:
        self._home = hub
        self._waiter: asyncio.Future[None] | None = None

    @abstractmethod
    async def take(self) -> bytes:
        """What is new; nothing where nothing is. Raises CutOffError."""

    def heartbeat(self) -> bytes:
        """What is sent where nothing else was for a while."""
        return COMMENT

    async def wait(self) -> None:
        """Until wake()."""
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def wake(self) -> None:
        """There may be something new."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __enter__(self) -> Self:
        self._home.enter(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._home.leave(self)


class CutOffError(Exception):
    """A client cannot be served any further; it may come again and go on."""


class Room:
    """Everybody who is connected: one timer for all heartbeats, one way to end all streams."""

    def __init__(
        self,
        *,
        heartbeat_seconds: float,
        stall_seconds: float,
        most_per_holder: int,
        still_opens: Callable[[str], bool],
    ) -> None:
        self._heartbeat = heartbeat_seconds
        self._stall = stall_seconds
        self._most = most_per_holder
        self._still_opens = still_opens
        self._streams: set[EventStream] = set()
        self._holders: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._entered = 0
        self.closed = False

    def __len__(self) -> int:
        return len(self._streams)

    def admit(self, holder: str) -> None:
        """Raise TooManyRequests where a token holds as many streams as it may."""
        if holder and self._holders[holder] >= self._most:
            reason = f"Too many streams: token {holder} has {self._most} open"
            raise TooManyRequests(reason=reason, retry_after=_RETRY_MS // 1000)

    def enter(self, stream: "EventStream") -> int:
        """Someone came; how many came before. The first one starts the timer."""
        self._streams.add(stream)
        self._holders[stream.holder] += 1
        self._entered += 1
        if self._timer is None:
            self._look_later()
        return self._entered - 1

    def leave(self, stream: "EventStream") -> None:
        """Someone left."""
        self._streams.discard(stream)
        self._holders[stream.holder] -= 1
        if not self._holders[stream.holder]:
            del self._holders[stream.holder]

    def _look_later(self) -> None:
        pause = min(1.0, self._heartbeat / 2, self._stall / 2)
        self._timer = asyncio.get_running_loop().call_later(pause, self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        shut_out = {holder for holder in self._holders if not self._still_opens(holder)}
        for stream in list(self._streams):
            if stream.holder in shut_out:
                stream.cut_off()
            elif stream.writing:
                if now - stream.wrote_at >= self._stall:
                    logger.info("a stream is cut off: its client does not read")
                    stream.cut_off()
            elif now - stream.wrote_at >= self._heartbeat:
                stream.beat()
        if self._streams:
            self._look_later()

    def end(self) -> None:
        """End all streams, now and to come: those who do not read are cut off after a second."""
        self.closed = True
        streams = list(self._streams)
        for stream in streams:
            stream.end()
        if streams:
            asyncio.get_running_loop().call_later(_LINGER_SECONDS, _cut_off, streams)


def _cut_off(streams: "list[EventStream]") -> None:
    for stream in streams:
        stream.cut_off()


class EventStream(Response):
    """The answer that does not end by itself."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, room: Room, holder: str = "") -> None:
        self.holder = holder
        """The id of the token it was opened with; empty where none was needed."""
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._feed = feed
        self._room = room
        self._over = False
        self._gone = False
        self._beats = False
        self._task: asyncio.Task[None] | None = None
        self._abort: Callable[[], None] | None = None
        self._time: Callable[[], float] = float
        self.writing = False
        self.wrote_at = 0.0
        """When the last piece was handed to the server, in the loop's time."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the feed has until the client leaves or the stream is ended."""
        self._abort = scope.get("extensions", {}).get(ABORT, {}).get("abort")
        self._task = asyncio.current_task()
        self._time = asyncio.get_running_loop().time
        nth = self._room.enter(self)
        watcher = asyncio.create_task(self._watch(receive))
        try:
            with self._feed:
                await self._send_all(send, nth)
            if not self._gone:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            pass  # How some servers tell that the client has left.
        except asyncio.CancelledError:
            if not self._over:
                raise
        finally:
            self._room.leave(self)
            watcher.cancel()

    async def _send_all(self, send: Send, nth: int) -> None:
        head = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **head})
        # Who were sent away together shall not all come again in the same moment.
        retry = _RETRY_MS + nth * _RETRY_STEP_MS % _RETRY_MS
        await self._write(send, b"retry: %d\n\n" % retry)
        self._over = self._over or self._room.closed
        while not self._over:
            try:
                chunk = await self._feed.take()
            except CutOffError as error:
                logger.info("a stream is cut off: %s", error)
                self.cut_off()
                return
            if chunk:
                await self._write(send, chunk)
            elif self._beats:
                await self._write(send, self._feed.heartbeat())
            elif not self._over:
                await self._feed.wait()

    async def _write(self, send: Send, chunk: bytes) -> None:
        for start in range(0, len(chunk), PIECE):
            self.writing, self._beats = True, False
            self.wrote_at = self._time()
            body = chunk[start : start + PIECE]
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self.writing = False
            if self._over:  # Clients discard an event that is not whole.
                return

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self.end()

    def beat(self) -> None:
        """Nothing was sent for a while."""
        self._beats = True
        self._feed.wake()

    def end(self) -> None:
        """Let it come to its end."""
        self._over = True
        self._feed.wake()

    def cut_off(self) -> None:
        """The client does not take what it was sent: close its connection, without a farewell."""
        self.end()
        if self._abort is not None:
            self._abort()
        elif self.writing and self._task is not None:
            self._task.cancel()
