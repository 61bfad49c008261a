"""Whether an event answers a question: what the databases do, said in Python."""

from collections import Counter
from collections.abc import Iterable, Sequence

from events.event import Event, RecordedEvent
from events.log import Count, Dimension, Query
from events.timestamps import DAY, HOUR, Timestamp, to_iso
from events.words import says


def matches(event: RecordedEvent[Event], query: Query) -> bool:
    """Whether an event answers a query; paging aside."""
    at = _at(event, query)
    return (
        _is_one(event.id, query.named("id"))
        and matches_type(event.type, query.patterns)
        and query.stream in (None, event.stream)
        and query.actor in (None, event.actor.id)
        and query.kind in (None, event.actor.kind)
        and query.correlation_id in (None, event.correlation_id)
        and _is_one(event.causation_id, query.named("causation_id"))
        and (query.since is None or at >= query.since)
        and (query.until is None or at < query.until)
        and (query.text is None or says(event.data, query.text))
    )


def _is_one(value: str | None, wanted: Sequence[str] | None) -> bool:
    return wanted is None or value in wanted


def matches_type(name: str, patterns: Sequence[str] | None) -> bool:
    """Whether a stored name is one of those wanted, or begins like one with a star."""
    return patterns is None or any(
        name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))
        for pattern in patterns
    )


def counted(
    events: Iterable[RecordedEvent[Event]], query: Query, by: Sequence[Dimension]
) -> list[Count]:
    """How many of these events answer a query, by what they have in common."""
    tally = Counter(
        tuple(_value(event, query, one) for one in by) for event in events if matches(event, query)
    )
    if not by:
        return [Count((), tally.total())]
    return [Count(values, count) for values, count in sorted(tally.items())]


def _value(event: RecordedEvent[Event], query: Query, dimension: Dimension) -> str:
    match dimension:
        case "actor":
            return event.actor.id
        case "kind":
            return event.actor.kind
        case "type":
            return event.type
        case "stream":
            return event.stream
        case "day":
            return day(_at(event, query) // DAY)
        case "hour":
            return hour(_at(event, query) // HOUR)


def day(number: int) -> str:
    """The day, counted from the epoch, as ISO 8601 has it."""
    return to_iso(number * DAY)[:10]


def hour(number: int) -> str:
    """The hour, counted from the epoch, as ISO 8601 has it."""
    return f"{to_iso(number * HOUR)[:16]}Z"


def _at(event: RecordedEvent[Event], query: Query) -> Timestamp:
    return event.occurred_at if query.clock == "occurred_at" else event.recorded_at
