"""`plane.as_of` and `plane.diff`: any moment, read-only."""

from msgspec.structs import replace

from controlplane.errors import InvalidInput
from controlplane.history.past import Differences, Known, Past
from controlplane.plane.core import Core
from controlplane.plane.moments import When, place
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted
from events.log import Query
from events.timestamps import Timestamp
from projections.changes import between

_FARTHEST = 2**63 - 1


def as_of(core: Core, at: When, known: Known = "then") -> Past:
    """Everything as it stood. Raises InvalidInput for what is still to come."""
    if known not in ("then", "now"):
        raise InvalidInput(reason=f"known is 'then' or 'now', not {known!r}")
    position, moment = place(core, at)
    late = _late(core, position, moment) if known == "now" else []
    history = core.history
    return Past(history.log, history.at(position, late), moment, known)


def diff(core: Core, before: When, after: When, known: Known = "then") -> Differences:
    """What changed from one moment to another, in either direction of time."""
    one, other = as_of(core, before, known), as_of(core, after, known)
    return Differences(one, other, tuple(between(one.world, other.world)))


def _late(core: Core, position: int, moment: Timestamp) -> list[RecordedEvent[Event]]:
    """Executions that had happened and were recorded later, as if they had been told at once.

    What people and rules decide happens when it is recorded: nothing of it comes late.
    """
    query = Query(type=BatchExecuted.TYPE, after=position, until=moment + 1, limit=_FARTHEST)
    found = core.history.log.search(query)
    found.sort(key=lambda event: (event.occurred_at, event.position))
    return [replace(event, recorded_at=event.occurred_at) for event in found]
