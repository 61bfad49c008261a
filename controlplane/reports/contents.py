"""What a compliance report is made of: put together from one rollout's part of the log."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from controlplane.plane.dossiers import Dossier
from controlplane.plane.lineages import Recorded
from controlplane.plane.verification import Verification
from controlplane.plans import Plan, Soak, Wave
from controlplane.reports.doings import doing
from events.event import RecordedEvent
from events.flags import ExposureChanged, FlagDisabled, FlagEvent
from events.judgements import WaveJudged
from events.promotions import (
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    ProposalWithdrawn,
    WavePromoted,
)
from events.rollouts import (
    RollbackStarted,
    RolloutCancelled,
    RolloutCompleted,
    SoakStarted,
    WaveEntered,
)
from events.timestamps import Timestamp
from projections.audit import Deed, Happening, deeds
from projections.flags import FLAGS

Look = RecordedEvent[WaveJudged]
_ANSWERS = (ProposalApproved, ProposalRejected, ProposalWithdrawn, ProposalLapsed, WavePromoted)
_ENDS = (WavePromoted, RollbackStarted, RolloutCompleted, RolloutCancelled)


@dataclass(frozen=True, slots=True)
class Chain:
    """What came of walking the log's hash chain up to the report's position."""

    walked: bool
    problem: str = ""
    """Empty where it is intact."""


@dataclass(slots=True)
class Person:
    """Somebody who had a hand in it."""

    id: str
    kinds: dict[str, None] = field(default_factory=dict)
    did: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """In words, and at which log positions."""
    tokens: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal, and what became of it."""

    proposed: RecordedEvent[PromotionProposed]
    answers: tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A wave, or the soak, as it went."""

    number: int
    name: str
    planned: Wave | Soak
    percentage: float
    audience: str
    entered: Recorded
    ended: Recorded | None
    looks: Counter[str]
    """By verdict, how often it was looked at."""
    judged: Look | None
    """The look that counted: the last one before it ended."""
    proposals: tuple[Proposed, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """How much of the widest audience the flag served, from a moment on."""

    at: Timestamp
    percentage: float
    off: bool
    """Whether it was switched off."""


@dataclass(frozen=True, slots=True)
class Report:
    """A rollout as the log has it, up to a position."""

    environment: str
    position: int
    hash: str
    recorded_at: Timestamp
    """Of the event at the position."""
    dossier: Dossier
    plan: Plan
    chain: Chain
    verification: Verification
    timeline: tuple[Happening, ...]

    @property
    def people(self) -> list[Person]:
        """Persons and tokens, by who came first."""
        return _people(self.deeds())

    @property
    def stages(self) -> list[Stage]:
        """Those that were entered."""
        return list(_stages(self))

    @property
    def steps(self) -> list[Step]:
        """What was served while it ran."""
        return list(_steps(self.dossier))

    def deeds(self, events: Iterable[Recorded] | None = None) -> list[Deed]:
        """Events with the commands they came from, and who stands behind them."""
        dossier = self.dossier
        told = [line.event for line in self.timeline] if events is None else events
        return deeds(told, dossier.causes, dossier.behind)


def _people(done: Iterable[Deed]) -> list[Person]:
    people: dict[str, Person] = {}
    for deed in done:
        actor, words = deed.event.actor, doing(deed.event)
        if actor.kind not in ("person", "token") or words is None:
            continue
        person = people.setdefault(actor.id, Person(actor.id))
        person.kinds[actor.kind] = None
        person.did[words].append(deed.event.position)
        if deed.command is not None:
            person.tokens[deed.command.event.token or "open"] = None
    return list(people.values())


def _stages(report: Report) -> Iterator[Stage]:
    decided, looks = report.dossier.decided, report.dossier.looks
    entered = [one for one in decided if isinstance(one.event, WaveEntered | SoakStarted)]
    for number, begin in enumerate(entered, 1):
        following = entered[number].position if number < len(entered) else None
        upto = following or report.position + 1
        within = [one for one in decided if begin.position < one.position < upto]
        seen: list[Look] = [
            one  # type: ignore[misc]  # why: of this kind, as is checked
            for one in looks
            if begin.position < one.position < upto
            and isinstance(one.event, WaveJudged)
            and one.event.wave == number
        ]
        event: Any = begin.event
        yield Stage(
            number=number,
            name="soak" if isinstance(event, SoakStarted) else event.name,
            planned=report.plan.stage(number),
            percentage=event.percentage,
            audience=event.audience.name,
            entered=begin,
            ended=next((one for one in within if isinstance(one.event, _ENDS)), None),
            looks=Counter(look.event.verdict for look in seen),
            judged=seen[-1] if seen else None,
            proposals=tuple(_proposals(report, within)),
        )


def _proposals(report: Report, within: list[Recorded]) -> Iterator[Proposed]:
    for one in within:
        if isinstance(one.event, PromotionProposed):
            id_ = one.event.proposal
            answers = [
                other
                for other in within
                if isinstance(other.event, _ANSWERS) and other.event.proposal == id_
            ]
            yield Proposed(one, tuple(report.deeds(answers)))  # type: ignore[arg-type]  # why: idem


def _steps(dossier: Dossier) -> Iterator[Step]:
    flag = FLAGS.initial(dossier.rollout.flag)
    for event in dossier.flag:
        if isinstance(event.event, FlagEvent):
            flag = FLAGS.evolve(flag, event)
        if isinstance(event.event, ExposureChanged | FlagDisabled):
            off = isinstance(event.event, FlagDisabled)
            yield Step(event.occurred_at, flag.percentage, off)
