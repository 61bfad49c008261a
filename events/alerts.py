"""What can happen to an alert. These names are stored: change one only with an upcast."""

from typing import Literal

from events.event import Event
from events.flags import Text
from events.timestamps import Timestamp

Severity = Literal["critical", "warning", "info"]


class AlertRaised(Event, frozen=True):
    """A rule found its condition met, on enough evidence."""

    TYPE = "alert.raised"
    alert: str
    rule: str
    flag: str
    severity: Severity
    value: float
    threshold: float
    unit: str
    """Of value and threshold: `ratio`, `ms`, `violations`, `bytes`, `seconds`."""
    sample: int
    """How many executions the value rests on."""
    summary: str
    judged_at: Timestamp = 0
    """When the rule looked; 0 where none did."""
    as_of: int = 0
    """The log position up to which it knew everything: so it can be judged again. 0: not told."""


class AlertAcknowledged(Event, frozen=True):
    """Somebody took it."""

    TYPE = "alert.acknowledged"
    alert: str
    note: Text


class AlertResolved(Event, frozen=True):
    """The condition is over, by the rule's own finding or by a person's word."""

    TYPE = "alert.resolved"
    alert: str
    rule: str
    flag: str
    severity: Severity
    reason: Text
    value: float | None = None
    """What the rule found; None where a person resolved it."""
    threshold: float | None = None
    sample: int | None = None
    judged_at: Timestamp = 0
    """When the rule looked; 0 where a person resolved it."""
    as_of: int = 0


AlertEvent = AlertRaised | AlertAcknowledged | AlertResolved


def alert_stream(flag: str, rule: str) -> str:
    """The stream of one rule watching one flag."""
    return f"alert-{flag}-{rule}"
