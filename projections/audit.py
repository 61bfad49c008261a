"""Questions to history, answered from events alone: who agreed, what was so, what led to what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, cast

from events.access import CommandAccepted
from events.event import Event, RecordedEvent
from events.interventions import OverrideApproved, OverrideRequested, OverrideWithdrawn
from events.judgements import WaveJudged
from events.promotions import (
    PromotionProposed,
    ProposalApproved,
    ProposalRejected,
    ProposalWithdrawn,
    WavePromoted,
)
from events.rollouts import (
    PlanRevised,
    RolloutDrafted,
    RolloutStarted,
    RolloutSubmitted,
    SoakStarted,
    StartApproved,
    StartRejected,
    WaveEntered,
)

Recorded = RecordedEvent[Event]
Command = RecordedEvent[CommandAccepted]
_NO_OTHERS: Mapping[str, str] = MappingProxyType({})

Slice = Literal[
    "flags", "rollouts", "executions", "alerts", "incidents", "access", "freezes", "scheduler",
    "webhooks",
]  # fmt: skip
SLICES: dict[Slice, str] = {
    "flags": "flag.*",
    "rollouts": "rollout.*",
    "executions": "execution.*",
    "alerts": "alert.*",
    "incidents": "incident.*",
    "access": "access.*",
    "freezes": "freeze.*",
    "scheduler": "scheduler.*",
    "webhooks": "webhook.*",
}
"""Every stored name begins as its slice does."""


def within(whole: str, patterns: Iterable[str] | None) -> tuple[str, ...]:
    """What of some patterns lies in a wider one, which ends in a star."""
    if patterns is None:
        return (whole,)
    stem, found = whole[:-1], []
    for pattern in patterns:
        if pattern.startswith(stem):
            found.append(pattern)
        elif pattern.endswith("*") and stem.startswith(pattern[:-1]):
            found.append(whole)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Behind:
    """Who stands behind something: who had asked for it, and who had agreed."""

    asked: tuple[str, ...] = ()
    agreed: tuple[str, ...] = ()


NOBODY = Behind()


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done."""

    event: Recorded
    command: Command | None
    """As it was sent over HTTP; None where it was not."""
    behind: Behind = NOBODY


def deeds(
    events: Iterable[Recorded], causes: Mapping[str, Recorded], behind: Mapping[str, Behind]
) -> list[Deed]:
    """What was done, each with the command it came from, and who stands behind it.

    What follows from an event in the same breath, as a flag's exposure does from a wave, has those
    behind it who stand behind that.
    """
    return [
        Deed(
            event,
            command_of(event, causes),
            behind.get(event.id) or behind.get(event.causation_id or "") or NOBODY,
        )
        for event in events
    ]


def command_of(event: Recorded, causes: Mapping[str, Recorded]) -> Command | None:
    """The command over HTTP that did it, by its known causes.

    One that only came before it, as that of a proposal before its approval, was another's.
    """
    first = lineage(event, causes)[0]
    own = (first.occurred_at, first.actor) == (event.occurred_at, event.actor)
    return cast("Command", first) if own and isinstance(first.event, CommandAccepted) else None


def lineage(
    event: Recorded, causes: Mapping[str, Recorded], follows: Mapping[str, str] = _NO_OTHERS
) -> list[Recorded]:
    """An event behind all that led to it, the first cause first.

    `follows`: by its id, what an event follows from, where it tells no cause that says so.
    """
    chain, seen = [event], {event.id}
    while (cause := causes.get(_before(chain[-1], follows) or "")) is not None:
        if cause.id in seen:
            break
        seen.add(cause.id)
        chain.append(cause)
    return chain[::-1]


def _before(event: Recorded, follows: Mapping[str, str]) -> str | None:
    return follows.get(event.id, event.causation_id)


@dataclass(slots=True)
class _Agreement:
    """What has been asked for and agreed to about a rollout so far."""

    askers: dict[str, None] = field(default_factory=dict)
    starters: dict[str, None] = field(default_factory=dict)
    """Who agreed to the start."""
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By proposal or override, who asked for it."""
    agreed: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    promoted: tuple[str, ...] = ()
    """Who agreed to the latest promotion, or to the start."""


def standing_behind(events: Iterable[Recorded]) -> dict[str, Behind]:
    """By the id of each event in a rollout's own stream, in order, who stands behind it."""
    so_far = _Agreement()
    return {recorded.id: _behind(so_far, recorded.event) for recorded in events}


