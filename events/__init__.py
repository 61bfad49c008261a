"""RECORD: what happened, in an append-only log.

Only pure names are re-exported here, so that importing an event never imports a database.
"""

from events.event import Actor, Event, NewEvent, Receipt, RecordedEvent
from events.executions import BatchExecuted
from events.flags import EVERYONE, Audience, Condition, Variant

__all__ = [
    "EVERYONE",
    "Actor",
    "Audience",
    "BatchExecuted",
    "Condition",
    "Event",
    "NewEvent",
    "Receipt",
    "RecordedEvent",
    "Variant",
]
