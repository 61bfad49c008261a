"""Keeps read models up with the log: each event counts exactly once, whatever is killed when."""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from events.event import Event, RecordedEvent
from events.log import EventLog
from projections.projection import Projection
from projections.rows import Build, Rows, Transaction, active_build

Recorded = RecordedEvent[Event]
_CACHED_STATES = 20_000


@dataclass(frozen=True)
class Lag:
    """How far a read model is behind the log."""

    projection: str
    version: int
    position: int
    events: int
    seconds: float
    """How long ago the oldest event it lacks was recorded; 0 when it lacks none."""


class Runner:
    """Folds new events into the active builds, checkpoint and rows in one transaction.

    Any number of runners, in any number of processes, may work on one store: builds are locked
    for the length of a step, and a step starts from the position it finds.
    """

    def __init__(
        self,
        log: EventLog,
        rows: Rows,
        projections: Sequence[Projection[Any]],
        *,
        batch: int = 1000,
    ) -> None:
        self._log = log
        self._rows = rows
        self.projections = tuple(projections)
        self._batch = batch
        self._lock = threading.Lock()
        self._states = StateCache()

    def forget_parent(self) -> None:
        """In a forked child: a lock that was held stayed held."""
        self._lock = threading.Lock()
        self._states.clear()

    def open(self) -> None:
        """See that every projection has an active build of the version this release knows."""
        with self._lock:
            self._open()

    def _open(self) -> list[Build]:
        """Make the active builds that are missing; all builds."""
        builds = self._rows.builds()
        missing = [p for p in self.projections if active_build(p, builds) is None]
        if not missing:
            return builds
        with self._rows.write() as transaction:
            builds = transaction.builds()
            for projection in missing:
                if active_build(projection, builds) is None:
                    transaction.put(new_build(projection, builds, active=True))
        return self._rows.builds()

    def catch_up(self, upto: int | None = None) -> int:
        """Fold until every read model reflects `upto` (default: the log's head); the position."""
        target = self._log.head().position if upto is None else upto
        with self._lock:
            position = self._position(self._rows.builds())
            while position < target:
                events = self._log.read(position, self._batch)
                if not events:
                    break
                position = self._step(position, events)
        return position

    def _step(self, position: int, events: list[Recorded]) -> int:
        """Fold one batch into every build that stands before its end."""
        try:
            with self._rows.write() as transaction:
                builds = transaction.builds()
                for projection in self.projections:
                    build = active_build(projection, builds)
                    if build is not None and position <= build.position < events[-1].position:
                        fold_into(transaction, projection, build, events, self._states)
        except BaseException:
            self._states.clear()
            raise
        # Opened again: another release may have dropped the builds that it does not read.
        return self._position(self._open())

    def _position(self, builds: list[Build]) -> int:
        """Up to where all read models of this release have folded the log."""
        found = [active_build(projection, builds) for projection in self.projections]
        return min((build.position if build else 0 for build in found), default=0)

    def lag(self, now: int) -> list[Lag]:
        """How far each read model is behind. `now` in microseconds since the epoch."""
        head = self._log.head()
        lags = []
        builds = self._rows.builds()
        for projection in self.projections:
            build = active_build(projection, builds)
            position = build.position if build else 0
            behind = head.position - position
            oldest = self._log.read(position, 1) if behind else []
            seconds = max(0, now - oldest[0].recorded_at) / 1e6 if oldest else 0.0
            lags.append(Lag(projection.name, projection.version, position, behind, seconds))
        return lags


class StateCache:
    """States as they were last saved, so that a hot row is not decoded for every batch."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, int], tuple[int, dict[str, Any]]] = {}

    def take(self, build: Build) -> dict[str, Any]:
        """The states saved at exactly this position; if others moved the build, none."""
        position, states = self._states.pop((build.projection, build.build), (-1, {}))
        return states if position == build.position else {}

    def keep(self, build: Build, states: dict[str, Any]) -> None:
        """Remember the states as of the build's position."""
        if len(states) <= _CACHED_STATES:
            self._states[build.projection, build.build] = (build.position, states)

    def clear(self) -> None:
        """Forget everything."""
        self._states.clear()


def new_build(projection: Projection[Any], builds: Sequence[Build], *, active: bool) -> Build:
    """The next build of a projection, at position 0."""
    number = 1 + max((b.build for b in builds if b.projection == projection.name), default=0)
    return Build(projection.name, number, projection.version, 0, active)


def fold_into(
    transaction: Transaction,
    projection: Projection[Any],
    build: Build,
    events: Sequence[Recorded],
    cache: StateCache,
    crash: Callable[[str], None] = lambda _: None,
) -> Build:
    """Fold the events beyond the build's position; write each touched row once; move it on.

    `crash` is called between the steps, for tests that kill the runner there.
    """
    touched: dict[str, list[Recorded]] = defaultdict(list)
    for event in events:
        if type(event.event) in projection.events and event.position > build.position:
            touched[projection.key(event)].append(event)
    states = cache.take(build)
    stored = transaction.load(build, [key for key in touched if key not in states])
    states.update((key, projection.decode(text)) for key, text in stored.items())
    crash("loaded")
    for key, own in touched.items():
        states[key] = projection.fold(key, own, states.get(key))
    if touched:
        transaction.save(build, {key: projection.encode(states[key]) for key in touched})
    crash("saved")
    moved = replace(build, position=events[-1].position)
    transaction.put(moved)
    crash("moved")
    cache.keep(moved, states)
    return moved
