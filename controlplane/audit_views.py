"""Answers from history, as JSON has them and as tables have them."""

from collections.abc import Sequence

import msgspec

from controlplane.sentences import sentence
from controlplane.views import Json, event_view
from events.event import Event, RecordedEvent
from events.log import Count
from events.timestamps import to_iso
from projections.audit import Deed, Effect, Happening, Why

Recorded = RecordedEvent[Event]

COLUMNS = (
    *("position", "occurred_at", "recorded_at", "actor_kind", "actor_id", "actor_name"),
    *("type", "stream", "version", "what", "correlation_id", "causation_id", "id", "data", "hash"),
)
DEED_COLUMNS = (*COLUMNS, "token", "address", "asked_by", "agreed_by")


def told_view(event: Recorded) -> Json:
    """An event, and in words what it says."""
    return event_view(event) | {"what": sentence(event.event)}


def deed_view(deed: Deed) -> Json:
    """Something that was done, by which command, and who stands behind it."""
    command = None
    if deed.command is not None:
        sent = deed.command.event
        command = {
            "position": deed.command.position,
            "command": sent.command,
            "token": sent.token or None,
            "address": sent.address,
        }
    behind = {"asked_by": list(deed.behind.asked), "agreed_by": list(deed.behind.agreed)}
    return told_view(deed.event) | {"command": command} | behind


def happening_view(happening: Happening) -> Json:
    """A line of a timeline; `repeats` are the positions of later looks that found the same."""
    repeats = [one.position for one in happening.repeats]
    return told_view(happening.event) | {"repeats": repeats}


def why_view(found: Why) -> Json:
    """What led to an event, and what it led to."""
    return {
        "causes": [told_view(one) for one in found.causes],
        "event": told_view(found.event),
        "effects": [effect_view(one) for one in found.effects],
        "missing_cause": found.missing,
        "more_effects": found.more,
    }


def effect_view(effect: Effect) -> Json:
    """An effect, and what it led to in turn."""
    return told_view(effect.event) | {"effects": [effect_view(one) for one in effect.effects]}


def count_view(count: Count, by: Sequence[str]) -> Json:
    """How many events have these values in common."""
    return dict(zip(by, count.values, strict=True)) | {"count": count.count}


def event_row(event: Recorded) -> tuple[object, ...]:
    """An event by COLUMNS."""
    return (
        event.position,
        to_iso(event.occurred_at),
        to_iso(event.recorded_at),
        event.actor.kind,
        event.actor.id,
        event.actor.name,
        event.type,
        event.stream,
        event.version,
        sentence(event.event),
        event.correlation_id,
        event.causation_id,
        event.id,
        event.data,
        event.hash,
    )


def deed_row(deed: Deed) -> tuple[object, ...]:
    """Something that was done, by DEED_COLUMNS."""
    sent = deed.command.event if deed.command is not None else None
    return (
        *event_row(deed.event),
        sent.token if sent else None,
        sent.address if sent else None,
        ", ".join(deed.behind.asked),
        ", ".join(deed.behind.agreed),
    )


def lines(views: Sequence[Json]) -> str:
    """A JSON document a line."""
    return "".join(msgspec.json.encode(view).decode() + "\n" for view in views)
