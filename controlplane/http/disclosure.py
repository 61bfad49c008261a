"""What of an event everybody may see who may read: all, but what lets others in.

The URL of a webhook may be a secret in itself. Whoever may manage webhooks sees it there.
"""

from urllib.parse import urlsplit

import msgspec

from events.event import Event, RecordedEvent
from events.webhooks import WebhookChanged, WebhookRegistered


def disclosed(recorded: RecordedEvent[Event]) -> RecordedEvent[Event]:
    """The event as it is shown; its hash is still that of the whole."""
    if not isinstance(recorded.event, WebhookRegistered | WebhookChanged):
        return recorded
    parts = urlsplit(recorded.event.url)
    data = msgspec.json.decode(recorded.data) | {"url": f"{parts.scheme}://{parts.netloc}/…"}
    return msgspec.structs.replace(recorded, data=msgspec.json.encode(data).decode())
