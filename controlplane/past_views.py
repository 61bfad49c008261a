"""The past as JSON has it."""

import msgspec

from controlplane.history.past import Differences, Past
from controlplane.views import Json, moment
from projections.changes import Change


def differences_view(found: Differences) -> Json:
    """What changed between two moments."""
    return {
        "before": past_view(found.before),
        "after": past_view(found.after),
        "changes": [change_view(change) for change in found.changes],
    }


def past_view(past: Past) -> Json:
    """Which moment is spoken of."""
    return {"position": past.position, "moment": moment(past.moment), "known": past.known}


def change_view(change: Change) -> Json:
    """One fact as it was and as it is."""
    data: Json = msgspec.to_builtins(change)
    return data
