"""What can happen to a freeze. These names are stored: change one only with an upcast."""

from typing import Annotated

import msgspec

from events.event import Event
from events.flags import Text
from events.timestamps import Timestamp

FREEZE_STREAM = "freezes"
"""One stream holds all freezes of an environment: they are few, and asked for together."""


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Local times, so that 16:00 stays 16:00 when the clocks change."""

    rrule: str | None
    """After RFC 5545; None for a window that comes once."""
    starts: str
    """ISO 8601 without an offset."""
    duration_us: int
    timezone: str


class FreezeDeclared(Event, frozen=True):
    """From here on nothing is promoted: until it is lifted or ends, or only in its windows."""

    TYPE = "freeze.declared"
    freeze: str
    name: Annotated[str, msgspec.Meta(max_length=100)]
    """May be empty."""
    reason: Text
    flags: tuple[str, ...]
    """Whose promotions it holds; empty: all."""
    starts_at: Timestamp
    ends_at: Timestamp | None
    """None: it stands until somebody lifts it."""
    window: Window | None
    """When it is in effect; None: all the time that it stands."""


class FreezeLifted(Event, frozen=True):
    """The freeze is no more, by a person's word."""

    TYPE = "freeze.lifted"
    freeze: str
    reason: Text


FreezeEvent = FreezeDeclared | FreezeLifted
