"""What an incident is: the alerts of one trouble with one flag, and how it was dealt with."""

from collections.abc import Callable
from typing import assert_never, get_args

import msgspec
from msgspec.structs import replace

from events.alerts import AlertAcknowledged, AlertResolved, Severity
from events.event import Event, RecordedEvent
from events.flags import ExposureChanged, FlagDisabled
from events.incidents import (
    IncidentClosed,
    IncidentEvent,
    IncidentJoined,
    IncidentNoted,
    IncidentOpened,
)
from events.rollouts import RollbackStarted, RolloutRolledBack
from events.timestamps import Timestamp
from projections.projection import Projection

_Relevant = (
    IncidentEvent
    | AlertAcknowledged
    | AlertResolved
    | FlagDisabled
    | ExposureChanged
    | RollbackStarted
    | RolloutRolledBack
)


class Note(msgspec.Struct, frozen=True):
    """What somebody wrote down."""

    by: str
    note: str
    at: Timestamp


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as it stands."""

    id: str
    flag: str
    severity: Severity
    """The worst of its alerts."""
    reason: str
    rollout: str | None
    opened_at: Timestamp
    opened_by: str
    opened_position: int
    alert: str = ""
    """The alert that opened it; empty where a person did."""
    alerts: tuple[str, ...] = ()
    """In the order in which they were raised."""
    open_alerts: tuple[str, ...] = ()
    """Of these, those that nobody and nothing has resolved."""
    alerted_at: Timestamp
    """When an alert of it was last raised or resolved."""
    acknowledged_at: Timestamp | None = None
    """When somebody took one of its alerts, or opened it by hand."""
    acknowledged_by: str = ""
    mitigated_at: Timestamp | None = None
    """When, since it was opened, an exposure was first lowered or the flag went off."""
    rollback_at: Timestamp | None = None
    rollback_us: int | None = None
    """From the rollback's start to the last report of the new code; None before that is known."""
    recovered_at: Timestamp | None = None
    """When clients had left the new code, or the last of its alerts was resolved."""
    closed_at: Timestamp | None = None
    closed_by: str = ""
    closed_position: int = 0
    resolution: str = ""
    notes: tuple[Note, ...] = ()
    position: int = 0
    """The log position of the last event folded in."""

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self.closed_at is None


class Incidents(msgspec.Struct, frozen=True):
    """All incidents of one flag, the earliest first."""

    flag: str
    all: tuple[Incident, ...] = ()


def evolve(incidents: Incidents, recorded: RecordedEvent[_Relevant]) -> Incidents:
    """Return the incidents after one more event."""
    match recorded.event:
        case IncidentOpened() as opened:
            return replace(incidents, all=(*incidents.all, _opened(opened, recorded)))
        case IncidentJoined() | IncidentNoted() | IncidentClosed() as about:
            return _each(
                incidents,
                recorded,
                lambda one: one.id == about.incident,
                lambda one: _about(one, about, recorded),
            )
        case AlertAcknowledged(alert=alert):
            who, at = _who(recorded), recorded.occurred_at
            return _each(
                incidents,
                recorded,
                lambda one: alert in one.alerts and one.acknowledged_at is None,
                lambda one: replace(one, acknowledged_at=at, acknowledged_by=who),
            )
        case AlertResolved(alert=alert):
            return _each(
                incidents,
                recorded,
                lambda one: alert in one.open_alerts,
                lambda one: _resolved(one, alert, recorded.occurred_at),
            )
        case FlagDisabled() | ExposureChanged() | RollbackStarted() | RolloutRolledBack() as event:
            return _each(
                incidents,
                recorded,
                lambda one: one.is_open,
                lambda one: _undone(one, event, recorded.occurred_at),
            )
        case _ as unreachable:
            assert_never(unreachable)


