"""The event log in a list: for tests, for trying things out, and for replay."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from events.chain import Head, Row, chain, verify
from events.codec import recorded
from events.errors import VersionConflict
from events.event import Event, NewEvent, Receipt, RecordedEvent
from events.log import Count, Dimension, Query, prepare
from events.matching import counted, matches
from events.timestamps import Timestamp
from events.wakeup import Signal


class MemoryLog:
    """The same contract, without a disk."""

    def __init__(self, environment: str, clock: Callable[[], Timestamp]) -> None:
        self.environment = environment
        self._clock = clock
        self._lock = threading.Lock()
        self._signal = Signal()
        self._head = Head()
        self._rows: list[Row] = []
        self._events: list[RecordedEvent[Event]] = []
        self._streams: dict[str, list[RecordedEvent[Event]]] = defaultdict(list)
        self._positions: dict[str, int] = {}

    def append(
        self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None
    ) -> list[Receipt]:
        """See EventLog.append."""
        prepared = prepare(events, expected)
        with self._lock:
            versions: dict[str, int] = {}
            fresh: dict[str, tuple[NewEvent, int, str]] = {}
            for new, data in prepared:
                if new.id not in self._positions and new.id not in fresh:
                    version = versions.get(new.stream, self._version(new.stream)) + 1
                    versions[new.stream] = version
                    fresh[new.id] = (new, version, data)
            if fresh:
                self._check(expected or {})
            recorded_at = max(self._clock(), self._head.recorded_at)
            rows, head = chain(self.environment, self._head, recorded_at, fresh.values())
            events_recorded = [recorded(row) for row in rows]
            for row, event in zip(rows, events_recorded, strict=True):
                self._rows.append(row)
                self._events.append(event)
                self._streams[event.stream].append(event)
                self._positions[event.id] = event.position
            receipts = []
            for new, _ in prepared:
                duplicate = fresh.pop(new.id, None) is None
                receipts.append(Receipt(self._positions[new.id], duplicate))
            if rows:
                # Last: the head is read without the lock, and promises what can be read.
                self._head = head
        self._signal.advance(self._head.position)
        return receipts

    def _version(self, stream: str) -> int:
        return len(self._streams.get(stream, ()))

    def _check(self, expected: Mapping[str, int]) -> None:
        for stream, version in expected.items():
            if (actual := self._version(stream)) != version:
                raise VersionConflict(stream=stream, expected=version, actual=actual)

    def head(self) -> Head:
        """See EventLog.head."""
        return self._head

    def read(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent[Event]]:
        """See EventLog.read."""
        with self._lock:
            return self._events[max(after, 0) : max(after, 0) + limit]

    def read_stream(self, stream: str, after_version: int = 0) -> list[RecordedEvent[Event]]:
        """See EventLog.read_stream."""
        with self._lock:
            return self._streams.get(stream, [])[after_version:]

    def search(self, query: Query) -> list[RecordedEvent[Event]]:
        """See EventLog.search."""
        with self._lock:
            stop = None if query.before is None else max(0, query.before - 1)
            events = self._events[query.after : stop]
        found = [event for event in events if matches(event, query)]
        if query.newest_first:
            found.reverse()
        return found[: query.limit]

    def count(self, query: Query, by: Sequence[Dimension] = ()) -> list[Count]:
        """See Replayable.count."""
        with self._lock:
            stop = None if query.before is None else max(0, query.before - 1)
            events = self._events[query.after : stop]
        return counted(events, query, by)

    def wait(self, after: int, timeout: float) -> int:
        """See EventLog.wait."""
        return self._signal.wait(after, timeout)

    def rows(self, after: int, upto: int) -> Iterator[Row]:
        """See EventLog.rows."""
        with self._lock:
            return iter(self._rows[max(after, 0) : upto])

    def verify(
        self,
        witnesses: Sequence[Head] = (),
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Head:
        """See EventLog.verify."""
        with self._lock:
            head = verify(self._rows, self._head, witnesses)
        progress(head.position, head.position)
        return head

    @property
    def closed(self) -> bool:
        """See EventLog.closed."""
        return self._signal.closed

    def forget_parent(self) -> None:
        """See EventLog.forget_parent. From here on, the child's log is another one."""
        self._lock, self._signal = threading.Lock(), Signal()

    def close(self) -> None:
        """See EventLog.close."""
        self._signal.close()
