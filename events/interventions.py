"""What people, and the look at a wave, may put in its way or out of it.

These names are stored: change one only with an upcast.
"""

from typing import Literal

from events.event import Event
from events.flags import Text
from events.timestamps import Timestamp

HoldKind = Literal["paused", "rejected", "withdrawn", "frozen", "exposure", "split", "criterion"]
"""`paused`, `rejected`, `withdrawn`: by a person, until a person releases it. `frozen`,
`exposure` (the flag is not as planned, or nobody reports the new code), `split` (clients do not
serve the share that is planned): while it is so. `criterion`: for the rest of the attempt."""


class RolloutHeld(Event, frozen=True):
    """Nothing is promoted until this hold is released. Guardrails go on."""

    TYPE = "rollout.held"
    rollout: str
    flag: str
    wave: int
    kind: HoldKind
    reason: Text


class HoldReleased(Event, frozen=True):
    """What held the rollout is over."""

    TYPE = "rollout.hold_released"
    rollout: str
    flag: str
    wave: int
    kind: HoldKind
    reason: Text


class WaveEscalated(Event, frozen=True):
    """The wave has waited longer than its plan allows: people must look. Time never passes it."""

    TYPE = "rollout.wave_escalated"
    rollout: str
    wave: int
    reason: Text


class BakeExtended(Event, frozen=True):
    """The wave is to be watched for longer than planned."""

    TYPE = "rollout.bake_extended"
    rollout: str
    wave: int
    by_us: int
    reason: Text


class OverrideRequested(Event, frozen=True):
    """Somebody asks that a criterion need not pass in this wave. A FAIL it never excuses."""

    TYPE = "rollout.override_requested"
    rollout: str
    override: str
    wave: int
    criterion: str
    requested_by: str
    reason: Text
    expires_at: Timestamp


class OverrideApproved(Event, frozen=True):
    """A second person agreed: until it expires, the criterion need not pass in that wave."""

    TYPE = "rollout.override_approved"
    rollout: str
    override: str
    approver: str
    reason: Text


class OverrideWithdrawn(Event, frozen=True):
    """The override is no more, whether it had been approved or not."""

    TYPE = "rollout.override_withdrawn"
    rollout: str
    override: str
    withdrawn_by: str
    reason: Text


class ItemSignedOff(Event, frozen=True):
    """A person vouches, in a role, that an item of a checklist is done."""

    TYPE = "rollout.item_signed_off"
    rollout: str
    wave: int
    """The wave it was signed in; 0 before the start."""
    item: str
    role: str
    signed_by: str
    note: Text


class SignOffWithdrawn(Event, frozen=True):
    """Whoever had signed an item no longer vouches for it."""

    TYPE = "rollout.sign_off_withdrawn"
    rollout: str
    item: str
    signed_by: str
    reason: Text


InterventionEvent = (
    RolloutHeld
    | HoldReleased
    | WaveEscalated
    | BakeExtended
    | OverrideRequested
    | OverrideApproved
    | OverrideWithdrawn
    | ItemSignedOff
    | SignOffWithdrawn
)
