"""What can happen to the schedulers. These names are stored: change one only with an upcast."""

from typing import Annotated

import msgspec

from events.event import Event
from events.flags import Text

SCHEDULER_STREAM = "scheduler"
"""Nothing but LeaseTaken is in it: a token is the version of the event that gave it."""


class LeaseTaken(Event, frozen=True):
    """From here on this scheduler looks at alerts and rollouts, and no other one."""

    TYPE = "scheduler.lease_taken"
    holder: Text
    """Which one, as in `host:pid:random`."""
    token: Annotated[int, msgspec.Meta(ge=1)]
    """Rises by one each time; the event's version in its stream."""
    ttl_us: Annotated[int, msgspec.Meta(ge=1)]
    """How long it holds unless it is renewed."""
    evaluates_every_us: Annotated[int, msgspec.Meta(ge=1)]
    """How often it looks at rollouts."""
