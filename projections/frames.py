"""Stepping through the log, event by event: what each of them altered, and the world after it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from events.event import Event, RecordedEvent
from projections.changes import FACTS, Change, Facts, of_row
from projections.projection import Projection, S
from projections.replay import History, PastWorld
from projections.timelines import stretch

Recorded = RecordedEvent[Event]


class Stepping:
    """Rows as of one position after another. Whoever steps passes every event that they rest on."""

    def __init__(self, history: History, position: int) -> None:
        self.position = position
        self._history = history
        self._rows: dict[str, tuple[Projection[Any], dict[str, Any]]] = {}

    def get(self, projection: Projection[S], key: str) -> S:
        """One row as of the present position; it must not be changed."""
        _, rows = self._rows.setdefault(projection.name, (projection, {}))
        if key not in rows:
            rows[key] = self._history.at(self.position).get(projection, key)
        found: S = rows[key]
        return found

    def step(self, event: Recorded) -> None:
        """Go on by one event."""
        for projection, rows in self._rows.values():
            if type(event.event) in projection.events and (key := projection.key(event)) in rows:
                rows[key] = projection.evolve(rows[key], event)
        self.position = event.position

    def forward(self, position: int) -> None:
        """Go on through all events up to a position, which must not lie before the present one."""
        for event in stretch(self._history.log, self.position, position):
            self.step(event)
        self.position = max(self.position, position)


@dataclass(frozen=True, slots=True)
class Frame:
    """One event, the world as of it, and what it altered."""

    event: Recorded
    world: PastWorld
    """All read models with the event in them; nothing is folded before it is asked for."""
    changes: tuple[Change, ...]


def frames(history: History, events: Iterable[Recorded]) -> Iterator[Frame]:
    """A frame for each event. The next one is made when it is asked for."""
    stepping: Stepping | None = None
    for event in events:
        stepping = stepping or Stepping(history, event.position - 1)
        yield Frame(event, history.at(event.position), tuple(altered(stepping, event)))


def altered(stepping: Stepping, event: Recorded) -> Iterator[Change]:
    """Step over an event, and tell what it altered."""
    rows = [
        (projection, projection.key(event), facts)
        for projection, facts in FACTS
        if type(event.event) in projection.events
    ]
    before = [_facts(stepping, projection, key, facts) for projection, key, facts in rows]
    stepping.step(event)
    for (projection, key, facts), was in zip(rows, before, strict=True):
        yield from of_row(projection.name, key, was, _facts(stepping, projection, key, facts))


def _facts(stepping: Stepping, projection: Projection[Any], key: str, facts: Any) -> Facts:
    row = stepping.get(projection, key)
    found: Facts = {} if row == projection.initial(key) else facts(row)
    return found
