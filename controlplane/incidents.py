"""What may be done to an incident, which alerts make one, and how fast it was dealt with."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, assert_never

from controlplane.incident_errors import (
    IncidentIsClosed,
    IncidentIsOpen,
    IncidentNotFound,
    IncidentNotOver,
)
from controlplane.people import refuse_machines, require_reason
from events.alerts import AlertRaised, Severity
from events.event import Actor, Event
from events.executions import BatchExecuted
from events.incidents import (
    IncidentClosed,
    IncidentEvent,
    IncidentJoined,
    IncidentNoted,
    IncidentOpened,
)
from events.timestamps import HOUR, MINUTE, SECOND, Timestamp
from projections.alerts import Alert
from projections.incidents import Incident, Incidents
from projections.metrics import Tally

JOINS_WITHIN_US = 15 * MINUTE
"""An alert so soon after the last one is of the same trouble."""
_LOOKED_BACK_US = HOUR
_LONGEST = 2000


@dataclass(frozen=True, kw_only=True)
class OpenIncident:
    """Say that something is wrong."""

    reason: str
    severity: Severity
    rollout: str | None


@dataclass(frozen=True, kw_only=True)
class NoteIncident:
    """Write something down."""

    incident: str
    note: str


@dataclass(frozen=True, kw_only=True)
class CloseIncident:
    """Say that it is over, and why."""

    incident: str
    reason: str
    closed_by: Actor


IncidentCommand = OpenIncident | NoteIncident | CloseIncident


def incident_id(number: int) -> str:
    """INC-1 is the first one of the environment."""
    return f"INC-{number}"


def decide(incidents: Incidents, command: IncidentCommand, number: int) -> list[IncidentEvent]:
    """The events a command leads to; `number`: that of the next incident. Raises a refusal."""
    match command:
        case OpenIncident(reason=reason, severity=severity, rollout=rollout):
            require_reason("opening an incident", reason)
            if (standing := _latest(incidents)) is not None and standing.is_open:
                raise IncidentIsOpen(incident=standing.id, flag=incidents.flag)
            opened = IncidentOpened(
                incident=incident_id(number),
                flag=incidents.flag,
                severity=severity,
                reason=reason,
                rollout=rollout,
            )
            return [opened]
        case NoteIncident(incident=id_, note=note):
            found = find(incidents, id_)
            require_reason("a note", note)
            return [IncidentNoted(incident=found.id, flag=found.flag, note=note)]
        case CloseIncident(incident=id_, reason=reason, closed_by=who):
            found = find(incidents, id_)
            refuse_machines(who)
            require_reason("closing an incident", reason)
            if not found.is_open:
                raise IncidentIsClosed(incident=id_, reason=found.resolution)
            if found.open_alerts:
                raise IncidentNotOver(incident=id_, alert=found.open_alerts[0])
            return [IncidentClosed(incident=id_, flag=found.flag, reason=reason)]
        case _ as unreachable:
            assert_never(unreachable)


def find(incidents: Incidents, id_: str) -> Incident:
    """One of a flag's. Raises IncidentNotFound."""
    for incident in incidents.all:
        if incident.id == id_:
            return incident
    raise IncidentNotFound(incident=id_)


def _latest(incidents: Incidents) -> Incident | None:
    return incidents.all[-1] if incidents.all else None


def follow(
    incidents: Incidents,
    raised: AlertRaised,
    number: int,
    rollout: str | None,
    others: Iterable[Alert],
    now: Timestamp,
) -> list[IncidentEvent]:
    """What an alert means for the flag's incidents: it joins the latest one, or opens the next.

    `others`: the flag's other alerts; those that are open since shortly before join, too. Only a
    critical one opens an incident. It is written down as events, not left to a fold: people cite
    INC-7, and what INC-7 is must not change with the rule that made it.
    """
    latest = _latest(incidents)
    if latest is not None and joins(latest, now):
        joined = IncidentJoined(
            incident=latest.id, flag=raised.flag, alert=raised.alert, severity=raised.severity
        )
        return [joined]
    if raised.severity != "critical":
        return []
    opened = IncidentOpened(
        incident=incident_id(number),
        flag=raised.flag,
        severity=raised.severity,
        reason=raised.summary[:_LONGEST],
        alert=raised.alert,
        rollout=rollout,
    )
    return [opened, *(_joined(opened, one) for one in others if _shortly_before(one, now))]


