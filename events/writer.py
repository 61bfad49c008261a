"""Group commit: appends that meet share one transaction, each with a verdict of its own."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from events.errors import ControlPlaneError
from events.event import NewEvent, Receipt

_LOOK_UP_SECONDS = 0.05


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class Request:
    """One caller's append, and in the end its verdict."""

    events: Sequence[tuple[NewEvent, str]]
    """Events with their canonical data."""
    expected: Mapping[str, int]
    receipts: list[Receipt] = field(default_factory=list)
    error: Exception | None = None
    done: bool = False
    turn: threading.Lock = field(default_factory=_held)
    """Held until there is something to look at. A bare lock: an Event's own lock may be left
    held by a thread that is interrupted."""


class GroupCommit:
    """Leader and followers, without a thread of its own.

    Who holds the baton leads: commits for all that queued, and wakes them and the next. An
    append that meets nobody so goes straight through.

    A thread may be interrupted between any two steps (Ctrl-C, a time limit's signal). What must
    survive that is the baton alone, and a `with` on a lock does: all else is a hint. Followers
    look up now and then; what a leader left undone they commit themselves, which is safe, since
    the log knows events by their ids.
    """

    def __init__(self, commit: Callable[[list[Request]], None], max_events: int = 5000) -> None:
        self._commit = commit
        self._max_events = max_events
        self._baton = threading.Lock()
        self._busy = False
        self._queue: deque[Request] = deque()  # Its operations are atomic.

    def submit(self, request: Request) -> list[Receipt]:
        """Block until the request is durable or refused.

        A refusal is the request's own; a failure of the database is the whole group's.
        """
        try:
            self._queue.append(request)
            while not request.done:
                if self._busy and request.turn.acquire(timeout=_LOOK_UP_SECONDS):
                    continue
                with self._baton:
                    if not request.done:
                        self._lead(request)
        finally:
            self._withdraw(request)
        if request.error is not None:
            raise request.error
        return request.receipts

    def _lead(self, request: Request) -> None:
        """Commit for `request` and whoever queued; then let the next one lead."""
        self._busy = True
        group = self._gather(request)
        try:
            self._commit(group)
        except ControlPlaneError as error:
            for member in group:
                member.error = error
        # Anything else interrupted this thread, not the others: they are left to themselves.
        for member in group:
            member.done = True
        self._busy = False
        for member in (*group, *islice(self._queue.copy(), 1)):
            with suppress(RuntimeError):  # It was told already, and has not looked yet.
                member.turn.release()

    def _gather(self, request: Request) -> list[Request]:
        """The leader, and in order who queued, as long as there is room."""
        self._withdraw(request)
        group, size = [request], len(request.events)
        with suppress(IndexError):  # The queue is empty, or its last one withdrew just now.
            while size + len(self._queue[0].events) <= self._max_events:
                group.append(self._queue.popleft())
                size += len(group[-1].events)
        for member in group:
            member.receipts, member.error = [], None  # Of a leader that was interrupted.
        return group

    def _withdraw(self, request: Request) -> None:
        """Leave the queue, unless somebody took the request along."""
        with suppress(ValueError):
            self._queue.remove(request)
