"""What an event follows from by what it says, in its own stream: an approval from its proposal."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import TypeVar

from events.access import GlassBroken, ReviewClosed
from events.alerts import AlertAcknowledged, AlertRaised, AlertResolved
from events.event import Event, NewEvent, RecordedEvent
from events.freezes import FreezeDeclared, FreezeLifted
from events.incidents import IncidentClosed, IncidentNoted, IncidentOpened
from events.interventions import (
    HoldReleased,
    ItemSignedOff,
    OverrideApproved,
    OverrideRequested,
    OverrideWithdrawn,
    RolloutHeld,
    SignOffWithdrawn,
)
from events.promotions import (
    PromotionDelayed,
    PromotionProposed,
    ProposalApproved,
    ProposalRejected,
    ProposalWithdrawn,
    WavePromoted,
)
from events.rollouts import (
    PlanRevised,
    RollbackStalled,
    RollbackStarted,
    RolloutArmed,
    RolloutCompleted,
    RolloutDrafted,
    RolloutRolledBack,
    RolloutStarted,
    RolloutSubmitted,
    SoakStarted,
    StartApproved,
    StartRejected,
    WaveEntered,
)
from projections.interventions import BY_PEOPLE

Known = TypeVar("Known", NewEvent, RecordedEvent[Event])
Kinds = tuple[type[Event], ...]

_PROPOSED: Kinds = (PromotionProposed,)
_AGREED: Kinds = (PromotionDelayed, ProposalApproved, PromotionProposed)
_PRECEDENTS: MappingProxyType[type[Event], tuple[Kinds, tuple[str, ...]]] = MappingProxyType(
    {
        PlanRevised: ((RolloutDrafted, PlanRevised, StartRejected), ()),
        RolloutSubmitted: ((RolloutDrafted, PlanRevised, StartRejected), ()),
        StartApproved: ((RolloutSubmitted,), ()),
        StartRejected: ((RolloutSubmitted,), ()),
        RolloutArmed: ((RolloutSubmitted, StartApproved), ()),
        RolloutStarted: ((RolloutDrafted, PlanRevised, RolloutArmed), ()),
        WaveEntered: ((RolloutStarted, WavePromoted), ()),
        SoakStarted: ((WavePromoted,), ()),
        RolloutCompleted: ((WavePromoted,), ()),
        RollbackStalled: ((RollbackStarted,), ()),
        RolloutRolledBack: ((RollbackStarted,), ()),
        ProposalApproved: (_PROPOSED, ("proposal",)),
        ProposalRejected: (_PROPOSED, ("proposal",)),
        ProposalWithdrawn: (_PROPOSED, ("proposal",)),
        PromotionDelayed: (_AGREED, ("proposal",)),
        WavePromoted: (_AGREED, ("proposal",)),
        RolloutHeld: ((ProposalRejected, ProposalWithdrawn), ()),
        HoldReleased: ((RolloutHeld,), ("kind",)),
        OverrideApproved: ((OverrideRequested,), ("override",)),
        OverrideWithdrawn: ((OverrideRequested,), ("override",)),
        SignOffWithdrawn: ((ItemSignedOff,), ("item", "signed_by")),
        AlertAcknowledged: ((AlertRaised,), ("alert",)),
        AlertResolved: ((AlertRaised,), ("alert",)),
        IncidentNoted: ((IncidentOpened,), ("incident",)),
        IncidentClosed: ((IncidentOpened,), ("incident",)),
        FreezeLifted: ((FreezeDeclared,), ("freeze",)),
        ReviewClosed: ((GlassBroken,), ("review",)),
    }
)
"""By kind: the kinds that it follows from, of which the latest, and what both must say alike."""


def kinds_before(event: Event) -> Kinds:
    """The kinds of events that it may follow from; none where it stands for itself."""
    match event:
        case RolloutHeld(kind=kind) if kind not in ("rejected", "withdrawn"):
            return ()
        case HoldReleased(kind=kind) if kind not in BY_PEOPLE:
            return ()
        case _:
            return _PRECEDENTS.get(type(event), ((), ()))[0]


def kinds_after(event: Event) -> Kinds:
    """The kinds of events that may follow from it."""
    return tuple(kind for kind, (kinds, _) in _PRECEDENTS.items() if type(event) in kinds)


def precedent(event: Event, latest_first: Iterable[Known]) -> Known | None:
    """Of the earlier events of its stream, the one that it follows from."""
    if not (kinds := kinds_before(event)):
        return None
    _, alike = _PRECEDENTS[type(event)]
    for known in latest_first:
        if isinstance(known.event, kinds) and all(
            getattr(known.event, name) == getattr(event, name) for name in alike
        ):
            return known
    return None
