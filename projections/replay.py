"""The world as of any moment: all read models, as they stood at one position of the log.

What is asked for is folded from the nearest mark before the position, and nothing else is. It is
what a fold from the beginning comes to, whatever snapshots there are.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from events.event import Event, RecordedEvent
from events.log import Replayable
from events.timestamps import Timestamp
from projections.projection import Projection, S
from projections.snapshots import EVERY, Photographer, Snapshots, by_key

Recorded = RecordedEvent[Event]
_PAGE = 5000
_STRETCHES = 4
"""Stretches of the log between marks that are kept decoded: who looks around looks nearby."""


class PastWorld:
    """All read models as they stood at one position; nothing is folded before it is asked for.

    `late`: events from beyond the position that are folded in behind all others.
    """

    def __init__(self, history: "History", position: int, late: Sequence[Recorded] = ()) -> None:
        self.position = position
        self._history = history
        self._late = late
        self._found: dict[str, tuple[int, dict[str, list[Recorded]]]] = {}

    def get(self, projection: Projection[S], key: str) -> S:
        """One row; its initial state where there was none."""
        if projection.stream is not None and not self._late:
            stream = self._history.log.read_stream(projection.stream(key))
            return projection.fold(key, [e for e in stream if e.position <= self.position])
        snapshots = self._history.snapshots
        while True:
            mark, since = self._since(projection)
            before = snapshots.load(projection, [key], mark)
            if self._holds(projection, mark):
                return projection.fold(key, since.get(key, ()), before.get(key))

    def scan(
        self, projection: Projection[S], start: str = "", stop: str | None = None
    ) -> list[tuple[str, S]]:
        """Rows with start <= key < stop, in order of the key."""
        while True:
            mark, since = self._since(projection)
            rows = self._history.snapshots.scan(projection, mark, start, stop)
            if self._holds(projection, mark):
                break
        for key, events in since.items():
            if key >= start and (stop is None or key < stop):
                rows[key] = projection.fold(key, events, rows.get(key))
        return sorted(rows.items())

    def _holds(self, projection: Projection[Any], mark: int) -> bool:
        """Whether the mark was still there once its rows were read; else it is looked for anew."""
        if not mark or self._history.snapshots.mark(projection, mark) == mark:
            return True
        del self._found[projection.name]
        return False

    def _since(self, projection: Projection[Any]) -> tuple[int, dict[str, list[Recorded]]]:
        """The mark that its rows are folded from, and by row what happened since."""
        if projection.name not in self._found:
            mark = self._history.mark(projection, self.position)
            since = by_key(projection, self._history.between(mark, self.position))
            for key, late in by_key(projection, self._late).items():
                since.setdefault(key, []).extend(late)
            self._found[projection.name] = mark, since
        return self._found[projection.name]


class History:
    """A log, and the way to any moment of it. Nothing here can add to the log."""

    def __init__(
        self,
        log: Replayable,
        snapshots: Snapshots,
        projections: Sequence[Projection[Any]],
        every: int = EVERY,
    ) -> None:
        self.log = log
        self.snapshots = snapshots
        self._photographer = Photographer(log, snapshots, projections, every)
        self._stretches: OrderedDict[int, list[Recorded]] = OrderedDict()
        self._every = every
        self._lock = threading.Lock()

    def forget_parent(self) -> None:
        """In a forked child: locks that were held stayed held."""
        self._lock = threading.Lock()
        self._photographer.forget_parent()

    def at(self, position: int, late: Sequence[Recorded] = ()) -> PastWorld:
        """The world as of a position."""
        return PastWorld(self, position, late)

    def take_snapshots(
        self,
        upto: int | None = None,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> int:
        """Take those that are missing up to a position (default: all); the last mark."""
        upto = self.log.head().position if upto is None else upto
        return self._photographer.go_on(upto, progress)

    def mark(self, projection: Projection[Any], position: int) -> int:
        """The nearest mark of a projection; those that are missing are made."""
        mark = self.snapshots.mark(projection, position)
        if position - mark < self._every:
            return mark
        self.take_snapshots(position)
        return self.snapshots.mark(projection, position)

    def between(self, mark: int, position: int) -> Sequence[Recorded]:
        """The events above a mark, up to a position."""
        if position - mark > self._every:  # Too many to keep: a projection without snapshots.
            return list(self._pages(mark, position))
        with self._lock:
            stretch = self._stretches.setdefault(mark, [])
            self._stretches.move_to_end(mark)
            while len(self._stretches) > _STRETCHES:
                self._stretches.popitem(last=False)
            reached = stretch[-1].position if stretch else mark
            if reached < position:
                stretch += self.log.read(reached, position - reached)
            return stretch[: bisect_right(stretch, position, key=lambda event: event.position)]

    def _pages(self, after: int, position: int) -> Iterator[Recorded]:
        while after < position and (page := self.log.read(after, _PAGE)):
            yield from (event for event in page if event.position <= position)
            after = page[-1].position


def position_at(log: Replayable, moment: Timestamp) -> int:
    """The last position that was recorded by a moment; 0 where none was."""
    low, high = 0, log.head().position
    while low < high:  # The time of recording never falls: the place is found by halving.
        middle = (low + high + 1) // 2
        event = log.read(middle - 1, 1)[0]
        if event.recorded_at <= moment:
            low = event.position
        else:
            high = middle - 1
    return low
