"""Fans out what is new in the log to everybody who is connected.

One thread follows the log while somebody listens, and encodes each event once. The last events
are kept in a ring, from which the clients that are up to date are served; a client that comes
from further back reads pages of the log first. Whoever is served is a position and a filter.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec

from controlplane.http.disclosure import disclosed
from controlplane.http.sse import CutOffError, Feed, Hub, message
from controlplane.views import event_view
from events.errors import LogUnavailable
from events.event import Event, RecordedEvent
from events.log import EventLog, Query

logger = logging.getLogger(__name__)

_PAGE = 500
_PAGE_TO_CATCH_UP = 200
_READERS = 4
"""Threads that read pages for who comes from further back: many at once wait for each other."""
_PIECE = 64 * 1024
_REMEMBERED = 64
_PAGES_UNDER_WAY = 2
_WAIT_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_LEAVE_SECONDS = 5.0


class Filter(NamedTuple):
    """Which events are wanted; a type may end in a star."""

    stream: str | None = None
    type: str | None = None


class _Entry(NamedTuple):
    position: int
    stream: str
    type: str
    data: bytes


def encoded(recorded: RecordedEvent[Event]) -> bytes:
    """An event of the log as clients get it."""
    return message(msgspec.json.encode(event_view(disclosed(recorded))), id_=recorded.position)


def _wants(wanted: Filter, entry: _Entry) -> bool:
    if wanted.stream is not None and wanted.stream != entry.stream:
        return False
    if wanted.type is None or wanted.type == entry.type:
        return True
    return wanted.type.endswith("*") and entry.type.startswith(wanted.type[:-1])


class LogHub(Hub["LogFeed"]):
    """The log, for any number of clients in one event loop."""

    def __init__(
        self, log: EventLog, *, most_events: int = 16_384, most_bytes: int = 2**24
    ) -> None:
        super().__init__()
        self._log = log
        self._most_events, self._most_bytes = most_events, most_bytes
        # Of the loop:
        self._ring: dict[int, _Entry] = {}
        self._bytes = 0
        self.oldest = 0
        """The ring holds every event above this position …"""
        self.reached = 0
        """… up to this one."""
        self._cuts: dict[tuple[Filter, int], tuple[bytes, int]] = {}
        self._pages: dict[tuple[Filter, int], asyncio.Future[tuple[bytes, int]]] = {}
        # Of the thread:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._heard = 0
        self._room_for_pages = threading.Semaphore(_PAGES_UNDER_WAY)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="stream pages")

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Follow the log as soon as somebody listens."""
        self._loop = loop
        self._thread = threading.Thread(target=self._follow, name="log streams", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._closed.set()
        self._wanted.set()
        self._readers.shutdown(wait=False, cancel_futures=True)
        if self._thread is not None:
            self._thread.join(_LEAVE_SECONDS)

    # -- the thread ------------------------------------------------------------------------------

    def _follow(self) -> None:
        idle, reached = True, 0
        while not self._closed.is_set():
            try:
                if not self._wanted.is_set():
                    idle = True
                    self._wanted.wait()
                elif idle:
                    # What happened while nobody listened, who comes back reads in pages.
                    reached = max(0, self._log.head().position - _PAGE)
                    self._tell(self._begin, reached)
                    idle = False
                else:
                    reached, idle = self._advance(reached)
            except LogUnavailable:
                self._closed.wait(_RETRY_SECONDS)
            except Exception:
                logger.exception("the log cannot be followed; trying again")
                self._closed.wait(_RETRY_SECONDS)

    def _advance(self, reached: int) -> tuple[int, bool]:
        """One page, or a wait for one; whether to begin anew."""
        events = self._log.read(reached, _PAGE)
        if events:
            entries = [_Entry(e.position, e.stream, e.type, encoded(e)) for e in events]
            # A loop that has no time now is not buried: the log can wait.
            while not self._room_for_pages.acquire(timeout=_WAIT_SECONDS):
                if self._closed.is_set():
                    return reached, True
            self._tell(self._extend, entries)
            return entries[-1].position, False
        # After a restore the signal still knows a position beyond the log's: wait for more, then.
        known = max(reached, self._heard)
        self._heard = self._log.wait(known, _WAIT_SECONDS)
        if self._heard > known or self._log.head().position >= reached:
            return reached, False
        logger.warning("the log is shorter than it was; its streams are ended")
        self._tell(self._end)
        return reached, True

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        if self._loop is None or self._closed.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            self._closed.set()  # The loop is closed.

    # -- the loop --------------------------------------------------------------------------------

    def _begin(self, position: int) -> None:
        self._ring.clear()
        self._cuts.clear()
        self._bytes = 0
        self.oldest = self.reached = position
        for feed in self.feeds:
            feed.is_live = False
            feed.wake()

    def _extend(self, entries: Sequence[_Entry]) -> None:
        self._room_for_pages.release()
        before, self.reached = self.reached, entries[-1].position
        for entry in entries:
            self._ring[entry.position] = entry
            self._bytes += len(entry.data)
        while len(self._ring) > self._most_events or self._bytes > self._most_bytes:
            self.oldest += 1
            self._bytes -= len(self._ring.pop(self.oldest).data)
        self._cuts.clear()
        concerned: dict[Filter, bool] = {}
        for feed in self.feeds:
            wanted = feed.filter
            if wanted not in concerned:
                concerned[wanted] = any(_wants(wanted, entry) for entry in entries)
            if concerned[wanted] or feed.position < before:
                feed.wake()
            else:  # Nothing in it for them: let them sleep.
                feed.position = max(feed.position, self.reached)

    def _end(self) -> None:
        for feed in self.feeds:
            feed.is_over = True
        self._begin(0)

    def enter(self, feed: "LogFeed") -> None:
        """Someone listens: follow the log."""
        super().enter(feed)
        self._wanted.set()

    def leave(self, feed: "LogFeed") -> None:
        """Someone left."""
        super().leave(feed)
        if not self.feeds and not self._closed.is_set():
            self._wanted.clear()

    def cut(self, wanted: Filter, after: int) -> tuple[bytes, int]:
        """From the ring, what is wanted above a position, up to a piece; and how far that is.

        Who are at the same place are given the same bytes.
        """
        key = wanted, after
        found = self._cuts.get(key)
        if found is None:
            if len(self._cuts) >= _REMEMBERED:
                self._cuts.clear()
            found = self._cuts[key] = self._cut(wanted, after)
        return found

    def _cut(self, wanted: Filter, after: int) -> tuple[bytes, int]:
        pieces: list[bytes] = []
        size, position = 0, after
        while position < self.reached and size < _PIECE:
            position += 1
            entry = self._ring[position]
            if _wants(wanted, entry):
                pieces.append(entry.data)
                size += len(entry.data)
        return b"".join(pieces), position

    async def page(self, wanted: Filter, after: int) -> tuple[bytes, int]:
        """From the log, what is wanted above a position, up to a page; and how far that is.

        Raises LogUnavailable.
        """
        key = wanted, after
        page = self._pages.get(key)
        if page is None:
            loop = asyncio.get_running_loop()
            page = loop.run_in_executor(self._readers, self._read, wanted, after)
            self._pages[key] = page
            page.add_done_callback(lambda _: self._pages.pop(key))
        return await asyncio.shield(page)

    def _read(self, wanted: Filter, after: int) -> tuple[bytes, int]:
        # The head first: up to there nothing is missed, though nothing was found.
        head = self._log.head().position
        query = Query(stream=wanted.stream, type=wanted.type, after=after, limit=_PAGE_TO_CATCH_UP)
        events = self._log.search(query)
        full = len(events) == query.limit
        last = events[-1].position if events else after
        return b"".join(map(encoded, events)), last if full else max(head, last)


class LogFeed(Feed):
    """What one client gets of the log: every event above a position that its filter wants.

    Now and then it is told how far that is, as an event `position` of its own: browsers keep an
    id only with an event, and a client that comes again need not wait for a search through
    everything it did not want.
    """

    def __init__(self, hub: LogHub, wanted: Filter, position: int) -> None:
        super().__init__(hub)
        self.filter = wanted
        self.position = position
        self.is_live = False
        """Whether it was up to date once: from then on it has to keep up."""
        self.is_over = False
        self._hub = hub
        self._told = -1

    async def take(self) -> bytes:
        """See Feed.take."""
        if self.is_over:
            raise CutOffError("the log is another one")
        if self._told < 0:  # At once: a client that was sent nothing else knows where it was.
            return self.heartbeat()
        while self.position < self._hub.reached:
            if self.position >= self._hub.oldest:
                chunk, self.position = self._hub.cut(self.filter, self.position)
            elif self.is_live:
                raise CutOffError("its client reads too slowly")
            else:
                try:
                    chunk, self.position = await self._hub.page(self.filter, self.position)
                except LogUnavailable:
                    asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.wake)
                    return b""
            if chunk:
                return chunk
        self.is_live = True
        return b""

    def heartbeat(self) -> bytes:
        """The position, where it moved; else a comment."""
        if self._told == self.position:
            return super().heartbeat()
        self._told = self.position
        return message(b'{"position":%d}' % self.position, id_=self.position, event="position")
