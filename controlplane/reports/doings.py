"""What people did to a rollout, in words: what they decided, not what followed from it."""

from events.access import GlassBroken, ReviewClosed
from events.alerts import AlertAcknowledged, AlertResolved
from events.event import Event, RecordedEvent
from events.flags import FlagEvent
from events.freezes import FreezeDeclared, FreezeLifted
from events.incidents import IncidentClosed, IncidentNoted
from events.interventions import (
    BakeExtended,
    HoldReleased,
    ItemSignedOff,
    OverrideApproved,
    OverrideRequested,
    OverrideWithdrawn,
    RolloutHeld,
    SignOffWithdrawn,
)
from events.judgements import CriterionAnswered
from events.promotions import (
    PromotionProposed,
    ProposalApproved,
    ProposalRejected,
    ProposalWithdrawn,
)
from events.rollouts import (
    PlanRevised,
    RollbackStarted,
    RolloutCancelled,
    RolloutDrafted,
    RolloutStarted,
    RolloutSubmitted,
    StartApproved,
    StartRejected,
)
from projections.interventions import BY_PEOPLE

_WORDS: dict[type[Event], str] = {
    RolloutDrafted: "asked for it",
    PlanRevised: "revised the plan",
    RolloutSubmitted: "submitted it",
    StartApproved: "agreed to the start",
    StartRejected: "turned the start down",
    RolloutStarted: "started it",
    RolloutCancelled: "cancelled it",
    ProposalApproved: "agreed to a promotion",
    ProposalRejected: "turned a promotion down",
    ProposalWithdrawn: "took a proposal back",
    BakeExtended: "extended a stage",
    OverrideRequested: "asked for an override",
    OverrideApproved: "agreed to an override",
    OverrideWithdrawn: "took an override back",
    ItemSignedOff: "signed an item off",
    SignOffWithdrawn: "took a signature back",
    CriterionAnswered: "answered a criterion",
    AlertAcknowledged: "acknowledged an alert",
    AlertResolved: "resolved an alert",
    FreezeDeclared: "declared a freeze",
    FreezeLifted: "lifted a freeze",
    IncidentNoted: "wrote about an incident",
    IncidentClosed: "closed an incident",
    GlassBroken: "raised the exposure alone, breaking the glass",
    ReviewClosed: "reviewed what was done alone",
}


def doing(recorded: RecordedEvent[Event]) -> str | None:
    """What its actor did by it; None for what follows from something else."""
    match recorded.event:
        case PromotionProposed(kind="skip"):
            return "asked to skip a wave's evidence"
        case RolloutHeld(kind="paused"):
            return "paused it"
        case HoldReleased(kind=kind) if kind in BY_PEOPLE:
            return "let it go on"
        case RollbackStarted(trigger="person"):
            return "rolled it back"
        case event if isinstance(event, FlagEvent) and recorded.correlation_id is None:
            return "changed the flag by hand"
        case event:
            return _WORDS.get(type(event))
