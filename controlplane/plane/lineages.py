"""What led to events, and what they led to: followed by their ids, and by what they say."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from events.access import CommandAccepted
from events.event import Event, RecordedEvent
from events.judgements import JudgementEvent, WaveJudged, judgement_stream
from events.log import EventLog, Query
from events.rollouts import RolloutEvent
from projections.precedents import kinds_after, kinds_before, precedent

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


@dataclass(slots=True)
class Links:
    """What led to an event, or what it led to."""

    found: dict[str, Recorded] = field(default_factory=dict)
    """By their ids."""
    follows: dict[str, str] = field(default_factory=dict)
    """By its id, the id of what an event follows from, where its own cause does not say so.

    What a person decided over HTTP has the command for its cause; the command, in turn, follows
    from what was decided about, as a proposal. What was recorded before causes were has none.
    """
    more: bool = False

    def tie(self, child: Recorded, parent: Recorded) -> None:
        """Take note of what an event follows from."""
        if child.causation_id != parent.id:
            self.follows[child.id] = parent.id


def what_led_to(log: EventLog, event: Recorded) -> Links:
    """All that led to an event, one after the other."""
    links, nearest = Links(), event
    while ties := _ties(log, nearest):
        for child, parent in ties:
            links.tie(child, parent)
            if parent.id in links.found or parent.id == event.id:
                links.found[parent.id] = parent
                return links  # It leads round.
            links.found[parent.id] = parent
            nearest = parent
    return links


def what_it_led_to(log: EventLog, event: Recorded) -> Links:
    """What an event led to, near and far, as far as pages go; and whether there is more."""
    links, nearest = Links(), [event]
    for _ in range(_MOST_STEPS):
        led_to = _effects(log, nearest, links, _MOST_EFFECTS + 1 - len(links.found))
        nearest = [one for one in led_to if one.id not in links.found and one.id != event.id]
        links.found |= {one.id: one for one in nearest}
        if not nearest or len(links.found) > _MOST_EFFECTS:
            break
    links.more = len(links.found) > _MOST_EFFECTS or bool(
        nearest and _effects(log, nearest, Links(), 1)
    )
    links.found = dict(list(links.found.items())[:_MOST_EFFECTS])
    return links


def _effects(log: EventLog, causes: list[Recorded], links: Links, most: int) -> list[Recorded]:
    found: list[Recorded] = []
    for start in range(0, len(causes), _AT_ONCE):
        ids = tuple(one.id for one in causes[start : start + _AT_ONCE])
        found += log.search(Query(causation_id=ids, limit=most))
    commands = {one.id for one in causes if isinstance(one.event, CommandAccepted)}
    for one in found:
        if one.causation_id in commands and (ties := _ties(log, one)):
            links.tie(*ties[0])  # Another event of the same command may come between them.
    return [*found, *(one for cause in causes for one in _followers(log, cause, links))]


def _followers(log: EventLog, before: Recorded, links: Links) -> Iterator[Recorded]:
    """What follows from an event by what it says, though its cause is a command or not told."""
    kinds = tuple(kind.TYPE for kind in kinds_after(before.event))
    if not kinds:
        return
    later = Query(stream=before.stream, type=kinds, after=before.position, limit=FARTHEST)
    for one in log.search(later):
        if one.causation_id != before.id and precedent(one.event, [before]) is not None:
            for child, parent in _ties(log, one):
                if parent.id == before.id:
                    links.tie(child, parent)
                    yield child


def _ties(log: EventLog, event: Recorded) -> list[tuple[Recorded, Recorded]]:
    """What an event follows from, and what that does where it is a command: child and parent."""
    cause = next(iter(with_ids(log, [event.causation_id])), None) if event.causation_id else None
    if event.causation_id is not None and cause is None:
        return []  # It is not in this log.
    if cause is not None and not isinstance(cause.event, CommandAccepted):
        return [(event, cause)]
    before = _precedent_of(log, event)
    if before is None:
        return [] if cause is None else [(event, cause)]
    if cause is None or before.position > cause.position:
        return [(event, before)]
    return [(event, cause), (cause, before)]


def _precedent_of(log: EventLog, event: Recorded) -> Recorded | None:
    """What an event follows from by what it says; the look of the same moment, if it is of one."""
    kinds = tuple(kind.TYPE for kind in kinds_before(event.event))
    earlier = Query(before=event.position, newest_first=True, limit=FARTHEST)
    if kinds:
        return precedent(event.event, log.search(replace(earlier, stream=event.stream, type=kinds)))
    if not isinstance(event.event, RolloutEvent) or isinstance(event.event, JudgementEvent):
        return None
    stream = judgement_stream(event.event.rollout)
    for look in log.search(replace(earlier, stream=stream, type=WaveJudged.TYPE, limit=1)):
        if (look.occurred_at, look.actor) == (event.occurred_at, event.actor):
            return look
    return None
