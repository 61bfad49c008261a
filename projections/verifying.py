"""Whether read models and snapshots are what the log comes to: it is folded anew beside them.

Nothing that is kept is believed, and nothing is changed. A row is compared as it is stored, letter
by letter: equal states are equal text.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from events.event import Event, RecordedEvent
from events.log import Replayable
from projections.projection import Projection
from projections.rows import Rows
from projections.snapshots import MARK, Snapshots

_PAGE = 5000

Kept = Literal["row", "snapshot"]
Found = Literal["altered", "missing", "extra", "ahead", "twice"]


@dataclass(frozen=True)
class Difference:
    """Something that is kept and is not what the log comes to, or is not kept and should be."""

    projection: str
    kept: Kept
    key: str
    """Of the row; empty where it is all that is kept as of the position."""
    position: int
    """As of which it is kept."""
    found: Found
    """`ahead`: beyond the end of the log. `twice`: a second build is in use."""


@dataclass(frozen=True)
class Compared:
    """What of one read model was held to the log."""

    projection: str
    version: int
    position: int
    rows: int
    marks: int


@dataclass(frozen=True)
class Comparison:
    """All that was compared, and where it differs."""

    models: list[Compared]
    differences: list[Difference]

    @property
    def identical(self) -> bool:
        """Whether all that is kept is what the log comes to."""
        return not self.differences


def compare(
    log: Replayable,
    rows: Rows,
    snapshots: Snapshots,
    projections: Sequence[Projection[Any]],
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Comparison:
    """Fold the log from its first event up to where read models and snapshots are; compare them.

    Others may go on meanwhile: each read model is taken as it is at one moment.
    `progress(position, last)` is called now and then.
    """
    beside = [_Beside(one, rows, snapshots) for one in projections]
    # After all that is kept was read: at that moment it could not be beyond the log's end.
    head = log.head().position
    for one in beside:
        one.end_at(head)
    listening: dict[type[Event], list[_Beside]] = defaultdict(list)
    for one in beside:
        for kind in one.projection.events:
            listening[kind].append(one)
    stops = sorted({stop for one in beside for stop in one.stops})
    reached = 0
    for stop in stops:
        for event in _between(log, reached, stop):
            for one in listening.get(type(event.event), ()):
                one.fold(event)
        for one in beside:
            one.stop(stop)
        reached = stop
        progress(stop, stops[-1])
    return Comparison(
        [one.compared() for one in beside], [found for one in beside for found in one.differences]
    )


def _between(log: Replayable, after: int, upto: int) -> Iterator[RecordedEvent[Event]]:
    while after < upto and (page := log.read(after, min(_PAGE, upto - after))):
        yield from (event for event in page if event.position <= upto)
        after = page[-1].position


class _Beside:
    """One projection as it is folded anew, beside what is kept of it."""

    def __init__(self, projection: Projection[Any], rows: Rows, snapshots: Snapshots) -> None:
        self.projection = projection
        self.differences: list[Difference] = []
        self._snapshots = snapshots
        self._builds = rows.stored(projection)
        self._places = snapshots.places(projection)
        self._marks = 0
        self._states: dict[str, Any] = {}
        self._changed: set[str] = set()
        """Since the mark before."""

    def end_at(self, head: int) -> None:
        """Set aside what is kept beyond the end of the log: there is nothing to hold it to."""
        for build, _ in self._builds[1:]:
            self._differs("row", MARK, build.position, "twice")
        for build, _ in self._builds:
            if build.position > head:
                self._differs("row", MARK, build.position, "ahead")
        # No event is there. (A position that others wrote need not even be a number.)
        nowhere = [p for p in self._places if not (isinstance(p, int) and 1 <= p <= head)]
        for place in sorted(nowhere, key=str):
            found: Found = "ahead" if isinstance(place, int) and place > head else "extra"
            for key in sorted(self._places.pop(place), key=str):
                self._differs("snapshot", key, place, found)
        self._due = [(max(0, min(build.position, head)), rows) for build, rows in self._builds]

    @property
    def stops(self) -> Iterable[int]:
        """Where something is to be compared."""
        return {position for position, _ in self._due} | set(self._places)

    def fold(self, event: RecordedEvent[Event]) -> None:
        """Take in the next event that it listens to."""
        key = self.projection.key(event)
        self._states[key] = self.projection.fold(key, (event,), self._states.get(key))
        self._changed.add(key)

    def stop(self, position: int) -> None:
        """Compare what is kept as of a position up to which all was folded."""
        for reached, rows in self._due:
            if reached == position:
                self._compare("row", position, rows, self._told(self._states))
        if position in self._places:
            self._compare_snapshot(position, self._places.pop(position))

    def _compare_snapshot(self, place: int, keys: set[str]) -> None:
        kept = self._snapshots.kept(self.projection, place, keys)
        if MARK not in keys:
            # Nobody keeps rows where no mark is; they would be read at the next one.
            self._compare("snapshot", place, kept, {})
        elif MARK in kept:
            del kept[MARK]
            self._compare("snapshot", place, kept, self._told(self._changed))
            self._changed.clear()
            self._marks += 1
        else:  # Thrown away meanwhile, by a rebuild: they are taken anew from the first event.
            self._places.clear()

    def _told(self, keys: Iterable[str]) -> dict[str, str]:
        return {key: self.projection.encode(self._states[key]) for key in keys}

    def _compare(
        self, what: Kept, position: int, kept: Mapping[str, str | None], told: Mapping[str, str]
    ) -> None:
        for key in sorted({*kept, *told}, key=str):
            if key not in kept:
                self._differs(what, key, position, "missing")
            elif key not in told:
                self._differs(what, key, position, "extra")
            elif kept[key] != told[key]:
                self._differs(what, key, position, "altered")

    def _differs(self, what: Kept, key: str, position: int, found: Found) -> None:
        # Keys that were written by others may be text that cannot be printed.
        shown = str(key).encode(errors="backslashreplace").decode()
        self.differences.append(Difference(self.projection.name, what, shown, position, found))

    def compared(self) -> Compared:
        """What was held to the log."""
        position = max((build.position for build, _ in self._builds), default=0)
        rows = sum(len(rows) for _, rows in self._builds)
        one = self.projection
        return Compared(one.name, one.version, position, rows, self._marks)
