"""Events with an envelope, without a log: what a fold is given."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, get_args
from uuid import UUID

from events import Actor, BatchExecuted, Event, NewEvent, RecordedEvent
from events.access import (
    REVIEW_STREAM,
    TOKEN_STREAM,
    GlassBroken,
    ReviewClosed,
    TokenIssued,
    TokenRevoked,
)
from events.alerts import alert_stream
from events.executions import execution_stream
from events.flags import FlagEvent, flag_stream
from events.freezes import FREEZE_STREAM, FreezeEvent
from events.incidents import INCIDENT_STREAM, IncidentEvent
from events.judgements import JudgementEvent, judgement_stream
from events.rollouts import RolloutEvent, rollout_stream
from events.timestamps import SECOND, Timestamp
from events.webhooks import WEBHOOK_STREAM, DeliveryEvent, WebhookEvent, delivery_stream

START = 1_800_000_000 * SECOND
"""The first moment of a minute, an hour and a day."""
ALICE = Actor.person("alice")


@dataclass(frozen=True)
class At:
    """An event, and when it happened."""

    time: Timestamp
    event: Event


Told = Event | At


def at(time: Timestamp, event: Event) -> At:
    """What happened `time` after START."""
    return At(START + time, event)


def stream_of(event: Any) -> str:
    """The stream that an event belongs to, from what it says."""
    if isinstance(event, BatchExecuted):
        return execution_stream(event.flag)
    if isinstance(event, get_args(FlagEvent)):
        return flag_stream(event.flag)
    if isinstance(event, get_args(JudgementEvent)):
        return judgement_stream(event.rollout)
    if isinstance(event, get_args(RolloutEvent)):
        return rollout_stream(event.rollout)
    if isinstance(event, get_args(FreezeEvent)):
        return FREEZE_STREAM
    if isinstance(event, get_args(WebhookEvent)):
        return WEBHOOK_STREAM
    if isinstance(event, get_args(DeliveryEvent)):
        return delivery_stream(event.webhook, event.position)
    if isinstance(event, get_args(IncidentEvent)):
        return INCIDENT_STREAM
    if isinstance(event, TokenIssued | TokenRevoked):
        return TOKEN_STREAM
    if isinstance(event, GlassBroken | ReviewClosed):
        return REVIEW_STREAM
    flag, rule, _ = event.alert.split("/")
    return alert_stream(flag, rule)


def told(*history: Told, actor: Actor = ALICE) -> list[RecordedEvent[Any]]:
    """Record a history from position 1 on; events without a time happen at START.

    Each is recorded when it happens, or late, when those before it have happened.
    """
    versions: Counter[str] = Counter()
    recorded = []
    now = START
    for position, one in enumerate(history, 1):
        moment = one if isinstance(one, At) else At(START, one)
        now = max(now, moment.time)
        stream = stream_of(moment.event)
        versions[stream] += 1
        recorded.append(
            RecordedEvent(
                environment="test",
                position=position,
                id=_uuid(position),
                stream=stream,
                version=versions[stream],
                type=moment.event.TYPE,
                schema_version=moment.event.SCHEMA_VERSION,
                occurred_at=moment.time,
                recorded_at=now,
                actor=actor,
                correlation_id=None,
                causation_id=None,
                data="",
                hash="",
                event=moment.event,
            )
        )
    return recorded


_ids: Iterator[int] = count(1 << 64)  # not those of the fixture `new_id`


def new(one: Told) -> NewEvent:
    """An event on its way into a log."""
    moment = one if isinstance(one, At) else At(START, one)
    return NewEvent(
        stream=stream_of(moment.event),
        event=moment.event,
        id=_uuid(next(_ids)),
        occurred_at=moment.time,
        actor=ALICE,
    )


def _uuid(number: int) -> str:
    return str(UUID(int=number))


def execution(  # what most tests do not care about has a default
    flag: str = "checkout", *, failed: bool = False, ms: float = 20, **facts: Any
) -> BatchExecuted:
    """One batch of the new code."""
    facts.setdefault("outcome", "failed" if failed else "succeeded")
    facts.setdefault("cohort", "on")
    facts.setdefault("unit", "unit-1")
    return BatchExecuted(flag=flag, duration_us=int(ms * 1000), **facts)
