"""Executions that were accepted and not answered for yet."""

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import ClassVar

MOST_IN_A_BATCH = 1_000


class Segment(ABC):
    """Some executions, one a line, that are forgotten together."""

    count: int
    size: int
    """In bytes."""

    @abstractmethod
    def read(self) -> list[bytes]:
        """The lines, without their ends. Raises OSError."""

    @abstractmethod
    def remove(self) -> None:
        """Let nobody send them again."""


class Spool(ABC):
    """First in, first out. Any thread appends; one takes, and forgets what was answered for."""

    durable: ClassVar[bool]
    """Whether what is in it outlives the process."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._empty()

    def _empty(self) -> None:
        self._lock = threading.Lock()
        self._holder = 0
        self._closed = False
        self._queue: deque[Segment] = deque()
        self.problem = ""
        """Why the last one was not taken."""
        self.arrived = 0
        """How many there ever were to send, and how many of them were forgotten."""
        self.left = 0
        self.size = 0
        """The bytes in it."""

    @property
    def waiting(self) -> int:
        """How many executions are in it."""
        return max(0, self.arrived - self.left)

    @property
    def full(self) -> bool:
        """Whether a whole batch waits."""
        return bool(self._queue)

    def append(self, line: bytes) -> bool:
        """Keep one execution; False where there is no room, or the disk fails."""
        me = threading.get_ident()
        if self._holder == me:  # A signal's handler, in the middle of this very function.
            return False
        with self._lock:
            self._holder = me
            try:
                self.problem = self._refusal(line)
            except OSError as error:
                self.problem = f"the disk does not take it: {error}"
            finally:
                self._holder = 0
            return not self.problem

    def _refusal(self, line: bytes) -> str:
        if self._closed:
            return "the client is closed"
        size = len(line) + 1
        if self.size + size > self._limit:
            return f"{self._limit} bytes wait already"
        self._keep(line)
        self.size += size
        self.arrived += 1
        return ""

    @abstractmethod
    def _keep(self, line: bytes) -> None:
        """Add it to the newest segment. Raises OSError, and then has not."""

    def take(self) -> Segment | None:
        """The oldest ones, the same until they are forgotten; None where nothing waits."""
        with self._lock:
            if not self._queue:
                self._seal()
            return self._queue[0] if self._queue else None

    @abstractmethod
    def _seal(self) -> None:
        """Put the newest segment into the queue, if there is one: it grows no more."""

    def forget(self, segment: Segment) -> None:
        """They were answered for."""
        segment.remove()
        with self._lock:
            self._queue.remove(segment)
            self.problem = ""
            self.left += segment.count
            self.size -= segment.size

    def _add(self, segments: Sequence[Segment]) -> None:
        """Queue what was found."""
        with self._lock:
            self._queue.extend(segments)
            self.arrived += sum(segment.count for segment in segments)
            self.size += sum(segment.size for segment in segments)

    @abstractmethod
    def adopt(self) -> None:
        """Take over what processes left that are no more. Raises OSError."""

    def forget_parent(self) -> None:
        """In a forked child: what is in it is the parent's to send."""
        closed = self._closed
        self._empty()
        self._closed = closed

    def close(self) -> None:
        """Take nothing more. What is on disk stays there, for whoever comes next."""
        self._closed = True


class _Lines(Segment):
    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self.count = self.size = 0

    def add(self, line: bytes) -> None:
        self._lines.append(line)
        self.count += 1
        self.size += len(line) + 1

    def read(self) -> list[bytes]:
        return self._lines

    def remove(self) -> None:
        self._lines = []


class MemorySpool(Spool):
    """In memory: what waits is lost when the process dies."""

    durable = False

    def _empty(self) -> None:
        super()._empty()
        self._newest = _Lines()

    def _keep(self, line: bytes) -> None:
        self._newest.add(line)
        if self._newest.count >= MOST_IN_A_BATCH:
            self._seal()

    def adopt(self) -> None:
        """See Spool.adopt. Memory leaves nothing."""

    def _seal(self) -> None:
        newest, self._newest = self._newest, _Lines()
        if newest.count:
            self._queue.append(newest)
