"""What an alert is: one rule watching one flag, and the last time it spoke."""

from typing import assert_never, get_args

import msgspec
from msgspec.structs import replace

from events.alerts import AlertAcknowledged, AlertEvent, AlertRaised, AlertResolved, Severity
from events.event import RecordedEvent
from events.timestamps import Timestamp
from projections.projection import Projection


class Alert(msgspec.Struct, frozen=True):
    """The latest alert of one rule on one flag. Earlier ones are in the log."""

    stream: str
    id: str = ""
    rule: str = ""
    flag: str = ""
    severity: Severity = "info"
    open: bool = False
    count: int = 0
    """How often the rule has spoken on this flag."""
    value: float = 0.0
    threshold: float = 0.0
    unit: str = ""
    sample: int = 0
    summary: str = ""
    raised_at: Timestamp = 0
    acknowledged_at: Timestamp | None = None
    acknowledged_by: str | None = None
    resolved_at: Timestamp | None = None
    resolution: str = ""
    position: int = 0
    """The log position of its last event."""


def evolve(alert: Alert, recorded: RecordedEvent[AlertEvent]) -> Alert:
    """Return the alert after one more event of its stream."""
    match recorded.event:
        case AlertRaised() as raised:
            return Alert(
                stream=alert.stream,
                id=raised.alert,
                rule=raised.rule,
                flag=raised.flag,
                severity=raised.severity,
                open=True,
                count=alert.count + 1,
                value=raised.value,
                threshold=raised.threshold,
                unit=raised.unit,
                sample=raised.sample,
                summary=raised.summary,
                raised_at=recorded.occurred_at,
                position=recorded.position,
            )
        case AlertAcknowledged():
            return replace(
                alert,
                acknowledged_at=recorded.occurred_at,
                acknowledged_by=recorded.actor.name or recorded.actor.id,
                position=recorded.position,
            )
        case AlertResolved(reason=reason):
            return replace(
                alert,
                open=False,
                resolved_at=recorded.occurred_at,
                resolution=reason,
                position=recorded.position,
            )
        case _ as unreachable:
            assert_never(unreachable)


def key(recorded: RecordedEvent[AlertEvent]) -> str:
    """The alert's stream: a rule and a flag."""
    return recorded.stream


ALERTS = Projection(
    "alerts", 1, Alert, frozenset(get_args(AlertEvent)), key, Alert, evolve, stream=str
)
