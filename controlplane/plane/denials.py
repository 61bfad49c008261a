"""Refusals are recorded, but a flood of them must not fill the log."""

import logging
import threading

from controlplane.allowance import Allowance, Allowances
from controlplane.execution import Transaction
from controlplane.plane.core import Core, context
from events.access import DENIAL_STREAM, CommandDenied, DenialsSuppressed
from events.errors import ControlPlaneError
from events.event import Actor, Event
from events.timestamps import SECOND, Timestamp

logger = logging.getLogger(__name__)

_BY_SOURCE = (1 / 3, 20.0)
_BY_ALL = (2.0, 200.0)
"""A second, and at once."""


class Denials:
    """What was refused, within limits; what is beyond them is counted."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._sources = Allowances(*_BY_SOURCE)
        self._all = Allowance(*_BY_ALL)
        self._suppressed = 0
        self._since: Timestamp = 0

    def record(self, denied: CommandDenied, by: Actor) -> None:
        """Append it; where it cannot be, say so in the process's own log: it refuses all the same.

        Others that were not appended are told as a number with the next one that is.
        """
        now = self._core.clock()
        with self._lock:
            source = denied.token or denied.address
            waits = self._sources.take(source, now / SECOND) or self._all.take(now / SECOND)
            if waits:
                self._since = self._since or now
                self._suppressed += 1
                return
        self._append([*self._take_suppressed(), denied], by)

    def settle(self) -> None:
        """Tell how many were not appended since it was last told."""
        if suppressed := self._take_suppressed():
            self._append(suppressed, Actor.system("access"))

    def _take_suppressed(self) -> list[Event]:
        with self._lock:
            count, since = self._suppressed, self._since
            self._suppressed, self._since = 0, 0
        return [DenialsSuppressed(count=count, since=since)] if count else []

    def _append(self, events: list[Event], by: Actor) -> None:
        def work(transaction: Transaction) -> None:
            transaction.stage(DENIAL_STREAM, events)

        try:
            self._core.append(work, context(by))
        except ControlPlaneError:
            logger.exception("a refusal could not be recorded")
