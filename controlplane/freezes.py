"""What may be done to freezes, and which one holds promotions at a moment.

A freeze holds promotions only. Whatever lowers an exposure never asks here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from controlplane.calendars import FreezeWindow
from controlplane.errors import FreezeNotFound, InvalidInput
from events.freezes import FreezeDeclared, FreezeEvent, FreezeLifted, Window
from events.timestamps import MINUTE, NEWEST, Timestamp, to_iso
from projections.freezes import Freeze, Freezes

UNTIL_LIFTED = NEWEST
"""The end of what has none."""
_QUOTED = 500
"""Characters of a reason that go into a sentence, which is itself kept as a reason."""


@dataclass(frozen=True, kw_only=True)
class DeclareFreeze:
    """Promote nothing: from now until it ends or is lifted, or in the windows of a calendar."""

    reason: str
    name: str = ""
    flags: tuple[str, ...] = ()
    """Empty: all."""
    ends_at: Timestamp | None = None
    """None: until lifted."""
    window: FreezeWindow | None = None


@dataclass(frozen=True, kw_only=True)
class LiftFreeze:
    """End a freeze, for good. To change one, lift it and declare another."""

    freeze: str
    reason: str


FreezeCommand = DeclareFreeze | LiftFreeze


def decide(freezes: Freezes, command: FreezeCommand, now: Timestamp) -> list[FreezeEvent]:
    """The events a command leads to. Raises InvalidInput, FreezeNotFound."""
    if not command.reason.strip():
        raise InvalidInput(reason="say why: a freeze is declared and lifted with a reason")
    match command:
        case DeclareFreeze():
            return [_declared(freezes, command, now)]
        case LiftFreeze(freeze=id_, reason=reason):
            if not any(freeze.id == id_ for freeze in freezes.standing):
                raise FreezeNotFound(freeze=id_)
            return [FreezeLifted(freeze=id_, reason=reason)]
        case _ as unreachable:
            assert_never(unreachable)


def _declared(freezes: Freezes, command: DeclareFreeze, now: Timestamp) -> FreezeDeclared:
    ends_at, window = command.ends_at, command.window
    if ends_at is not None and window is not None:
        raise InvalidInput(reason="a freeze ends at a moment or follows a window, not both")
    if ends_at is not None and ends_at <= now:
        raise InvalidInput(reason=f"{_told(ends_at)} is past: a freeze ends after it begins")
    if window is not None and window.until(now) is None and window.next_start(now) is None:
        raise InvalidInput(reason=f"window {window.name} is past: it does not come again")
    return FreezeDeclared(
        freeze=f"freeze-{freezes.declared + 1}",
        name=command.name or (window.name if window else ""),
        reason=command.reason,
        flags=tuple(sorted(set(command.flags))),
        starts_at=now,
        ends_at=ends_at,
        window=_kept(window) if window else None,
    )


def _kept(window: FreezeWindow) -> Window:
    return Window(
        rrule=window.rrule,
        starts=window.starts.isoformat(),
        duration_us=window.duration,
        timezone=window.timezone,
    )


def window_of(freeze: Freeze) -> FreezeWindow | None:
    """The calendar that a freeze follows, if it follows one. It was checked when declared."""
    if freeze.window is None:
        return None
    return FreezeWindow.model_construct(
        name=freeze.name,
        rrule=freeze.window.rrule,
        starts=datetime.fromisoformat(freeze.window.starts),
        duration=freeze.window.duration_us,
        timezone=freeze.window.timezone,
    )


def until(freeze: Freeze, now: Timestamp) -> Timestamp | None:
    """When a freeze that is in effect ends; None where it is not, UNTIL_LIFTED for no end.

    When it was declared does not matter: it was, and the clocks of two machines differ.
    """
    window = window_of(freeze)
    if window is not None:
        return window.until(now)
    if freeze.ends_at is None:
        return UNTIL_LIFTED
    return freeze.ends_at if freeze.ends_at > now else None


def next_start(freeze: Freeze, now: Timestamp) -> Timestamp | None:
    """When a freeze comes into effect next; None for one that does not come again."""
    window = window_of(freeze)
    return window.next_start(now) if window else None


def in_effect(freezes: Freezes, flag: str | None, now: Timestamp) -> Freeze | None:
    """The freeze that holds a flag's promotions and ends last; flag None: any flag's."""
    found = _in_effect(freezes, flag, now)
    return max(found, key=lambda one: one[0])[1] if found else None


def _in_effect(
    freezes: Freezes, flag: str | None, now: Timestamp
) -> list[tuple[Timestamp, Freeze]]:
    holding = (f for f in freezes.standing if flag is None or not f.flags or flag in f.flags)
    return [(end, freeze) for freeze in holding if (end := until(freeze, now)) is not None]


def frozen_by(
    freezes: Freezes, windows: Sequence[FreezeWindow], flag: str, now: Timestamp
) -> str | None:
    """What holds a flag's promotions, in a sentence; None where nothing does.

    `windows`: those of the plan. Of several, the one that ends last speaks.
    """
    found = [
        (end, f"{freeze.name or freeze.id} ({freeze.reason[:_QUOTED]})")
        for end, freeze in _in_effect(freezes, flag, now)
    ]
    for window in windows:
        end = window.until(now)
        if end is not None:
            found.append((end, f"{window.name} (in the plan)"))
    if not found:
        return None
    end, what = max(found, key=lambda one: one[0])
    return f"frozen until {_told(end)} by {what}"


def _told(end: Timestamp) -> str:
    """`2026-11-30T07:00Z`, or `lifted`."""
    if end == UNTIL_LIFTED:
        return "lifted"
    return to_iso(end)[: 19 if end % MINUTE else 16] + "Z"
