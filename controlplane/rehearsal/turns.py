"""What was recorded together: the events of one decision, and whose it was."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from controlplane.taking_off import WATCHER
from events.access import CommandAccepted
from events.alerts import AlertRaised, AlertResolved
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted
from events.flags import FlagDisabled
from events.interventions import HoldReleased, RolloutHeld, WaveEscalated
from events.judgements import WaveJudged
from events.promotions import (
    PromotionDelayed,
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    WavePromoted,
)
from events.rollouts import (
    BakeCompleted,
    ExposureConfirmed,
    RollbackStarted,
    RolloutCompleted,
    RolloutEvent,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from events.timestamps import Timestamp
from projections.interventions import BY_PEOPLE
from projections.precedents import kinds_before

E = TypeVar("E", bound=Event)
Recorded = RecordedEvent[Event]
_LEADING = (WaveJudged, AlertRaised, AlertResolved)
_BY_A_LOOK = (
    WaveJudged,
    ExposureConfirmed,
    BakeCompleted,
    WaveEscalated,
    PromotionDelayed,
    WavePromoted,
    WaveEntered,
    SoakStarted,
    RolloutCompleted,
)


@dataclass(frozen=True, slots=True)
class Turn:
    """The events of one decision, in order."""

    events: tuple[Recorded, ...]

    @property
    def position(self) -> int:
        """Of the first event."""
        return self.events[0].position

    @property
    def at(self) -> Timestamp:
        """When it was decided."""
        return self.events[0].occurred_at

    def of(self, rollout: str) -> list[Event]:
        """What it says of a rollout."""
        return [one.event for one in self.events if is_of(one.event, rollout)]

    def first(self, kind: type[E]) -> E | None:
        """The first event of a kind; None where there is none."""
        return next((one.event for one in self.events if isinstance(one.event, kind)), None)

    @property
    def goes_off(self) -> RollbackStarted | FlagDisabled | None:
        """What switched the flag off, if something did."""
        return self.first(RollbackStarted) or self.first(FlagDisabled)

    @property
    def rule(self) -> str:
        """The rule that took the flag off; empty where none did."""
        off = self.goes_off
        by_rule = off is not None and self.events[0].actor == WATCHER
        return off.reason.partition(":")[0] if off is not None and by_rule else ""

    def starts(self, rollout: str) -> bool:
        """Whether that rollout begins."""
        return any(isinstance(event, RolloutStarted) for event in self.of(rollout))

    def approves(self, rollout: str) -> bool:
        """Whether somebody agrees to its promotion."""
        return any(isinstance(event, ProposalApproved) for event in self.of(rollout))

    @property
    def alert(self) -> AlertRaised | AlertResolved | None:
        """What a rule found, if one did."""
        found = self.first(AlertRaised) or self.first(AlertResolved)
        return found if found is not None and found.judged_at else None

    def is_look(self, rollout: str) -> bool:
        """Whether it is what the machine makes of a wave, and nothing that people decide."""
        told = self.of(rollout)
        return bool(told) and all(_is_by_a_look(event) for event in told)


def is_of(event: Event, rollout: str) -> bool:
    """Whether an event is one of a rollout's."""
    return isinstance(event, RolloutEvent) and event.rollout == rollout


def _is_by_a_look(event: Event) -> bool:
    match event:
        case RolloutHeld(kind=kind) | HoldReleased(kind=kind):
            return kind not in BY_PEOPLE
        case RollbackStarted(trigger=trigger):
            return trigger in ("criterion", "timeout")
        case PromotionProposed(kind=kind):
            return kind == "promotion"
        case ProposalLapsed():
            return True
        case _:
            return isinstance(event, _BY_A_LOOK)


def turns(events: Iterable[Recorded]) -> Iterator[Recorded | Turn]:
    """Executions one by one, and all else by what was decided together."""
    together: list[Recorded] = []
    for event in events:
        if isinstance(event.event, BatchExecuted):
            if together:
                yield Turn(tuple(together))
                together = []
            yield event
            continue
        if together and not _belongs(together, event):
            yield Turn(tuple(together))
            together = []
        together.append(event)
    if together:
        yield Turn(tuple(together))


def _belongs(together: list[Recorded], event: Recorded) -> bool:
    """Whether it was recorded in one transaction with the others: its neighbours, by one hand."""
    last = together[-1]
    if event.position != last.position + 1:
        return False
    if (event.occurred_at, event.actor) != (last.occurred_at, last.actor):
        return False
    if isinstance(event.event, CommandAccepted):
        return False
    about = {one.event.rollout for one in together if isinstance(one.event, RolloutEvent)}
    if about and isinstance(event.event, RolloutEvent) and event.event.rollout not in about:
        return False
    causes = {together[0].causation_id, *(one.id for one in together)}
    elsewhere = event.causation_id is not None and event.causation_id not in causes
    if elsewhere and not kinds_before(event.event):  # Those follow from what was long before.
        return False  # By the same hand at the same moment, and yet another one.
    only_asked = all(isinstance(one.event, CommandAccepted) for one in together)
    return only_asked or not isinstance(event.event, _LEADING)
