"""Group commit: appends that meet share one transaction, each with a verdict of its own."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from events.event import NewEvent, Receipt


@dataclass(slots=True, eq=False)
class Request:
    """One caller's append, and in the end its verdict."""

    events: Sequence[tuple[NewEvent, str]]
    """Events with their canonical data."""
    expected: Mapping[str, int]
    receipts: list[Receipt] = field(default_factory=list)
    error: BaseException | None = None
    done: bool = False
    turn: threading.Event = field(default_factory=threading.Event)


class GroupCommit:
    """Leader and followers, without a thread of its own.

    Who finds nobody committing, commits at once. Who finds somebody, queues; the leader, when
    done, hands over to the first in the queue, who commits for all that queued meanwhile.
    """

    def __init__(self, commit: Callable[[list[Request]], None], max_events: int = 5000) -> None:
        self._commit = commit
        self._max_events = max_events
        self._lock = threading.Lock()
        self._queue: deque[Request] = deque()
        self._leading = False

    def submit(self, request: Request) -> list[Receipt]:
        """Block until the request is durable or refused. Raises its own error, no one else's."""
        with self._lock:
            leads = not self._leading
            if leads:
                self._leading = True
            else:
                self._queue.append(request)
        if not leads:
            request.turn.wait()
        if not request.done:
            self._lead(request)
        if request.error is not None:
            raise request.error
        return request.receipts

    def _lead(self, request: Request) -> None:
        """Commit for `request` and whoever queued behind it, then hand over."""
        group = [request]
        with self._lock:
            size = len(request.events)
            while self._queue and size + len(self._queue[0].events) <= self._max_events:
                follower = self._queue.popleft()
                size += len(follower.events)
                group.append(follower)
        try:
            self._commit(group)
        except BaseException as error:  # noqa: BLE001  why: every caller of the group must hear it
            for member in group:
                member.error = error
        finally:
            with self._lock:
                successor = self._queue.popleft() if self._queue else None
                self._leading = successor is not None
            for member in group:
                member.done = True
                member.turn.set()
            if successor is not None:
                successor.turn.set()
