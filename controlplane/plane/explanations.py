"""Where a rollout stands, or stood at any moment, and why."""

from datetime import datetime

from controlplane.errors import InvalidInput
from controlplane.plane.core import Core
from controlplane.plane.moments import place
from controlplane.plane.worlds import world_now
from controlplane.reading import Explanation, Status, sentence, status_of, world_of
from events.rollouts import rollout_stream
from events.timestamps import to_iso
from projections.rollouts import Rollout

__all__ = ["Explanation", "Status", "explain", "sentence", "status"]


def status(core: Core, id_: str) -> Status:
    """Judge it as of now. Raises RolloutNotFound."""
    return status_of(world_now(core, id_))


def explain(core: Core, rollout: Rollout, at: datetime | str | int | None) -> Explanation:
    """Judge it as of a moment or a log position, by what the log then held.

    Raises InvalidInput for a moment to come, RolloutNotFound for one before it was drafted.
    """
    if at is None:
        found, position = status(core, rollout.id), core.log.head().position
    else:
        position, when = place(core, at)
        if not position:
            raise InvalidInput(reason=f"nothing had been recorded by {to_iso(when)}")
        found = status_of(world_of(core.history.at(position), rollout.id, when))
    stream = core.log.read_stream(rollout_stream(rollout.id))
    history = tuple(event for event in stream if event.position <= position)
    return Explanation(found, position, sentence(found), history)
