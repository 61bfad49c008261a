"""Which place of the log a moment is."""

from datetime import datetime

from controlplane.errors import InvalidInput
from controlplane.plane.core import Core, moment
from events.timestamps import Timestamp
from projections.replay import position_at

When = datetime | str | int
"""A `datetime` or ISO 8601, with a zone; or a log position."""


def place(core: Core, at: When) -> tuple[int, Timestamp]:
    """The last position that was recorded by a moment, and that moment.

    Of a position it is the moment at which it was recorded; position 0 is before the first event.
    Raises InvalidInput for what is still to come.
    """
    if isinstance(at, int):
        head = core.log.head().position
        if isinstance(at, bool) or not 0 <= at <= head:
            raise InvalidInput(reason=f"the log has positions 1 to {head}, not {at}")
        return at, core.log.read(at - 1, 1)[0].recorded_at if at else 0
    when = moment(at)
    if when is None:
        raise InvalidInput(reason="say which moment: a datetime, ISO 8601, or a log position")
    if when > core.clock() and when > _last(core):
        raise InvalidInput(reason=f"{at} is still to come")
    return position_at(core.log, when), when


def _last(core: Core) -> Timestamp:
    """When the last event was recorded: a clock that was put back may be behind it."""
    head = core.log.head().position
    return core.log.read(head - 1, 1)[0].recorded_at if head else 0