def _joined(opened: IncidentOpened, alert: Alert) -> IncidentJoined:
    return IncidentJoined(
        incident=opened.incident, flag=opened.flag, alert=alert.id, severity=alert.severity
    )


def _shortly_before(alert: Alert, now: Timestamp) -> bool:
    return alert.open and now - alert.raised_at < JOINS_WITHIN_US


def joins(incident: Incident, now: Timestamp) -> bool:
    """Whether an alert that is raised now on the same flag is of this incident."""
    if incident.is_open and (incident.open_alerts or not incident.alert):
        return True  # It goes on; or a person opened it, and has not said that it is over.
    return now - max(incident.alerted_at, incident.closed_at or 0) < JOINS_WITHIN_US


# How fast


Name = Literal["detect", "acknowledge", "mitigate", "recover", "rollback"]
_PROMPT = 5 * MINUTE
_TARGETS: dict[Name, dict[Severity, int]] = {
    "detect": dict.fromkeys(("critical", "warning", "info"), _PROMPT),
    "acknowledge": {"critical": _PROMPT, "warning": 30 * MINUTE},
    "mitigate": {"critical": _PROMPT, "warning": 30 * MINUTE},
    "recover": {"critical": 15 * MINUTE, "warning": 4 * HOUR},
    "rollback": dict.fromkeys(("critical", "warning", "info"), 30 * SECOND),
}
"""How soon, by severity; where there is none: the next working day."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How long one step took, and how long it may take."""

    name: Name
    took_us: int | None
    """None: it has not happened, or cannot be told."""
    target_us: int | None
    met: bool | None
    """None: it is not late yet, cannot be told, or has no target."""


def measures(incident: Incident, began_at: Timestamp | None, now: Timestamp) -> list[Measure]:
    """Each step against its target, those that have not happened by what has passed already."""
    opened_at = incident.opened_at
    found = [
        _measure(incident, "detect", None if began_at is None else opened_at - began_at),
        _since(incident, "acknowledge", incident.acknowledged_at, now),
        _since(incident, "mitigate", incident.mitigated_at, now),
        _since(incident, "recover", incident.recovered_at, now),
    ]
    if incident.rollback_at is not None:
        passed = None if incident.recovered_at else now - incident.rollback_at
        found.append(_measure(incident, "rollback", incident.rollback_us, passed))
    return found


def _since(incident: Incident, name: Name, at: Timestamp | None, now: Timestamp) -> Measure:
    passed = now - incident.opened_at
    return _measure(incident, name, None if at is None else at - incident.opened_at, passed)


def _measure(
    incident: Incident, name: Name, took_us: int | None, passed_us: int | None = None
) -> Measure:
    target = _TARGETS[name].get(incident.severity)
    if target is None:
        return Measure(name, took_us, None, None)
    if took_us is not None:
        return Measure(name, took_us, target, took_us <= target)
    return Measure(name, None, target, False if (passed_us or 0) > target else None)


def began(
    raised: AlertRaised, raised_at: Timestamp, minutes: Iterable[tuple[Timestamp, Tally]]
) -> Timestamp | None:
    """Since when the condition had been met, by the alert's own measure, minute by minute.

    The first of the minutes, without a better one in between, that lead up to the alert. None where
    minutes do not tell: memory, silence, what people did.
    """
    since = None
    lookback = (m for m in minutes if raised_at - _LOOKED_BACK_US <= m[0] <= raised_at)
    for minute, tally in sorted(lookback, key=lambda m: m[0], reverse=True):
        if _worse(raised, tally):
            since = minute
        elif minute + MINUTE <= raised_at:  # The minute that had just begun says little.
            break
    return since


def _worse(raised: AlertRaised, tally: Tally) -> bool:
    match raised.unit:
        case "ratio":
            return (tally.error_rate or 0.0) > raised.threshold
        case "violations":
            return sum(tally.violations.values()) > 0
        case "ms":
            return tally.rungs.over(round(raised.threshold * 1000)) > 0
        case _:
            return False


def is_bad(raised: AlertRaised, event: Event) -> bool:
    """Whether an execution of the new code is one of those that an alert's measure is about."""
    if not isinstance(event, BatchExecuted) or event.cohort != "on":
        return False
    match raised.unit:
        case "ratio":
            return event.outcome == "failed"
        case "violations":
            return sum(event.violations.values()) > 0
        case "ms":
            return event.duration_us > raised.threshold * 1000
        case _:
            return False
