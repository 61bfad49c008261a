"""What led to events, and what they led to: followed through the log by their ids."""

from collections.abc import Iterable

from events.event import Event, RecordedEvent
from events.log import EventLog, Query

Recorded = RecordedEvent[Event]

_AT_ONCE = 500
"""Ids that are looked for in one question."""
_MOST_EFFECTS = 1000
"""More are not followed: a page of them tells nobody anything."""
_MOST_STEPS = 100
"""From an event to what it led to; JSON that is nested deeper is read by few."""
FARTHEST = 2**63 - 1


def causes_of(log: EventLog, events: Iterable[Recorded]) -> dict[str, Recorded]:
    """By its id, everything that led to any of these."""
    found: dict[str, Recorded] = {}
    nearest = list(events)
    known = {event.id: event for event in nearest}
    while nearest:
        wanted = {one.causation_id for one in nearest if one.causation_id is not None}
        found |= {id_: known[id_] for id_ in wanted if id_ in known}
        nearest = with_ids(log, sorted(wanted - known.keys()))
        found |= {event.id: event for event in nearest}
        known |= found
    return found


def with_ids(log: EventLog, ids: list[str]) -> list[Recorded]:
    """The events of these ids, as far as there are such."""
    found: list[Recorded] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = tuple(ids[start : start + _AT_ONCE])
        found += log.search(Query(id=some, limit=FARTHEST))
    return found


def effects_of(log: EventLog, event: Recorded) -> tuple[list[Recorded], bool]:
    """What an event led to, near and far; and whether there is more."""
    found: dict[str, Recorded] = {}
    nearest = [event]
    for _ in range(_MOST_STEPS):
        led_to = _effects(log, nearest, _MOST_EFFECTS + 1 - len(found))
        nearest = [one for one in led_to if one.id not in found and one.id != event.id]
        found |= {one.id: one for one in nearest}
        if not nearest or len(found) > _MOST_EFFECTS:
            break
    more = len(found) > _MOST_EFFECTS or bool(nearest and _effects(log, nearest, 1))
    return list(found.values())[:_MOST_EFFECTS], more


def _effects(log: EventLog, causes: list[Recorded], most: int) -> list[Recorded]:
    found: list[Recorded] = []
    for start in range(0, len(causes), _AT_ONCE):
        ids = tuple(one.id for one in causes[start : start + _AT_ONCE])
        found += log.search(Query(causation_id=ids, limit=most))
    return found
