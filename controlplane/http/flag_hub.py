"""Fans out the flags in memory to everybody who is connected, as soon as they change.

What a client gets is not a history but the flags as they stand: every flag that changed after the
position it knows, each once. So nobody falls behind; who reads slowly misses only what is past.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from itertools import takewhile

import msgspec

from controlplane.http.sse import Feed, Hub, message
from controlplane.plane.snapshot import FlagSnapshot
from events.timestamps import SECOND
from projections.flags import Flag

Found = tuple[bytes, int]

_REMEMBERED = 64


def last_change(flags: Mapping[str, Flag]) -> int:
    """The position of the last event of any flag."""
    return next((flag.position for flag in reversed(flags.values())), 0)


def last_moment(flags: Mapping[str, Flag]) -> int:
    """When the last event of any flag happened, in whole seconds since the epoch."""
    return max(0, next((flag.changed_at // SECOND for flag in reversed(flags.values())), 0))


class FlagHub(Hub["FlagFeed | RefetchFeed"]):
    """The flags, for any number of clients in one event loop."""

    def __init__(self, snapshot: FlagSnapshot, environment: str) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._environment = environment
        self._loop: asyncio.AbstractEventLoop | None = None
        self._encoded: dict[Hashable, Found] = {}
        self._encoded_of: Mapping[str, Flag] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Load the flags, and be told of every change. Raises LogUnavailable."""
        self._loop = loop
        self._snapshot.start()
        self._snapshot.listeners.append(self._heard)

    def close(self) -> None:
        """Be told no more."""
        with suppress(ValueError):
            self._snapshot.listeners.remove(self._heard)

    def _heard(self, _names: frozenset[str]) -> None:
        """In whichever thread refreshed the flags: one call, however many clients there are."""
        if self._loop is not None:
            with suppress(RuntimeError):  # The loop is closed.
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for feed in self.feeds:
            feed.wake()

    @property
    def epoch(self) -> int:
        """Changes where the log turned out to be another one."""
        return self._snapshot.epoch

    @property
    def position(self) -> int:
        """Of the last change of any flag."""
        return last_change(self._snapshot.flags)

    async def reach(self, position: int) -> None:
        """Where flags are known up to an older position only, look again. Raises LogUnavailable."""
        if position > self.position:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._snapshot.refresh)

    def whole(self) -> Found:
        """All flags, and the position they stand at."""

        def encode(flags: Mapping[str, Flag], position: int) -> bytes:
            every = list(flags.values())
            data = {"environment": self._environment, "position": position, "flags": every}
            return message(msgspec.json.encode(data), id_=position, event="snapshot")

        return self._once("whole", encode)

    def changes(self, after: int) -> Found:
        """The flags that changed after a position, and the position they stand at."""

        def encode(flags: Mapping[str, Flag], _position: int) -> bytes:
            newer = [*takewhile(lambda flag: flag.position > after, reversed(flags.values()))]
            return b"".join(
                message(msgspec.json.encode(flag), id_=flag.position, event="flag")
                for flag in reversed(newer)
            )

        return self._once(after, encode)

    def refetch(self) -> Found:
        """That something changed, in the words of OFREP, and the position of the change."""

        def encode(flags: Mapping[str, Flag], position: int) -> bytes:
            moment = last_moment(flags)
            data = {"type": "refetchEvaluation", "etag": str(position), "lastModified": moment}
            return message(msgspec.json.encode(data), id_=position, event="message")

        return self._once("refetch", encode)

    def _once(self, key: Hashable, encode: Callable[[Mapping[str, Flag], int], bytes]) -> Found:
        """Encoded once for everybody who is at the same place."""
        flags = self._snapshot.flags
        if flags is not self._encoded_of or len(self._encoded) >= _REMEMBERED:
            self._encoded, self._encoded_of = {}, flags
        found = self._encoded.get(key)
        if found is None:
            position = last_change(flags)
            found = self._encoded[key] = encode(flags, position), position
        return found


class FlagFeed(Feed):
    """All flags, or those that changed after a position; then each flag that changes."""

    def __init__(self, hub: FlagHub, position: int | None) -> None:
        super().__init__(hub)
        self._hub = hub
        known = position is not None and position <= hub.position
        self._epoch = hub.epoch if known else -1
        self._position = position or 0

    async def take(self) -> bytes:
        """See Feed.take."""
        epoch = self._hub.epoch
        if epoch != self._epoch:
            chunk, self._position = self._hub.whole()
            self._epoch = epoch
            return chunk
        chunk, self._position = self._hub.changes(self._position)
        return chunk


class RefetchFeed(Feed):
    """One event where anything changed after a position, however much; and so on.

    Without a position there is one at once: something may have changed since the client asked.
    """

    def __init__(self, hub: FlagHub, position: int | None) -> None:
        super().__init__(hub)
        self._hub = hub
        self._known = (hub.epoch, position)

    async def take(self) -> bytes:
        """See Feed.take."""
        epoch = self._hub.epoch
        if self._known == (epoch, self._hub.position):
            return b""
        chunk, position = self._hub.refetch()
        self._known = epoch, position
        return chunk
