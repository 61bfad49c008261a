"""Which webhooks stand, and what could not be delivered to them.

How far each one is, is of the moment and not in the log: a table of the control plane has it.
"""

from typing import Literal, assert_never, get_args

import msgspec
from msgspec.structs import replace

from events.event import RecordedEvent
from events.timestamps import Timestamp
from events.webhooks import (
    WEBHOOK_STREAM,
    DeliveryEvent,
    WebhookChanged,
    WebhookDeadLettered,
    WebhookEvent,
    WebhookPaused,
    WebhookRedelivered,
    WebhookRedeliveryRequested,
    WebhookRegistered,
    WebhookRemoved,
    WebhookResumed,
)
from projections.projection import Projection


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that nobody has removed."""

    id: str
    url: str
    types: tuple[str, ...]
    secret: str
    """Its name."""
    description: str
    after: int
    """Events above this position are for it."""
    registered_by: str
    registered_at: Timestamp
    paused: str | None = None
    """Why nothing is sent; None: it is."""


class Webhooks(msgspec.Struct, frozen=True):
    """All webhooks that stand, in the order in which they were registered."""

    standing: tuple[Webhook, ...] = ()
    registered: int = 0
    """How many there ever were."""


def evolve(webhooks: Webhooks, recorded: RecordedEvent[WebhookEvent]) -> Webhooks:
    """Return the webhooks after one more event."""
    match recorded.event:
        case WebhookRegistered() as registered:
            webhook = Webhook(
                id=registered.webhook,
                url=registered.url,
                types=registered.types,
                secret=registered.secret,
                description=registered.description,
                after=recorded.position if registered.after is None else registered.after,
                registered_by=recorded.actor.name or recorded.actor.id,
                registered_at=recorded.occurred_at,
            )
            return Webhooks((*webhooks.standing, webhook), webhooks.registered + 1)
        case WebhookChanged() as to:
            return _with(
                webhooks,
                to.webhook,
                url=to.url,
                types=to.types,
                secret=to.secret,
                description=to.description,
            )
        case WebhookPaused(webhook=id_, reason=reason):
            return _with(webhooks, id_, paused=reason)
        case WebhookResumed(webhook=id_):
            return _with(webhooks, id_, paused=None)
        case WebhookRemoved(webhook=id_):
            left = tuple(webhook for webhook in webhooks.standing if webhook.id != id_)
            return replace(webhooks, standing=left)
        case _ as unreachable:
            assert_never(unreachable)


def _with(webhooks: Webhooks, id_: str, **facts: object) -> Webhooks:
    changed = tuple(replace(one, **facts) if one.id == id_ else one for one in webhooks.standing)
    return replace(webhooks, standing=changed)


def key(_recorded: RecordedEvent[WebhookEvent]) -> str:
    """One row holds them all."""
    return WEBHOOK_STREAM


WEBHOOKS = Projection(
    "webhooks", 1, Webhooks, frozenset(get_args(WebhookEvent)), key, lambda _key: Webhooks(), evolve
)


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that could not be delivered to a webhook."""

    webhook: str = ""
    position: int = 0
    event_id: str = ""
    event_type: str = ""
    attempts: int = 0
    error: str = ""
    at: Timestamp = 0
    """When it was given up."""
    state: Literal["absent", "dead", "requested", "redelivered"] = "absent"
    """`requested`: it is being tried again."""


def evolve_letter(letter: DeadLetter, recorded: RecordedEvent[DeliveryEvent]) -> DeadLetter:
    """Return the letter after one more event."""
    match recorded.event:
        case WebhookDeadLettered() as dead:
            return DeadLetter(
                webhook=dead.webhook,
                position=dead.position,
                event_id=dead.event_id,
                event_type=dead.event_type,
                attempts=dead.attempts,
                error=dead.error,
                at=recorded.occurred_at,
                state="dead",
            )
        case WebhookRedeliveryRequested():
            return replace(letter, state="requested")
        case WebhookRedelivered():
            return replace(letter, state="redelivered")
        case _ as unreachable:
            assert_never(unreachable)


_DIGITS = 19
"""Those of the last position that a database can count to, so that keys sort as positions do."""


def letter_key(webhook: str, position: int) -> str:
    """The row of one dead letter: those of a webhook lie together, in order of the log."""
    return f"{webhook}/{position:0{_DIGITS}}"


def _letter_key(recorded: RecordedEvent[DeliveryEvent]) -> str:
    return letter_key(recorded.event.webhook, recorded.event.position)


DEAD_LETTERS = Projection(
    "dead_letters",
    1,
    DeadLetter,
    frozenset(get_args(DeliveryEvent)),
    _letter_key,
    lambda _key: DeadLetter(),
    evolve_letter,
)
