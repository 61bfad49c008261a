"""What is sent out of here, and the settings that rule it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from controlplane.outgoing.asking import WITHIN_THE_WALLS, Ask, ask
from controlplane.outgoing.delivery import REQUEST_SECONDS, Send, Sender
from controlplane.outgoing.destinations import Allowed, read_allowed
from controlplane.outgoing.keyring import Keyring
from controlplane.outgoing.posting import post
from controlplane.settings import Settings
from events.timestamps import Timestamp


@dataclass(frozen=True)
class Outgoing:
    """What this process sends webhooks with."""

    allowed: Allowed
    keyring: Keyring
    send: Send
    attempts: int


def asks(settings: Settings) -> Ask:
    """How `external` criteria ask."""
    listed = read_allowed(settings.allowed_destinations)
    within = replace(
        WITHIN_THE_WALLS,
        hosts=listed.hosts,
        networks=listed.networks,
        private=settings.private_criteria,
    )
    return partial(ask, allowed=within)


def outgoing(settings: Settings, clock: Callable[[], Timestamp]) -> Outgoing:
    """What webhooks are sent with."""
    allowed = read_allowed(settings.allowed_destinations)
    allowed = replace(allowed, plain_http=settings.plain_http_webhooks)
    keyring = Keyring(os.environ, settings.secrets_dir)
    send = Sender(partial(post, allowed=allowed, seconds=REQUEST_SECONDS), keyring, clock)
    return Outgoing(allowed, keyring, send, settings.webhook_attempts)
