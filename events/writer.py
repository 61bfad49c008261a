"""Group commit: appends that meet share one transaction, each with a verdict of its own."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from events.errors import LogUnavailable
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
    leads: bool = False
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
        """Block until the request is durable or refused.

        A refusal is the request's own; a failure of the database is the whole group's.
        """
        with self._lock:
            request.leads = not self._leading
            if request.leads:
                self._leading = True
            else:
                self._queue.append(request)
        if not request.leads:
            self._await_turn(request)
        if not request.done:
            self._lead(request)
        if request.error is not None:
            raise request.error
        return request.receipts

    def _await_turn(self, request: Request) -> None:
        """Block until the request is done or leads; interrupted, hold up nobody."""
        try:
            request.turn.wait()
        except BaseException:
            with self._lock:
                if request in self._queue:
                    self._queue.remove(request)
            if request.leads:
                self._hand_over()
            raise

    def _lead(self, request: Request) -> None:
        """Commit for `request` and whoever queued behind it, then hand over."""
        group = [request]
        try:
            self._gather(group)
            self._commit(group)
        except Exception as error:  # noqa: BLE001  why: every caller of the group must hear it
            for member in group:
                member.error = error
        except BaseException as error:  # noqa: BLE001  why: it is this thread that was interrupted
            for member in group:
                member.error = LogUnavailable(cause="the commit was interrupted")
            request.error = error
        finally:
            for member in group:
                member.done = True
                member.turn.set()
            self._hand_over()

    def _gather(self, group: list[Request]) -> None:
        """Take into the group who queued, in order, as long as there is room."""
        size = len(group[0].events)
        with self._lock:
            while self._queue and size + len(self._queue[0].events) <= self._max_events:
                size += len(self._queue[0].events)
                group.append(self._queue.popleft())

    def _hand_over(self) -> None:
        """Let the first in the queue lead; if there is none, whoever comes next."""
        with self._lock:
            self._leading = bool(self._queue)
            if self._queue:
                successor = self._queue.popleft()
                successor.leads = True
                successor.turn.set()
