"""What happens to webhooks in a sentence, for people who read the log."""

from typing import assert_never

from events.webhooks import (
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


def webhook_sentence(event: WebhookEvent) -> str:
    """What happened to a webhook."""
    match event:
        case WebhookRegistered(webhook=id_, types=types):
            return f"{id_} registered for {', '.join(types)}"
        case WebhookChanged(webhook=id_, types=types):
            return f"{id_} changed: is sent {', '.join(types)}"
        case WebhookPaused(webhook=id_, reason=reason):
            return because(f"{id_} paused", reason)
        case WebhookResumed(webhook=id_, reason=reason):
            return because(f"{id_} resumed", reason)
        case WebhookRemoved(webhook=id_, reason=reason):
            return because(f"{id_} removed", reason)
        case _ as unreachable:
            assert_never(unreachable)


def delivery_sentence(event: DeliveryEvent) -> str:
    """What came of sending to it."""
    match event:
        case WebhookDeadLettered(webhook=id_, position=position, attempts=attempts, error=error):
            return f"{id_} was not sent position {position} in {attempts} attempts: {error}"
        case WebhookRedeliveryRequested(webhook=id_, position=position):
            return f"{id_} is to be sent position {position} after all"
        case WebhookRedelivered(webhook=id_, position=position):
            return f"{id_} was sent position {position} after all"
        case _ as unreachable:
            assert_never(unreachable)


def because(text: str, reason: str) -> str:
    """With the reason, where there is one."""
    return f"{text}: {reason}" if reason else text
