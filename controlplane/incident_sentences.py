"""What happened to an incident, in a sentence."""

from typing import assert_never

from events.incidents import (
    IncidentClosed,
    IncidentEvent,
    IncidentJoined,
    IncidentNoted,
    IncidentOpened,
)


def incident_sentence(event: IncidentEvent) -> str:
    """What happened, without the envelope."""
    match event:
        case IncidentOpened(incident=id_, flag=flag, alert=alert, reason=reason):
            by = f" by {alert}" if alert else ""
            return f"{id_} opened on {flag}{by}: {reason}"
        case IncidentJoined(incident=id_, alert=alert):
            return f"{alert} is of {id_}, too"
        case IncidentNoted(incident=id_, note=note):
            return f"{id_}: {note}"
        case IncidentClosed(incident=id_, reason=reason):
            return f"{id_} closed: {reason}"
        case _ as unreachable:
            assert_never(unreachable)