def _behind(so_far: _Agreement, event: Event) -> Behind:
    match event:
        case RolloutDrafted(requested_by=who) | PlanRevised(revised_by=who):
            so_far.askers[who] = None
            so_far.starters.clear()  # What was agreed to was another plan.
        case RolloutSubmitted(submitted_by=who):
            so_far.askers[who] = None
        case StartApproved(approver=who):
            so_far.starters[who] = None
            return Behind(tuple(so_far.askers))
        case StartRejected():
            so_far.starters.clear()
            return Behind(tuple(so_far.askers))
        case RolloutStarted(started_by=who):
            behind = Behind(tuple(so_far.askers), tuple(so_far.starters))
            so_far.askers[who] = None
            so_far.promoted = behind.agreed
            return behind
        case WaveEntered() | SoakStarted():
            return Behind(tuple(so_far.askers), so_far.promoted)
    return _behind_what_was_asked(so_far, event)


def _behind_what_was_asked(so_far: _Agreement, event: Event) -> Behind:
    match event:
        case PromotionProposed(proposal=id_, kind="skip", proposed_by=who):
            so_far.asked[id_] = (who,)
        case PromotionProposed(proposal=id_):
            so_far.asked[id_] = tuple(so_far.askers)
        case OverrideRequested(override=id_, requested_by=who):
            so_far.asked[id_] = (who,)
        case ProposalApproved(proposal=id_, approver=who):
            so_far.agreed[id_][who] = None
            return Behind(so_far.asked.get(id_, ()))
        case ProposalRejected(proposal=id_) | ProposalWithdrawn(proposal=id_):
            return Behind(so_far.asked.get(id_, ()))
        case OverrideApproved(override=id_) | OverrideWithdrawn(override=id_):
            return Behind(so_far.asked.get(id_, ()))
        case WavePromoted(proposal=id_):
            so_far.promoted = tuple(so_far.agreed[id_])
            return Behind(so_far.asked.get(id_, ()), so_far.promoted)
    return NOBODY


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a timeline: an event, or a look and those after it that found the same."""

    event: Recorded
    repeats: tuple[Recorded, ...] = ()

    @property
    def position(self) -> int:
        """In the log."""
        return self.event.position


def timeline(*histories: Iterable[Recorded]) -> list[Happening]:
    """All of them in the order of the log, each event once."""
    every = {event.position: event for history in histories for event in history}
    found: list[Happening] = []
    latest: dict[str, int] = {}
    for event in (every[position] for position in sorted(every)):
        place = latest.get(event.stream)
        if place is not None and _found_the_same(found[place].event, event):
            found[place] = replace(found[place], repeats=(*found[place].repeats, event))
            continue
        latest[event.stream] = len(found)
        found.append(Happening(event))
    return found


def _found_the_same(before: Recorded, after: Recorded) -> bool:
    """Whether a look adds nothing but its numbers to the look before."""
    one, other = before.event, after.event
    return (
        isinstance(one, WaveJudged)
        and isinstance(other, WaveJudged)
        and (one.wave, one.verdict) == (other.wave, other.verdict)
        and _verdicts(one) == _verdicts(other)
    )


def _verdicts(look: WaveJudged) -> list[tuple[str, str]]:
    return [(one.criterion, one.verdict) for one in look.judgements]


@dataclass(frozen=True, slots=True)
class Effect:
    """An event, and what it led to."""

    event: Recorded
    effects: tuple["Effect", ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """An event between what led to it and what it led to."""

    causes: tuple[Recorded, ...]
    """The first cause first."""
    event: Recorded
    effects: tuple[Effect, ...]
    missing: str | None
    """The id of a cause that is not in this log."""
    more: bool
    """Whether it led to more than is told."""


def why(
    event: Recorded,
    causes: Mapping[str, Recorded],
    effects: Sequence[Recorded],
    *,
    more: bool,
    follows: Mapping[str, str] = _NO_OTHERS,
) -> Why:
    """Put together what is known of one event's causes and effects, near and far."""
    chain = lineage(event, causes, follows)
    first = _before(chain[0], follows)
    return Why(
        causes=tuple(chain[:-1]),
        event=event,
        effects=_tree(event, effects, follows),
        missing=first if first not in causes else None,
        more=more,
    )


def _tree(
    event: Recorded, effects: Sequence[Recorded], follows: Mapping[str, str]
) -> tuple[Effect, ...]:
    """Built from the leaves: an effect is recorded after its cause, or is no child of it here."""
    children: dict[str, list[Effect]] = defaultdict(list)
    for one in sorted(effects, key=lambda effect: effect.position, reverse=True):
        cause = _before(one, follows)
        if one.position > event.position and cause is not None:
            below = tuple(reversed(children.pop(one.id, [])))
            children[cause].append(Effect(one, below))
    return tuple(reversed(children[event.id]))
