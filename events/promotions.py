"""How a wave comes to be promoted. These names are stored: change one only with an upcast."""

from typing import Literal

from events.event import Event
from events.flags import Text
from events.timestamps import Timestamp

ProposalKind = Literal["promotion", "skip"]


class PromotionProposed(Event, frozen=True):
    """A wave may be promoted once people approve. Bound to the state it was made from."""

    TYPE = "rollout.promotion_proposed"
    rollout: str
    proposal: str
    kind: ProposalKind
    """`promotion`: every criterion passes; `skip`: somebody asks to go on without that."""
    wave: int
    to: str
    proposed_by: str
    reason: Text
    approvals: int
    """How many people must approve."""
    as_of: int
    evaluator: int
    """The version of the code that judged."""
    evidence_digest: str
    plan_hash: str
    exposure_version: int
    expires_at: Timestamp


class ProposalApproved(Event, frozen=True):
    """A person other than who asked for it agreed."""

    TYPE = "rollout.proposal_approved"
    rollout: str
    proposal: str
    approver: str
    reason: Text


class ProposalRejected(Event, frozen=True):
    """A person said no; the wave is held until somebody of like standing releases it."""

    TYPE = "rollout.proposal_rejected"
    rollout: str
    proposal: str
    rejected_by: str
    reason: Text


class ProposalWithdrawn(Event, frozen=True):
    """A person took the proposal back."""

    TYPE = "rollout.proposal_withdrawn"
    rollout: str
    proposal: str
    withdrawn_by: str
    reason: Text


class ProposalLapsed(Event, frozen=True):
    """The proposal no longer holds: its evidence, its state or its time ran out."""

    TYPE = "rollout.proposal_lapsed"
    rollout: str
    proposal: str
    reason: str


class PromotionDelayed(Event, frozen=True):
    """The proposal is approved, but a freeze is on: the promotion waits for its end."""

    TYPE = "rollout.promotion_delayed"
    rollout: str
    proposal: str
    reason: str


class WavePromoted(Event, frozen=True):
    """The wave is over."""

    TYPE = "rollout.wave_promoted"
    rollout: str
    proposal: str
    wave: int
    to: str


PromotionEvent = (
    PromotionProposed
    | ProposalApproved
    | ProposalRejected
    | ProposalWithdrawn
    | ProposalLapsed
    | PromotionDelayed
    | WavePromoted
)
