"""What can happen to an incident. These names are stored: change one only with an upcast."""

from events.alerts import Severity
from events.event import Event
from events.flags import Text

INCIDENT_STREAM = "incidents"
"""One stream holds all incidents of an environment: they are numbered in a row."""


class IncidentOpened(Event, frozen=True):
    """Something is wrong with a flag: a critical alert says so, or a person."""

    TYPE = "incident.opened"
    incident: str
    """INC-1, INC-2 …"""
    flag: str
    severity: Severity
    reason: Text
    alert: str = ""
    """The alert that opened it; empty where a person did."""
    rollout: str | None = None
    """The rollout in charge at that moment."""


class IncidentJoined(Event, frozen=True):
    """Another alert is of the same incident; one that was closed is open again."""

    TYPE = "incident.joined"
    incident: str
    flag: str
    alert: str
    severity: Severity


class IncidentNoted(Event, frozen=True):
    """Somebody wrote something down about it."""

    TYPE = "incident.noted"
    incident: str
    flag: str
    note: Text


class IncidentClosed(Event, frozen=True):
    """It is over, by a person's word."""

    TYPE = "incident.closed"
    incident: str
    flag: str
    reason: Text


IncidentEvent = IncidentOpened | IncidentJoined | IncidentNoted | IncidentClosed
