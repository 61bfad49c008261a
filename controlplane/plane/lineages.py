"""What led to events, and what they led to: followed through the log by their ids."""

from collections.abc import Iterable

from events.event import Event, RecordedEvent
from events.log import EventLog, Query

Recorded = RecordedEvent[Event]

_AT_ONCE = 500
"""Ids that are looked for in one question."""
_MOST_EFFECTS = 1000
"""More are not followed: a page of them tells nobody anything."""
FARTHEST = 2**63 - 1


def causes_of(log: EventLog, events: Iterable[Recorded]) -> dict[str, Recorded]:
    """By its id, everything that led to any of these."""
    found: dict[str, Recorded] = {}
    nearest = list(events)
    known = {event.id: event for event in nearest}
    while nearest:
        wanted = {one.causation_id for one in nearest if one.causation_id is not None}
        found |= {id_: known[id_] for id_ in wanted if id_ in known}
        nearest = _with_ids(log, sorted(wanted - known.keys()))
        found |= {event.id: event for event in nearest}
        known |= found
    return found


def _with_ids(log: EventLog, ids: list[str]) -> list[Recorded]:
    found: list[Recorded] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = tuple(ids[start : start + _AT_ONCE])
        found += log.search(Query(id=some, limit=FARTHEST))
    return found


def effects_of(log: EventLog, event: Recorded) -> tuple[list[Recorded], bool]:
    """What an event led to, near and far; and whether there is more."""
    found: dict[str, Recorded] = {}
    nearest = [event]
    while nearest and len(found) <= _MOST_EFFECTS:
        ids = [one.id for one in nearest]
        nearest = []
        for start in range(0, len(ids), _AT_ONCE):
            causes = tuple(ids[start : start + _AT_ONCE])
            left = _MOST_EFFECTS + 1 - len(found)
            nearest += log.search(Query(causation_id=causes, limit=left))
        nearest = [one for one in nearest if one.id not in found and one.id != event.id]
        found |= {one.id: one for one in nearest}
    return list(found.values())[:_MOST_EFFECTS], len(found) > _MOST_EFFECTS
