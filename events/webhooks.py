"""What can happen to a webhook. These names are stored: change one only with an upcast."""

from typing import Annotated

import msgspec

from events.event import Event
from events.flags import Text

WEBHOOK_STREAM = "webhooks"
"""One stream holds all webhooks of an environment: they are few, and asked for together."""

Position = Annotated[int, msgspec.Meta(ge=0)]
Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
SecretName = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
"""Under which it is found where it is needed. The secret itself is never recorded."""


def delivery_stream(webhook: str, position: int) -> str:
    """The stream of one event that could not be delivered to one webhook."""
    return f"delivery-{webhook}-{position}"


class WebhookRegistered(Event, frozen=True):
    """From here on events of these types are sent to a URL."""

    TYPE = "webhook.registered"
    webhook: str
    url: Url
    types: tuple[str, ...]
    """Stored names, beginnings with a star (`flag.*`), or a star alone."""
    secret: SecretName
    description: Text
    after: Position | None
    """Events above this position are sent; None: those after this one."""


class WebhookChanged(Event, frozen=True):
    """It is as follows from here on. What was not sent yet is sent so."""

    TYPE = "webhook.changed"
    webhook: str
    url: Url
    types: tuple[str, ...]
    secret: SecretName
    description: Text


class WebhookPaused(Event, frozen=True):
    """Nothing is sent until it is resumed: a person said so, or the URL answered 410 Gone."""

    TYPE = "webhook.paused"
    webhook: str
    reason: Text


class WebhookResumed(Event, frozen=True):
    """It goes on where it stood."""

    TYPE = "webhook.resumed"
    webhook: str
    reason: Text


class WebhookRemoved(Event, frozen=True):
    """Nothing is sent any more."""

    TYPE = "webhook.removed"
    webhook: str
    reason: Text


WebhookEvent = WebhookRegistered | WebhookChanged | WebhookPaused | WebhookResumed | WebhookRemoved


class WebhookDeadLettered(Event, frozen=True):
    """An event could not be delivered, however often it was tried. The next one is sent."""

    TYPE = "webhook.dead_lettered"
    webhook: str
    position: Position
    """Of the event."""
    event_id: str
    event_type: str
    attempts: Annotated[int, msgspec.Meta(ge=1)]
    error: Text
    """What came of the last attempt."""


class WebhookRedeliveryRequested(Event, frozen=True):
    """A person asks that it be tried again."""

    TYPE = "webhook.redelivery_requested"
    webhook: str
    position: Position


class WebhookRedelivered(Event, frozen=True):
    """It was delivered after all."""

    TYPE = "webhook.redelivered"
    webhook: str
    position: Position


DeliveryEvent = WebhookDeadLettered | WebhookRedeliveryRequested | WebhookRedelivered
