"""The lease: which of several schedulers may look. It passes on by itself when its holder is gone.

It decides who may try; it protects nothing. A holder may be paused for minutes and not know that
another one took over: the fence does, which every append of a look is held to (Fence).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from events.database import Cursor, Database
from events.timestamps import SECOND, Timestamp

DEFAULT_TTL_US = 10 * SECOND
_NAME = "scheduler"


@dataclass(frozen=True)
class Held:
    """Who has the lease, and until when unless it is renewed."""

    holder: str
    token: int
    """What its holder asked for when it changed hands."""
    ttl_us: int
    expires_at: Timestamp
    """By the clock of whatever keeps the lease."""

    def lasts(self, now: Timestamp) -> bool:
        """Whether it has not expired.

        An end that is farther off than any renewal puts it was told by a clock that has been set
        back since: waiting for it could take hours. (Twice: small steps back are ordinary.)
        """
        return now < self.expires_at <= now + 2 * self.ttl_us


class Lease(Protocol):
    """One lease per environment."""

    def acquire(self, holder: str, ttl_us: int, token: int) -> Held | None:
        """Take it if nobody has it, or renew it; None where somebody else has it.

        `token` is given where it changes hands; a holder that renews, however late, keeps its own.
        Raises LogUnavailable; whether it was taken is then unknown, and asking again is safe.
        """

    def release(self, holder: str) -> None:
        """Let go of it, so that another one need not wait. Not the holder: nothing happens."""

    def current(self) -> Held | None:
        """Who has it; None where it expired, was released, or never taken."""


_NOBODY = Held("", 0, 0, 0)


def granted(known: Held, now: Timestamp, holder: str, ttl_us: int, token: int) -> Held | None:
    """The lease after `holder` asked for it at `now`; None where somebody else has it."""
    if known.holder != holder:
        return None if known.lasts(now) else Held(holder, token, ttl_us, now + ttl_us)
    return Held(holder, known.token, ttl_us, now + ttl_us)


class MemoryLease:
    """Kept in this process: for one plane and the schedulers on it."""

    def __init__(self, clock: Callable[[], Timestamp]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known = _NOBODY

    def acquire(self, holder: str, ttl_us: int, token: int) -> Held | None:
        """See Lease.acquire."""
        with self._lock:
            held = granted(self._known, self._clock(), holder, ttl_us, token)
            self._known = held or self._known
        return held

    def release(self, holder: str) -> None:
        """See Lease.release."""
        with self._lock:
            if self._known.holder == holder:
                self._known = _NOBODY

    def current(self) -> Held | None:
        """See Lease.current."""
        known = self._known
        return known if known.lasts(self._clock()) else None


_KEY = "environment = ? AND name = ?"
_OPEN = (
    "INSERT INTO leases (environment, name, holder, token, ttl_us, expires_at) "
    "VALUES (?, ?, '', 0, 0, 0) ON CONFLICT (environment, name) DO NOTHING"
)
_READ = f"SELECT holder, token, ttl_us, expires_at FROM leases WHERE {_KEY}"  # noqa: S608  why: constants
_WRITE = f"UPDATE leases SET holder = ?, token = ?, ttl_us = ?, expires_at = ? WHERE {_KEY}"  # noqa: S608  why: constants
_NOW = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"


class SqlLease:
    """A row in the database.

    PostgreSQL is asked for the time: one host's clock says nothing about another's. A SQLite file
    is on one host, whose clock will do.
    """

    def __init__(
        self, database: Database, environment: str, clock: Callable[[], Timestamp]
    ) -> None:
        self._database = database
        self._key = (environment, _NAME)
        self._clock = clock
        self._is_postgresql = database.dialect == "postgresql"

    def acquire(self, holder: str, ttl_us: int, token: int) -> Held | None:
        """See Lease.acquire."""
        held = self.current()
        if held is not None and held.holder != holder:
            return None  # Most of the time, of those who stand by: nobody need wait for a lock.
        with self._database.write() as cursor:
            known = self._locked(cursor)
            held = granted(known, self._now(cursor), holder, ttl_us, token)
            if held is not None:
                self._put(cursor, held)
        return held

    def release(self, holder: str) -> None:
        """See Lease.release."""
        with self._database.write() as cursor:
            if self._locked(cursor).holder == holder:
                self._put(cursor, _NOBODY)

    def current(self) -> Held | None:
        """See Lease.current."""
        with self._database.read() as cursor:
            known = self._read(cursor, _READ)
            return known if known.lasts(self._now(cursor)) else None

    def _locked(self, cursor: Cursor) -> Held:
        """The row, made if need be, and nobody else's until the transaction ends."""
        cursor.execute(self._database.sql(_OPEN), self._key)
        return self._read(cursor, _READ + " FOR UPDATE" * self._is_postgresql)

    def _read(self, cursor: Cursor, sql: str) -> Held:
        cursor.execute(self._database.sql(sql), self._key)
        row = cursor.fetchone()
        return Held(*row) if row else _NOBODY

    def _put(self, cursor: Cursor, held: Held) -> None:
        row = (held.holder, held.token, held.ttl_us, held.expires_at)
        cursor.execute(self._database.sql(_WRITE), (*row, *self._key))

    def _now(self, cursor: Cursor) -> Timestamp:
        """Asked for only once the row is locked: who waited for it must not go by an older time."""
        if not self._is_postgresql:
            return self._clock()
        cursor.execute(_NOW)
        now: Timestamp = cursor.fetchone()[0]
        return now
