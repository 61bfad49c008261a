"""Fans out the flags in memory to everybody who is connected, as soon as they change.

What a client gets is not a history but the flags as they stand: every flag that changed after the
position it knows, each once. So nobody falls behind; who reads slowly misses only what is past.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile

import msgspec

from controlplane.http.sse import Feed, Hub, message
from controlplane.permissions import concerns
from controlplane.plane.snapshot import FlagSnapshot
from events.timestamps import SECOND
from projections.flags import Flag

Found = tuple[bytes, int]
Patterns = tuple[str, ...]
"""Of the flags that somebody sees; none: all of them."""

_REMEMBERED = 64


def last_change(flags: dict[str, Flag]) -> int:
    """The position of the last event of any flag."""
    return next((flag.position for flag in reversed(flags.values())), 0)


def last_moment(flags: dict[str, Flag]) -> int:
    """When the last event of any flag happened, in whole seconds since the epoch."""
    return max(0, next((flag.changed_at // SECOND for flag in reversed(flags.values())), 0))


def seen_by(patterns: Patterns, flags: dict[str, Flag]) -> dict[str, Flag]:
    """The flags that somebody sees, in the same order."""
    if not patterns:
        return flags
    return {name: flag for name, flag in flags.items() if concerns(patterns, name)}


class FlagHub(Hub["FlagFeed | RefetchFeed"]):
    """The flags, for any number of clients in one event loop."""

    def __init__(self, snapshot: FlagSnapshot, environment: str) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._environment = environment
        self._loop: asyncio.AbstractEventLoop | None = None
        self._encoded: dict[tuple[str | int, Patterns], Found] = {}
        self._encoded_of: dict[str, Flag] = {}

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
    def flags(self) -> dict[str, Flag]:
        """As they are known; the one that changed last at the end."""
        return self._snapshot.flags

    @property
    def epoch(self) -> int:
        """Changes where the log turned out to be another one."""
        return self._snapshot.epoch

    def position(self) -> int:
        """Of the last change of any flag."""
        return last_change(self._snapshot.flags)

    async def reach(self, position: int) -> None:
        """Where flags are known up to an older position only, look again. Raises LogUnavailable."""
        if position > self.position():
            await self.refresh()

    async def refresh(self) -> None:
        """Look again, without holding up the loop. Raises LogUnavailable."""
        await asyncio.get_running_loop().run_in_executor(None, self._snapshot.refresh)

    def whole(self, patterns: Patterns) -> Found:
        """All flags, and the position they stand at."""
        return self._known("whole", patterns) or self._once("whole", patterns, self._encode_whole)

    def changes(self, after: int, patterns: Patterns) -> Found:
        """The flags that changed after a position, and the position they stand at."""
        return self._known(after, patterns) or self._once(
            after, patterns, lambda flags, _position: _encode_changes(flags, after)
        )

    def refetch(self, patterns: Patterns) -> Found:
        """That something changed, in the words of OFREP, and the position of the change."""
        return self._known("refetch", patterns) or self._once("refetch", patterns, _encode_refetch)

    def _known(self, what: str | int, patterns: Patterns) -> Found | None:
        """What was encoded already, for who is at the same place and sees the same flags."""
        if self._snapshot.flags is not self._encoded_of:
            return None
        return self._encoded.get((what, patterns))

    def _once(
        self,
        what: str | int,
        patterns: Patterns,
        encode: Callable[[dict[str, Flag], int], bytes],
    ) -> Found:
        flags = self._snapshot.flags
        if flags is not self._encoded_of or len(self._encoded) >= _REMEMBERED:
            self._encoded, self._encoded_of = {}, flags
        seen = seen_by(patterns, flags)
        position = last_change(seen)
        found = self._encoded[what, patterns] = encode(seen, position), position
        return found

    def _encode_whole(self, flags: dict[str, Flag], position: int) -> bytes:
        every = list(flags.values())
        data = {"environment": self._environment, "position": position, "flags": every}
        return message(msgspec.json.encode(data), id_=position, event="snapshot")


def _encode_changes(flags: dict[str, Flag], after: int) -> bytes:
    newer = [*takewhile(lambda flag: flag.position > after, reversed(flags.values()))]
    return b"".join(
        message(msgspec.json.encode(flag), id_=flag.position, event="flag")
        for flag in reversed(newer)
    )


def _encode_refetch(flags: dict[str, Flag], position: int) -> bytes:
    data = {
        "type": "refetchEvaluation",
        "etag": str(position),
        "lastModified": last_moment(flags),
    }
    return message(msgspec.json.encode(data), id_=position, event="message")


class FlagFeed(Feed):
    """All flags, or those that changed after a position; then each flag that changes."""

    def __init__(self, hub: FlagHub, position: int | None, patterns: Patterns = ()) -> None:
        super().__init__(hub)
        self._hub = hub
        self._patterns = patterns
        known = position is not None and position <= hub.position()
        self._epoch = hub.epoch if known else -1
        self._position = position or 0
        self._taken: dict[str, Flag] | None = None
        """The flags as they were taken last."""

    async def take(self) -> bytes:
        """See Feed.take."""
        epoch, flags = self._hub.epoch, self._hub.flags
        if epoch == self._epoch:
            if flags is self._taken:
                return b""
            chunk, self._position = self._hub.changes(self._position, self._patterns)
        else:
            chunk, self._position = self._hub.whole(self._patterns)
            self._epoch = epoch
        self._taken = flags
        return chunk


class RefetchFeed(Feed):
    """One event where anything changed after a position, however much; and so on.

    Without a position there is one at once: something may have changed since the client asked.
    """

    def __init__(self, hub: FlagHub, position: int | None, patterns: Patterns = ()) -> None:
        super().__init__(hub)
        self._hub = hub
        self._patterns = patterns
        self._known = (hub.epoch, position)

    async def take(self) -> bytes:
        """See Feed.take."""
        epoch = self._hub.epoch
        chunk, position = self._hub.refetch(self._patterns)
        if self._known == (epoch, position):
            return b""
        self._known = epoch, position
        return chunk
