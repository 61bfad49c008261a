"""A recorded event as a CloudEvent 1.0, field by field."""

from typing import Any

import msgspec

from events.event import Event, RecordedEvent
from events.timestamps import to_iso


def to_cloudevent(event: RecordedEvent[Event]) -> dict[str, Any]:
    """The structured-mode JSON form: https://github.com/cloudevents/spec (v1.0.2).

    Extension names are lower-case alphanumerics, as the specification demands.
    """
    extensions = {
        "sequence": str(event.position).zfill(20),
        "streamversion": event.version,
        "schemaversion": event.schema_version,
        "recordedtime": to_iso(event.recorded_at),
        "actorkind": event.actor.kind,
        "actorid": event.actor.id,
        "actorname": event.actor.name or None,
        "correlationid": event.correlation_id,
        "causationid": event.causation_id,
        "hash": event.hash,
    }
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/environments/{event.environment}",
        "type": event.type,
        "subject": event.stream,
        "time": to_iso(event.occurred_at),
        "datacontenttype": "application/json",
        "data": msgspec.json.decode(event.data),
        **{name: value for name, value in extensions.items() if value is not None},
    }
