"""Which scheduler looks at alerts and rollouts: one at a time, and the log knows which one when.

The lease's row says who may try. The stream `scheduler` says who is: each LeaseTaken in it is
conditional on the one before, its version is the token, and everything that a look appends is
conditional on that version. So two may believe that it is their turn, but only one can act on it.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from controlplane.errors import LeaseLost
from controlplane.execution import Fence, Transaction, execute
from controlplane.lease import Held, Lease
from controlplane.plane.core import Core, context, fenced
from events.event import Actor, Event, RecordedEvent
from events.log import EventLog, Query
from events.scheduler import SCHEDULER_STREAM, LeaseTaken
from events.timestamps import SECOND, Timestamp

logger = logging.getLogger(__name__)

_ACTOR = Actor(kind="scheduler", id="lease", name="lease")
_OUT_OF_OFFICE = (0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Who looks, and how often."""

    holder: str
    token: int
    taken_at: Timestamp
    expires_at: Timestamp
    """When somebody else may take over, unless it is renewed before; by the database's clock."""
    evaluates_every_us: int

    def next_look_at(self, now: Timestamp) -> Timestamp:
        """When rollouts are due to be looked at next: first as it is taken, then at intervals."""
        looks = max(0, now - self.taken_at) // self.evaluates_every_us + 1
        return self.taken_at + looks * self.evaluates_every_us


def schedule_of(log: EventLog, lease: Lease) -> Schedule | None:
    """What is scheduled at present; None where nobody has the lease."""
    held = lease.current()
    newest = _newest(log)
    if held is None or newest is None or (taken := _taking(held, newest)) is None:
        return None
    return Schedule(
        holder=held.holder,
        token=held.token,
        taken_at=newest.occurred_at,
        expires_at=held.expires_at,
        evaluates_every_us=taken.evaluates_every_us,
    )


class Candidate:
    """One scheduler that looks whenever the lease is its own."""

    def __init__(
        self,
        core: Core,
        lease: Lease,
        holder: str,
        ttl_us: int,
        evaluates_every_us: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.holder = holder
        self._core = core
        self._lease = lease
        self._ttl_us = ttl_us
        self._evaluates_every_us = evaluates_every_us
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._term = _OUT_OF_OFFICE  # Its token, and until when: by a clock that is never set.

    @property
    def fence(self) -> Fence | None:
        """What its looks are held to; None where it is not its turn, as far as it knows."""
        token, until = self._term
        return Fence(SCHEDULER_STREAM, token) if self._monotonic() < until else None

    def renew(self) -> bool:
        """Ask for the lease, or to keep it; whether it is held now, and was not before.

        Raises LogUnavailable; what is held is held until it expires.
        """
        with self._lock:
            before, asked_at = self.fence, self._monotonic()
            token = self._ask()
            self._term = (token, asked_at + self._ttl_us / SECOND) if token else _OUT_OF_OFFICE
            return self.fence not in (None, before)

    def look(self, job: Callable[[], object]) -> bool:
        """Do the job if it is this one's turn; whether it was, until the end."""
        fence = self.fence
        if fence is None:
            return False
        try:
            with fenced(fence):
                job()
        except LeaseLost:
            logger.info("%s lost the lease while it looked", self.holder)
            if self._term[0] == fence.version:
                self._term = _OUT_OF_OFFICE
            return False
        return True

    def resign(self) -> None:
        """Let go of the lease, so that another one need not wait until it expires."""
        with self._lock:
            self._term = _OUT_OF_OFFICE
            self._lease.release(self.holder)

    def bury(self, is_gone: Callable[[str], bool]) -> None:
        """Take the lease from a holder that is known to be gone.

        Should it live after all, nothing is lost: it is fenced off like any that was late.
        """
        held = self._lease.current()
        if held is not None and held.holder != self.holder and is_gone(held.holder):
            self._lease.release(held.holder)

    def _ask(self) -> int:
        """Its token; 0 where somebody else has the lease, or just had it."""
        # Read before the lease is asked for: if it changes hands meanwhile, the append is refused.
        newest = _newest(self._core.log)
        version = newest.version if newest else 0
        held = self._lease.acquire(self.holder, self._ttl_us, version + 1)
        if held is None or _taking(held, newest) is not None:
            return held.token if held else 0
        if held.token == version + 1 and self._write(held.token):
            return held.token
        # Somebody wrote who had it before, and so late that the token is used up. Begin anew.
        self._lease.release(self.holder)
        return 0

    def _write(self, token: int) -> bool:
        """Record that it changed hands; whether nobody did so first."""
        taken = LeaseTaken(
            holder=self.holder,
            token=token,
            ttl_us=self._ttl_us,
            evaluates_every_us=self._evaluates_every_us,
        )

        def work(transaction: Transaction) -> None:
            transaction.stage(SCHEDULER_STREAM, [taken])

        try:
            # Not through Core.run: a backlog of read models must not use up the lease.
            execute(
                self._core.log,
                work,
                clock=self._core.clock,
                new_id=self._core.new_id,
                context=context(_ACTOR),
                fence=Fence(SCHEDULER_STREAM, token - 1),
            )
        except LeaseLost:
            return False
        return True


def _newest(log: EventLog) -> RecordedEvent[Event] | None:
    found = log.search(Query(stream=SCHEDULER_STREAM, newest_first=True, limit=1))
    return found[0] if found else None


def _taking(held: Held, newest: RecordedEvent[Event] | None) -> LeaseTaken | None:
    """The event by which the lease was taken, where it is the last word."""
    match newest:
        case RecordedEvent(version=held.token, event=LeaseTaken(holder=held.holder) as taken):
            return taken
        case _:
            return None