def _each(
    incidents: Incidents,
    recorded: RecordedEvent[_Relevant],
    which: Callable[[Incident], bool],
    change: Callable[[Incident], Incident],
) -> Incidents:
    def after(one: Incident) -> Incident:
        changed = change(one) if which(one) else one
        return one if changed == one else replace(changed, position=recorded.position)

    return replace(incidents, all=tuple(after(one) for one in incidents.all))


def _who(recorded: RecordedEvent[_Relevant]) -> str:
    return recorded.actor.name or recorded.actor.id


def _opened(opened: IncidentOpened, recorded: RecordedEvent[_Relevant]) -> Incident:
    alerts = (opened.alert,) if opened.alert else ()
    by_hand = not opened.alert
    return Incident(
        id=opened.incident,
        flag=opened.flag,
        severity=opened.severity,
        reason=opened.reason,
        rollout=opened.rollout,
        opened_at=recorded.occurred_at,
        opened_by=_who(recorded),
        opened_position=recorded.position,
        alert=opened.alert,
        alerts=alerts,
        open_alerts=alerts,
        alerted_at=recorded.occurred_at,
        acknowledged_at=recorded.occurred_at if by_hand else None,
        acknowledged_by=_who(recorded) if by_hand else "",
        position=recorded.position,
    )


def _about(
    one: Incident,
    event: IncidentJoined | IncidentNoted | IncidentClosed,
    recorded: RecordedEvent[_Relevant],
) -> Incident:
    at = recorded.occurred_at
    match event:
        case IncidentJoined(alert=alert, severity=severity):
            return replace(
                one,
                severity=worse(one.severity, severity),
                alerts=(*one.alerts, alert),
                open_alerts=(*one.open_alerts, alert),
                alerted_at=at,
                recovered_at=None,
                closed_at=None,
                closed_by="",
                closed_position=0,
                resolution="",
            )
        case IncidentNoted(note=note):
            return replace(one, notes=(*one.notes, Note(_who(recorded), note, at)))
        case IncidentClosed(reason=reason):
            return replace(
                one,
                closed_at=at,
                closed_by=_who(recorded),
                closed_position=recorded.position,
                resolution=reason,
                recovered_at=one.recovered_at or at,
            )
        case _ as unreachable:
            assert_never(unreachable)


def worse(one: Severity, other: Severity) -> Severity:
    """The worse of two."""
    order = ("critical", "warning", "info")
    return min(one, other, key=order.index)


def _resolved(one: Incident, alert: str, at: Timestamp) -> Incident:
    left = tuple(other for other in one.open_alerts if other != alert)
    recovered_at = one.recovered_at if left else one.recovered_at or at
    return replace(one, open_alerts=left, alerted_at=at, recovered_at=recovered_at)


def _undone(
    one: Incident,
    event: FlagDisabled | ExposureChanged | RollbackStarted | RolloutRolledBack,
    at: Timestamp,
) -> Incident:
    mitigated_at = one.mitigated_at or at
    match event:
        case FlagDisabled():
            return replace(one, mitigated_at=mitigated_at)
        case ExposureChanged(before=before, after=after):
            return replace(one, mitigated_at=mitigated_at) if after < before else one
        case RollbackStarted():
            return replace(one, mitigated_at=mitigated_at, rollback_at=at)
        case RolloutRolledBack(took_us=took_us):
            recovered_at = one.recovered_at or at
            return replace(
                one, mitigated_at=mitigated_at, rollback_us=took_us, recovered_at=recovered_at
            )
        case _ as unreachable:
            assert_never(unreachable)


def key(recorded: RecordedEvent[_Relevant]) -> str:
    """The flag."""
    event = recorded.event
    if isinstance(event, AlertAcknowledged):
        return event.alert.partition("/")[0]
    return event.flag


_EVENTS: frozenset[type[Event]] = frozenset(get_args(_Relevant))
INCIDENTS = Projection("incidents", 1, Incidents, _EVENTS, key, Incidents, evolve)
