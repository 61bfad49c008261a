"""Incidents as JSON has them."""

import msgspec

from controlplane.history.stories import Report
from controlplane.views import Json, event_view, moment
from projections.incidents import Incident

_MOMENTS = (
    *("opened_at", "alerted_at", "acknowledged_at", "mitigated_at"),
    *("rollback_at", "recovered_at", "closed_at"),
)


def incident_view(incident: Incident) -> Json:
    """An incident as it stands."""
    data: Json = msgspec.to_builtins(incident)
    notes = [note | {"at": moment(note["at"])} for note in data["notes"]]
    return (
        data
        | {name: moment(data[name]) for name in _MOMENTS}
        | {"state": state_of(incident), "notes": notes}
    )


def state_of(incident: Incident) -> str:
    """`open`, `recovered` where only a person's word is missing, or `closed`."""
    if not incident.is_open:
        return "closed"
    return "open" if incident.recovered_at is None else "recovered"


def report_view(report: Report) -> Json:
    """An incident with all that belongs to it."""
    return incident_view(report.incident) | {
        "began_at": moment(report.began_at),
        "measures": [msgspec.to_builtins(measure) for measure in report.measures],
        "start": report.start,
        "end": report.end,
        "timeline": [event_view(event) for event in report.timeline],
    }
