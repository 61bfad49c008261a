"""What one recorded decision comes to when it is taken again, by the same words and numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from controlplane import alerts, evaluation, incidents, rollbacks, taking_off
from controlplane.assessment import EVALUATOR
from controlplane.commands import Look
from controlplane.history.accounting import is_by_machine
from controlplane.judgements import judged
from controlplane.looks import look_at
from controlplane.reading import Getting, world_of
from controlplane.rules import looking
from controlplane.rules.catalog import WATCHED
from controlplane.rules.overriding import GLASS_BROKEN
from controlplane.rules.rule import Finding
from events.alerts import AlertRaised, AlertResolved, alert_stream
from events.event import Event, RecordedEvent
from events.flags import FlagDisabled
from events.incidents import IncidentEvent, IncidentOpened
from events.judgements import WaveJudged
from events.promotions import PromotionProposed, ProposalApproved, ProposalLapsed
from events.rollouts import RollbackStalled, RollbackStarted, RolloutEvent, RolloutRolledBack
from projections.alerts import ALERTS
from projections.evidence import EVIDENCE
from projections.flags import FLAGS
from projections.incidents import INCIDENTS
from projections.rollbacks import AfterRollback
from projections.rollouts import ROLLOUTS

Recorded = RecordedEvent[Event]
Seen = Look | Finding | AfterRollback
Kind = Literal["judgements", "alerts", "rollbacks", "incidents"]
_ByRules = AlertRaised | AlertResolved
_Confirmed = RolloutRolledBack | RollbackStalled
_DIGITS = 19
"""More, and a number is none of an incident that this made."""


@dataclass(frozen=True, slots=True)
class Redecided:
    """What was recorded, and what it comes to."""

    kind: Kind
    told: Sequence[Recorded]
    decided: Sequence[Event]


def is_decision(recorded: Recorded) -> bool:
    """Whether a rule or a criterion decided it, not a person."""
    match recorded.event:
        case WaveJudged() | RolloutRolledBack() | RollbackStalled():
            return True
        case PromotionProposed(kind=kind):
            return kind == "promotion"
        case AlertRaised(rule=rule, judged_at=at):
            return at > 0 or rule != GLASS_BROKEN.name or is_by_machine(recorded)
        case AlertResolved(judged_at=at):
            return at > 0 or is_by_machine(recorded)
        case _:
            return False


def as_of(event: Event) -> int:
    """The log position of what a decision was made of; 0 where it does not tell."""
    match event:
        case WaveJudged() | PromotionProposed():
            return event.as_of if event.evaluator == EVALUATOR else 0
        case AlertRaised() | AlertResolved():
            return event.as_of if event.judged_at else 0
        case _:
            return event.as_of if isinstance(event, _Confirmed) else 0


def see(reading: Getting, recorded: Recorded, flag: str) -> Seen | None:
    """What was seen by whoever decided; `reading` is as of the position that the decision tells."""
    match recorded.event:
        case WaveJudged(rollout=rollout, judged_at=at, as_of=position):
            return look_at(world_of(reading, rollout, at), position)
        case PromotionProposed(rollout=rollout, as_of=position):
            return look_at(world_of(reading, rollout, recorded.occurred_at), position)
        case AlertRaised(rule=rule, judged_at=at) | AlertResolved(rule=rule, judged_at=at):
            known = WATCHED.get(rule)
            return looking.judged(known, looking.watched(reading, flag, at)) if known else None
        case RolloutRolledBack(rollout=rollout) | RollbackStalled(rollout=rollout):
            evidence = reading.get(EVIDENCE, flag)
            reports = evidence.rollback if evidence.rollout == rollout else None
            if reports is not None:
                return replace(reports)  # A copy: who reads on goes on counting in the other one.
            started_at = reading.get(ROLLOUTS, rollout).rollback_at
            return AfterRollback(started_at, superseded=True)
        case _:
            return None


def decide(
    stood: Getting, seen: Seen, recorded: Recorded, together: Sequence[Recorded]
) -> Iterator[Redecided]:
    """Decide again; `stood` is as of the position before, `together` what was recorded with it."""
    match recorded.event, seen:
        case WaveJudged() as event, Look():
            yield from _wave(stood, seen, recorded, event, together)
        case PromotionProposed() as event, Look():  # Of a look that had nothing else to tell.
            rollout = stood.get(ROLLOUTS, event.rollout)
            decided = evaluation.decide(rollout, seen, recorded.occurred_at)
            proposed = [one for one in decided if isinstance(one, PromotionProposed)]
            yield Redecided("judgements", [recorded], proposed)
        case (AlertRaised() | AlertResolved()) as event, Finding():
            yield _alert(stood, seen, recorded, event)
            if isinstance(event, AlertRaised):
                yield from _switched_off(stood, seen, recorded, event, together)
                yield _incident(stood, recorded, event, together)
        case (RolloutRolledBack() | RollbackStalled()) as event, AfterRollback():
            rollout = stood.get(ROLLOUTS, event.rollout)
            decided = rollbacks.follow(rollout, seen, recorded.occurred_at, event.as_of)
            yield Redecided("rollbacks", _of(together, event.rollout, _Confirmed), decided)
        case _:
            pass


def _of(together: Sequence[Recorded], rollout: str, kinds: object) -> list[Recorded]:
    return [
        one
        for one in together
        if isinstance(one.event, kinds)  # type: ignore[arg-type]  # why: a union of classes
        and getattr(one.event, "rollout", None) == rollout
    ]


def _wave(
    stood: Getting,
    look: Look,
    recorded: Recorded,
    event: WaveJudged,
    together: Sequence[Recorded],
) -> Iterator[Redecided]:
    rollout = stood.get(ROLLOUTS, event.rollout)
    told = _of(together, event.rollout, RolloutEvent)
    if any(_is_by_people(one.event) for one in told):
        # What they decided is theirs; the look that it rests on is not.
        yield Redecided("judgements", [recorded], [judged(rollout, look, recorded.occurred_at)])
        return
    decided = evaluation.decide(rollout, look, recorded.occurred_at)
    yield Redecided("judgements", told, decided)
    if any(isinstance(one.event, RollbackStarted) for one in told):
        yield Redecided("rollbacks", told, decided)


def _is_by_people(event: Event) -> bool:
    return isinstance(event, ProposalApproved) or (
        isinstance(event, PromotionProposed) and event.kind == "skip"
    )


def _alert(stood: Getting, finding: Finding, recorded: Recorded, event: _ByRules) -> Redecided:
    report = alerts.Report(
        rule=WATCHED[event.rule],
        flag=event.flag,
        finding=finding,
        judged_at=event.judged_at,
        as_of=event.as_of,
    )
    return Redecided(
        "alerts", [recorded], alerts.decide(stood.get(ALERTS, recorded.stream), report)
    )


def _switched_off(
    stood: Getting,
    finding: Finding,
    recorded: Recorded,
    event: AlertRaised,
    together: Sequence[Recorded],
) -> Iterator[Redecided]:
    """What a rule that takes flags off did, or should have done."""
    rule, flag = WATCHED[event.rule], stood.get(FLAGS, event.flag)
    decided: Sequence[Event] = []
    if taking_off.is_due(rule, finding):
        rollout = stood.get(ROLLOUTS, flag.rollout) if flag.rollout else None
        why = taking_off.reason(rule, finding)
        decided = taking_off.decide(flag, rollout, why, recorded.occurred_at)
    kinds = FlagDisabled if flag.rollout is None else RollbackStarted | ProposalLapsed
    told = [
        one for one in together if one.causation_id == recorded.id and isinstance(one.event, kinds)
    ]
    if told or decided:
        yield Redecided("rollbacks", told, decided)


def _incident(
    stood: Getting, recorded: Recorded, event: AlertRaised, together: Sequence[Recorded]
) -> Redecided:
    told = [
        one
        for one in together
        if isinstance(one.event, IncidentEvent) and one.causation_id == recorded.id
    ]
    opened = next((one.event for one in told if isinstance(one.event, IncidentOpened)), None)
    # Those of other flags may be elsewhere: which number is next is taken as told.
    told_number = opened.incident.rpartition("-")[2] if opened else ""
    number = int(told_number) if told_number.isdecimal() and len(told_number) < _DIGITS else 0
    streams = [alert_stream(event.flag, rule) for rule in sorted(WATCHED)]
    others = [stood.get(ALERTS, one) for one in streams if one != recorded.stream]
    decided = incidents.follow(
        stood.get(INCIDENTS, event.flag),
        event,
        number,
        stood.get(FLAGS, event.flag).rollout,
        others if event.severity == "critical" else [],
        recorded.occurred_at,
    )
    return Redecided("incidents", told, decided)
