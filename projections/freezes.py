"""Which freezes stand. Whether one is in effect is a question with a moment in it: not here."""

from typing import assert_never, get_args

import msgspec
from msgspec.structs import replace

from events.event import RecordedEvent
from events.freezes import FREEZE_STREAM, FreezeDeclared, FreezeEvent, FreezeLifted, Window
from events.timestamps import Timestamp
from projections.projection import Projection


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """A freeze that nobody has lifted. Its end may have passed: a fold has no clock."""

    id: str
    name: str
    reason: str
    flags: tuple[str, ...]
    """Whose promotions it holds; empty: all."""
    starts_at: Timestamp
    ends_at: Timestamp | None
    """None: it stands until somebody lifts it."""
    window: Window | None
    """When it is in effect; None: all the time that it stands."""
    declared_by: str
    position: int = 0
    """The log position at which it was declared."""


class Freezes(msgspec.Struct, frozen=True):
    """All freezes that stand, in the order in which they were declared."""

    standing: tuple[Freeze, ...] = ()
    declared: int = 0
    """How many there ever were."""


def evolve(freezes: Freezes, recorded: RecordedEvent[FreezeEvent]) -> Freezes:
    """Return the freezes after one more event."""
    match recorded.event:
        case FreezeDeclared() as declared:
            freeze = Freeze(
                id=declared.freeze,
                name=declared.name,
                reason=declared.reason,
                flags=declared.flags,
                starts_at=declared.starts_at,
                ends_at=declared.ends_at,
                window=declared.window,
                declared_by=recorded.actor.name or recorded.actor.id,
                position=recorded.position,
            )
            return Freezes((*freezes.standing, freeze), freezes.declared + 1)
        case FreezeLifted(freeze=lifted):
            left = tuple(freeze for freeze in freezes.standing if freeze.id != lifted)
            return replace(freezes, standing=left)
        case _ as unreachable:
            assert_never(unreachable)


def key(_recorded: RecordedEvent[FreezeEvent]) -> str:
    """One row holds them all."""
    return FREEZE_STREAM


FREEZES = Projection(
    "freezes",
    1,
    Freezes,
    frozenset(get_args(FreezeEvent)),
    key,
    lambda _key: Freezes(),
    evolve,
    stream=str,
)
