"""The story of an incident: what belongs to it, and how fast each step was."""

from dataclasses import dataclass

from controlplane import incidents
from controlplane.history.replaying import Replay
from controlplane.incidents import Measure
from controlplane.measurements import Measurements
from controlplane.reading import Reading
from events.alerts import AlertRaised, alert_stream
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted, execution_stream
from events.flags import FlagEnabled, flag_stream
from events.log import Query, Replayable
from events.timestamps import HOUR, MINUTE, Timestamp
from projections.incidents import Incident
from projections.replay import History, position_at
from projections.timelines import about, elsewhere, stretch, told

_ALL = 2**63 - 1
LEAD_US = 15 * MINUTE
"""What changed so shortly before is part of the story: a change is the usual cause."""


@dataclass(frozen=True, slots=True)
class Report:
    """An incident with all that belongs to it."""

    incident: Incident
    began_at: Timestamp | None
    """Since when the condition of its first alert had been met, as far as executions tell."""
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
    """Since when the condition of the alert that opened it had been met.

    Never before the flag was last switched on.
    """
    if not incident.alert:
        return None  # A person was faster.
    for recorded in log.read_stream(alert_stream(incident.flag, incident.alert.split("/")[1])):
        if isinstance(recorded.event, AlertRaised) and recorded.event.alert == incident.alert:
            at, on_at = recorded.occurred_at, _switched_on(log, incident.flag, recorded.position)
            since = max(at - HOUR, on_at // MINUTE * MINUTE)
            minutes = Measurements(reading).minutes(incident.flag, "on", since, at + 1)
            minute = incidents.began(recorded.event, at, minutes)
            return None if minute is None else _first(log, recorded.event, max(minute, on_at), at)
    return None


def _switched_on(log: Replayable, flag: str, before: int) -> Timestamp:
    """When a flag last went on before a log position; 0 where it never did."""
    went_on = Query(
        stream=flag_stream(flag),
        type=FlagEnabled.TYPE,
        before=before,
        newest_first=True,
        limit=1,
    )
    return next((one.occurred_at for one in log.search(went_on)), 0)


def _first(log: Replayable, raised: AlertRaised, since: Timestamp, at: Timestamp) -> Timestamp:
    """When the first execution happened that was as bad as that, of the minute from then on."""
    until = min(since // MINUTE * MINUTE + MINUTE, at + 1)
    ran = Query(
        stream=execution_stream(raised.flag),
        type=BatchExecuted.TYPE,
        since=since,
        until=until,
        limit=_ALL,
    )
    bad = [one.occurred_at for one in log.search(ran) if incidents.is_bad(raised, one.event)]
    return min(bad, default=since)


def extent(log: Replayable, incident: Incident, began_at: Timestamp | None) -> tuple[int, int]:
    """The positions between which its story lies; up to now where it goes on."""
    first = min(began_at or incident.opened_at, incident.opened_at)
    start = min(position_at(log, first - LEAD_US), incident.opened_position - 1)
    return start, incident.closed_position or log.head().position
