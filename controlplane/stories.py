"""The story of an incident: what belongs to it, and how fast each step was."""

from dataclasses import dataclass

from controlplane import incidents
from controlplane.incidents import Measure
from controlplane.measurements import Measurements
from controlplane.reading import Reading
from controlplane.replaying import Replay
from events.alerts import AlertRaised, alert_stream
from events.event import Event, RecordedEvent
from events.log import Replayable
from events.timestamps import HOUR, MINUTE, Timestamp
from projections.incidents import Incident
from projections.replay import History, position_at
from projections.timelines import about, elsewhere, stretch, told

LEAD_US = 15 * MINUTE
"""What changed so shortly before is part of the story: a change is the usual cause."""


@dataclass(frozen=True, slots=True)
class Report:
    """An incident with all that belongs to it."""

    incident: Incident
    began_at: Timestamp | None
    """Since when the condition of its first alert had been met, as far as minutes tell."""
    measures: list[Measure]
    start: int
    """The log position after which its story begins."""
    end: int
    timeline: list[RecordedEvent[Event]]
    """What happened to its flag meanwhile, executions left out."""


def report(reading: Reading, log: Replayable, incident: Incident, now: Timestamp) -> Report:
    """All that belongs to it."""
    began_at = began(reading, log, incident)
    start, end = extent(log, incident, began_at)
    belonging = about(incident.flag, stretch(log, start, end), elsewhere(incident.flag, log))
    return Report(
        incident=incident,
        began_at=began_at,
        measures=incidents.measures(incident, began_at, now),
        start=start,
        end=end,
        timeline=list(told(belonging)),
    )


def story_of(reading: Reading, history: History, incident: Incident) -> Replay:
    """The stretch of the log that its story is, to be gone through event by event."""
    start, end = extent(history.log, incident, began(reading, history.log, incident))
    return Replay(incident.id, history, incident.flag, start, end, incident.opened_at)


def began(reading: Reading, log: Replayable, incident: Incident) -> Timestamp | None:
    """Since when the condition of the alert that opened it had been met."""
    if not incident.alert:
        return None  # A person was faster.
    for recorded in log.read_stream(alert_stream(incident.flag, incident.alert.split("/")[1])):
        if isinstance(recorded.event, AlertRaised) and recorded.event.alert == incident.alert:
            at = recorded.occurred_at
            minutes = Measurements(reading).minutes(incident.flag, "on", at - HOUR, at + 1)
            return incidents.began(recorded.event, at, minutes)
    return None


def extent(log: Replayable, incident: Incident, began_at: Timestamp | None) -> tuple[int, int]:
    """The positions between which its story lies; up to now where it goes on."""
    first = min(began_at or incident.opened_at, incident.opened_at)
    start = min(position_at(log, first - LEAD_US), incident.opened_position - 1)
    return start, incident.closed_position or log.head().position
