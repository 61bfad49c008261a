"""Events to record, each known by a number."""

from typing import Any
from uuid import UUID

from events import Actor, Event, NewEvent
from events.flags import FlagEnabled
from events.rollouts import RolloutDrafted

ANN = Actor.person("ann")
NOON = 1_789_992_000_000_000
"""When things happen, unless a test says otherwise: before they are recorded."""


def uuid(number: int) -> str:
    return str(UUID(int=number))


def enabled(reason: str = "it is time") -> FlagEnabled:
    return FlagEnabled(flag="checkout", reason=reason)


def drafted(**plan: Any) -> RolloutDrafted:
    """The event that holds whatever a plan holds."""
    return RolloutDrafted(
        rollout="r", flag="f", attempt=1, plan=plan, plan_hash="", waves=4, requested_by="ann"
    )


started = drafted  # As the contracts of the log call it.


def fact(number: int, stream: str = "flag-checkout", **envelope: Any) -> NewEvent:
    """The event with this number, on its way into the log."""
    event: Event = envelope.pop("event", None) or enabled()
    given = {"occurred_at": NOON, "actor": ANN} | envelope
    return NewEvent(id=uuid(number), stream=stream, event=event, **given)


def facts(first: int, last: int, stream: str = "flag-checkout", **envelope: Any) -> list[NewEvent]:
    return [fact(number, stream, **envelope) for number in range(first, last + 1)]
