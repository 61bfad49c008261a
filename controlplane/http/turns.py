"""Who is answered when: threads are few, and none of them is to be missing for a rollback.

Long questions wait for each other, outside of the threads; and whoever asks much at once has no
more of them than a share.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from controlplane.access_errors import TooManyRequests

MOST_AT_ONCE = 24
"""Requests of one token that are under way; the pool has 40 threads."""
_LONG_AT_ONCE = 4
_LONG_WAITING = 64
_RETRY_SECONDS = 2


class Turns:
    """Of one event loop."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()
        self._long = asyncio.Semaphore(_LONG_AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def taken(self, who: str, *, long: bool) -> AsyncIterator[None]:
        """Within it, a request is answered. Raises TooManyRequests."""
        if self._under_way[who] >= MOST_AT_ONCE:
            reason = f"Too many requests at once: {MOST_AT_ONCE} of this token are under way"
            raise TooManyRequests(reason=reason, retry_after=_RETRY_SECONDS)
        self._under_way[who] += 1
        try:
            if not long:
                yield
                return
            async with self._next():
                yield
        finally:
            self._under_way[who] -= 1
            if not self._under_way[who]:
                del self._under_way[who]

    @asynccontextmanager
    async def _next(self) -> AsyncIterator[None]:
        if self._waiting >= _LONG_WAITING:
            reason = f"Too many long questions: {_LONG_WAITING} wait already"
            raise TooManyRequests(reason=reason, retry_after=_RETRY_SECONDS)
        self._waiting += 1
        try:
            await self._long.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._long.release()
