"""What stands in the way of a rollout or was put out of it: holds, overrides, sign-offs."""

from typing import assert_never

import msgspec
from msgspec.structs import replace

from events.interventions import (
    BakeExtended,
    HoldKind,
    HoldReleased,
    InterventionEvent,
    ItemSignedOff,
    OverrideApproved,
    OverrideRequested,
    OverrideWithdrawn,
    RolloutHeld,
    SignOffWithdrawn,
    WaveEscalated,
)
from events.timestamps import Timestamp

BY_PEOPLE: frozenset[HoldKind] = frozenset({"paused", "rejected", "withdrawn"})
"""Holds that a person made and a person releases."""


class Hold(msgspec.Struct, frozen=True):
    """Why nothing is promoted."""

    kind: HoldKind
    reason: str
    since: Timestamp
    by: str


class Override(msgspec.Struct, frozen=True):
    """A criterion that need not pass in one wave, once approved and until it expires."""

    id: str
    wave: int
    criterion: str
    requested_by: str
    reason: str
    expires_at: Timestamp
    approved_by: str = ""


class SignOff(msgspec.Struct, frozen=True):
    """A person vouches for an item."""

    item: str
    wave: int
    role: str
    by: str
    note: str
    at: Timestamp


class Interventions(msgspec.Struct, frozen=True):
    """All of these, of one rollout."""

    holds: tuple[Hold, ...] = ()
    extended_us: int = 0
    """By how much the present wave is to last longer."""
    escalated: str = ""
    """Why people were called to the present wave; empty where they were not."""
    overrides: tuple[Override, ...] = ()
    """Of the present wave."""
    overridden: int = 0
    """How many overrides there have been."""
    sign_offs: tuple[SignOff, ...] = ()

    def held(self, kind: HoldKind) -> Hold | None:
        """The hold of a kind, if there is one."""
        return next((hold for hold in self.holds if hold.kind == kind), None)


def evolve(
    was: Interventions, event: InterventionEvent, at: Timestamp, actor: str
) -> Interventions:
    """Return what stands after one more event, by whom."""
    match event:
        case RolloutHeld(kind=kind, reason=reason):
            others = tuple(hold for hold in was.holds if hold.kind != kind)
            return replace(was, holds=(*others, Hold(kind, reason, at, actor)))
        case HoldReleased(kind=kind):
            return replace(was, holds=tuple(hold for hold in was.holds if hold.kind != kind))
        case WaveEscalated(reason=reason):
            return replace(was, escalated=reason)
        case BakeExtended(by_us=by_us):
            return replace(was, extended_us=was.extended_us + by_us, escalated="")
        case OverrideRequested() | OverrideApproved() | OverrideWithdrawn() as about:
            return _override(was, about)
        case ItemSignedOff(item=item, wave=wave, role=role, signed_by=who, note=note):
            signed = SignOff(item, wave, role, who, note, at)
            return replace(was, sign_offs=(*was.sign_offs, signed))
        case SignOffWithdrawn(item=item, signed_by=who):
            kept = tuple(one for one in was.sign_offs if (one.item, one.by) != (item, who))
            return replace(was, sign_offs=kept)
        case _ as unreachable:
            assert_never(unreachable)


def _override(
    was: Interventions, event: OverrideRequested | OverrideApproved | OverrideWithdrawn
) -> Interventions:
    match event:
        case OverrideRequested():
            made = Override(
                id=event.override,
                wave=event.wave,
                criterion=event.criterion,
                requested_by=event.requested_by,
                reason=event.reason,
                expires_at=event.expires_at,
            )
            return replace(was, overrides=(*was.overrides, made), overridden=was.overridden + 1)
        case OverrideApproved(override=id_, approver=who):
            overrides = tuple(
                replace(one, approved_by=who) if one.id == id_ else one for one in was.overrides
            )
            return replace(was, overrides=overrides)
        case OverrideWithdrawn(override=id_):
            return replace(was, overrides=tuple(o for o in was.overrides if o.id != id_))


def entered(was: Interventions) -> Interventions:
    """A new wave begins: what was put in the way of the last one is gone, sign-offs stay.

    What failed stays failed, and a pause lasts until somebody ends it.
    """
    kept = tuple(hold for hold in was.holds if hold.kind in ("paused", "criterion"))
    return replace(was, holds=kept, extended_us=0, escalated="", overrides=())
