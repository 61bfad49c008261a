"""What the laws of read models are stated in: histories, stores, and what stores hold."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from events.event import Event, RecordedEvent
from events.memory_log import MemoryLog
from projections.catalog import PROJECTIONS
from projections.projection import Projection
from projections.rows import Build, Rows, Transaction
from tests.projections.recording import START, Told, new

ALL = tuple(PROJECTIONS.values())
Contents = dict[str, str]
MakeRows = Callable[[], Rows]


def log_of(history: Iterable[Told] = ()) -> MemoryLog:
    """A log that learns an event a second."""
    seconds = count()
    log = MemoryLog("test", lambda: START + next(seconds) * 1_000_000)
    append(log, history)
    return log


def append(log: MemoryLog, history: Iterable[Told]) -> None:
    """Record events one by one."""
    for one in history:
        log.append([new(one)])


def plain_fold(projection: Projection[Any], events: Sequence[RecordedEvent[Event]]) -> Contents:
    """What a read model must hold after these events: the definition."""
    by_key: dict[str, list[RecordedEvent[Event]]] = defaultdict(list)
    for event in events:
        if type(event.event) in projection.events:
            by_key[projection.key(event)].append(event)
    return {key: projection.encode(projection.fold(key, own)) for key, own in by_key.items()}


def contents(rows: Rows, projection: Projection[Any]) -> Contents:
    """What readers of a store find."""
    return {key: projection.encode(state) for key, state in rows.scan(projection)}


def position(rows: Rows, projection: Projection[Any]) -> int:
    """How far readers of a store see."""
    return rows.get_as_of(projection, "any")[1]


class InterruptedLog:
    """A log whose readers are held up after each read, while others work."""

    def __init__(self, log: MemoryLog, others_work: Callable[[], None]) -> None:
        self._log = log
        self._others_work = others_work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def read(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent[Event]]:
        """Like EventLog.read; what it answers may be old when it arrives."""
        events = self._log.read(after, limit)
        self._others_work()
        return events


class Killed(BaseException):
    """The process is gone; nothing may catch this."""


class Fuse:
    """Burns a step at a time, then kills."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def burn(self, _step: str = "") -> None:
        """Take one step, or be killed instead."""
        self.left -= 1
        if self.left < 0:
            raise Killed


class FragileRows:
    """A store that kills whoever writes to it when the fuse has burnt down."""

    def __init__(self, rows: Rows, fuse: Fuse) -> None:
        self._rows = rows
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Like Rows.write; it may die at the first step, the last one, or between."""
        self._fuse.burn()
        with self._rows.write() as transaction:
            yield _FragileTransaction(transaction, self._fuse)
            self._fuse.burn()
        self._fuse.burn()


class _FragileTransaction:
    def __init__(self, transaction: Transaction, fuse: Fuse) -> None:
        self._transaction = transaction
        self._fuse = fuse

    def builds(self) -> list[Build]:
        self._fuse.burn()
        return self._transaction.builds()

    def load(self, build: Build, keys: Iterable[str]) -> dict[str, str]:
        self._fuse.burn()
        return self._transaction.load(build, keys)

    def save(self, build: Build, states: Mapping[str, str]) -> None:
        self._transaction.save(build, states)
        self._fuse.burn()

    def put(self, build: Build) -> None:
        self._transaction.put(build)
        self._fuse.burn()

    def drop(self, build: Build) -> None:
        self._transaction.drop(build)
        self._fuse.burn()
