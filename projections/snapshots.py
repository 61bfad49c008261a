"""Where a seek begins: folded states as they were, kept at marks along the log.

At a mark only the rows that changed since the one before are kept, each with all of its state: a
row as of a mark is the newest one kept of it up to there. They are computed from the log alone and
can be thrown away; whoever finds none folds from the beginning, and comes to the same.
"""

import threading
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol
from zlib import compress, decompress
from zlib import error as ZlibError  # noqa: N812  why: it is a class

from events.log import Replayable
from projections.projection import Projection, S

EVERY = 1000
"""Events from one mark to the next: what a seek folds at most."""

MARK = ""
"""The key under which a mark itself is kept: as of there, all rows are known."""

Version = tuple[str, int]
"""A projection's name and version: what another version kept is not read."""


def version_of(projection: Projection[Any]) -> Version:
    """Under which its rows are kept."""
    return projection.name, projection.version


def pack(text: str) -> bytes:
    """States are lists of numbers for the most part, and shrink to a fifth."""
    return compress(text.encode(), 1)


def unpack(packed: bytes) -> str:
    """Return the text that was packed."""
    return decompress(packed).decode()


def readable(packed: Any) -> str | None:
    """The text that was packed; None for what nobody packed here."""
    try:
        return unpack(bytes(packed))
    except (ZlibError, ValueError, TypeError):
        return None


class Snapshots(Protocol):
    """The rows of one environment's read models, as of marks."""

    def mark(self, projection: Projection[Any], upto: int) -> int:
        """Its last mark at or before a position; 0 where there is none."""

    def load(self, projection: Projection[S], keys: Iterable[str], mark: int) -> dict[str, S]:
        """Those of some rows that there were as of a mark, by key."""

    def scan(
        self, projection: Projection[S], mark: int, start: str = "", stop: str | None = None
    ) -> dict[str, S]:
        """Rows with start <= key < stop as of a mark, by key."""

    def save(self, after: int, mark: int, changed: Mapping[Version, Mapping[str, str]]) -> None:
        """Keep the encoded rows that changed from one mark to the next.

        Of a projection that has another mark there by now, nothing is kept: somebody else saved
        the same, or threw away what this rests on.
        """

    def places(self, projection: Projection[Any]) -> dict[int, set[str]]:
        """Everything that is kept: the keys by position, with MARK where there is one."""

    def kept(
        self, projection: Projection[Any], position: int, keys: Iterable[str]
    ) -> dict[str, str | None]:
        """Those rows that are kept as of this very position, as stored; None: not readable."""

    def forget(self, but: Iterable[Projection[Any]] = ()) -> None:
        """Throw away all but what these projections read."""


class MemorySnapshots:
    """Snapshots in dictionaries."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._marks: dict[Version, list[int]] = defaultdict(list)
        self._rows: dict[Version, dict[str, tuple[list[int], list[bytes]]]] = defaultdict(dict)

    def mark(self, projection: Projection[Any], upto: int) -> int:
        """See Snapshots.mark."""
        with self._lock:
            marks = self._marks.get(version_of(projection), [])
            place = bisect_right(marks, upto)
            return marks[place - 1] if place else 0

    def load(self, projection: Projection[S], keys: Iterable[str], mark: int) -> dict[str, S]:
        """See Snapshots.load."""
        with self._lock:
            rows = self._rows.get(version_of(projection), {})
            found = {key: _as_of(rows[key], mark) for key in keys if key in rows}
        return {
            key: projection.decode(unpack(packed))
            for key, packed in found.items()
            if packed is not None
        }

    def scan(
        self, projection: Projection[S], mark: int, start: str = "", stop: str | None = None
    ) -> dict[str, S]:
        """See Snapshots.scan."""
        with self._lock:
            known = list(self._rows.get(version_of(projection), {}))
        keys = (key for key in known if key >= start and (stop is None or key < stop))
        return self.load(projection, keys, mark)

    def save(self, after: int, mark: int, changed: Mapping[Version, Mapping[str, str]]) -> None:
        """See Snapshots.save."""
        with self._lock:
            for version, rows in changed.items():
                marks = self._marks[version]
                earlier = bisect_right(marks, mark)
                if (marks[earlier - 1] if earlier else 0) != after:
                    continue
                insort(marks, mark)
                for key, text in rows.items():
                    positions, states = self._rows[version].setdefault(key, ([], []))
                    place = bisect_left(positions, mark)
                    positions.insert(place, mark)
                    states.insert(place, pack(text))

    def places(self, projection: Projection[Any]) -> dict[int, set[str]]:
        """See Snapshots.places."""
        version = version_of(projection)
        with self._lock:
            found = {mark: {MARK} for mark in self._marks.get(version, [])}
            for key, (positions, _) in self._rows.get(version, {}).items():
                for position in positions:
                    found.setdefault(position, set()).add(key)
        return found

    def kept(
        self, projection: Projection[Any], position: int, keys: Iterable[str]
    ) -> dict[str, str | None]:
        """See Snapshots.kept."""
        version = version_of(projection)
        found: dict[str, str | None] = {}
        with self._lock:
            rows = self._rows.get(version, {})
            for key in keys:
                if key == MARK and position in self._marks.get(version, []):
                    found[key] = ""
                elif key in rows and position in rows[key][0]:
                    found[key] = readable(rows[key][1][rows[key][0].index(position)])
        return found

    def forget(self, but: Iterable[Projection[Any]] = ()) -> None:
        """See Snapshots.forget."""
        kept = {version_of(projection) for projection in but}
        with self._lock:
            for store in (self._marks, self._rows):
                for version in set(store) - kept:
                    del store[version]


def _as_of(kept: tuple[list[int], list[bytes]], mark: int) -> bytes | None:
    positions, states = kept
    place = bisect_right(positions, mark)
    return states[place - 1] if place else None


class Photographer:
    """Takes the snapshots that are missing. Any number, in any number of processes, may."""

    def __init__(
        self,
        log: Replayable,
        snapshots: Snapshots,
        projections: Sequence[Projection[Any]],
        every: int = EVERY,
    ) -> None:
        self._log = log
        self._snapshots = snapshots
        self._projections = projections
        self._every = every
        self._lock = threading.Lock()
        self._states: dict[Version, tuple[int, dict[str, Any]]] = {}
        """What was folded last, and the mark as of which: it need not be read again."""

    def forget_parent(self) -> None:
        """In a forked child: a lock that was held stayed held."""
        self._lock = threading.Lock()
        self._states = {}

    def go_on(
        self, upto: int, progress: Callable[[int, int], None] = lambda _done, _of: None
    ) -> int:
        """Take every snapshot that is missing at or before a position; the last mark.

        `progress(mark, position)` is called after each.
        """
        with self._lock:
            while True:
                marks = [(one, self._snapshots.mark(one, upto)) for one in self._projections]
                behind = min((mark for _, mark in marks), default=0)
                events = self._log.read(behind, self._every) if behind < upto else []
                if len(events) < self._every or events[-1].position > upto:
                    return behind
                changed = {
                    version_of(projection): self._fold(projection, behind, events)
                    for projection, mark in marks
                    if mark == behind
                }
                self._snapshots.save(behind, events[-1].position, changed)
                progress(events[-1].position, upto)

    def _fold(self, projection: Projection[S], mark: int, events: Sequence[Any]) -> dict[str, str]:
        """The rows that these events change, encoded."""
        reached, states = self._states.pop(version_of(projection), (0, {}))
        if reached != mark:
            states = {}
        own = by_key(projection, events)
        missing = [key for key in own if key not in states]
        states |= self._snapshots.load(projection, missing, mark)
        # Rows at rest need not be kept at hand: minutes that are over, flags that nobody uses.
        states = {key: projection.fold(key, some, states.get(key)) for key, some in own.items()}
        self._states[version_of(projection)] = (events[-1].position, states)
        return {key: projection.encode(state) for key, state in states.items()}


def by_key(projection: Projection[Any], events: Iterable[Any]) -> dict[str, list[Any]]:
    """The events that a projection listens to, by the row that they belong to."""
    found: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        if type(event.event) in projection.events:
            found[projection.key(event)].append(event)
    return found
