"""What may be done to webhooks, and which events are for which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from controlplane.errors import InvalidInput
from controlplane.outgoing.destinations import PUBLIC, Allowed, destination, refuse_credentials
from controlplane.webhook_errors import DeadLetterNotFound, WebhookNotFound
from events.catalog import CATALOG
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted
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
from projections.webhooks import DeadLetter, Webhook, Webhooks

MOST_WEBHOOKS = 50
"""In one environment. Each may keep a thread busy."""
EVERYTHING = "*"
_MOST_TYPES = 100
_BY_NAME = ("webhook.", BatchExecuted.TYPE)
"""Sent only where asked for by their whole name: what delivering leads to could feed itself, and
executions are many."""


@dataclass(frozen=True, kw_only=True)
class RegisterWebhook:
    """Send events of these types to a URL, from now on or from after a position."""

    url: str
    secret: str
    types: tuple[str, ...] = ()
    everything: bool = False
    """In the place of types."""
    description: str = ""
    after: int | None = None
    head: int = 0
    """The last position of the log."""


@dataclass(frozen=True, kw_only=True)
class ChangeWebhook:
    """What is None stays as it is."""

    webhook: str
    url: str | None = None
    types: tuple[str, ...] = ()
    """None of them, and not everything: they stay as they are."""
    everything: bool = False
    secret: str | None = None
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class PauseWebhook:
    """Send nothing until it is resumed."""

    webhook: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ResumeWebhook:
    """Go on where it stood."""

    webhook: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RemoveWebhook:
    """Send nothing any more."""

    webhook: str
    reason: str


WebhookCommand = RegisterWebhook | ChangeWebhook | PauseWebhook | ResumeWebhook | RemoveWebhook


def decide(
    webhooks: Webhooks, command: WebhookCommand, allowed: Allowed = PUBLIC
) -> list[WebhookEvent]:
    """The events a command leads to. Raises InvalidInput, WebhookNotFound.

    `allowed`: where requests may go, as far as a URL tells it.
    """
    match command:
        case RegisterWebhook():
            return _register(webhooks, command, allowed)
        case ChangeWebhook():
            return _change(find(webhooks, command.webhook), command, allowed)
        case PauseWebhook(webhook=id_, reason=reason):
            if not reason.strip():
                raise InvalidInput(reason="say why: a webhook is paused with a reason")
            running = find(webhooks, id_).paused is None
            return [WebhookPaused(webhook=id_, reason=reason)] if running else []
        case ResumeWebhook(webhook=id_, reason=reason):
            running = find(webhooks, id_).paused is None
            return [] if running else [WebhookResumed(webhook=id_, reason=reason)]
        case RemoveWebhook(webhook=id_, reason=reason):
            if not reason.strip():
                raise InvalidInput(reason="say why: a webhook is removed with a reason")
            return [WebhookRemoved(webhook=find(webhooks, id_).id, reason=reason)]
        case _ as unreachable:
            assert_never(unreachable)


def find(webhooks: Webhooks, id_: str) -> Webhook:
    """The webhook of this id. Raises WebhookNotFound."""
    for webhook in webhooks.standing:
        if webhook.id == id_:
            return webhook
    raise WebhookNotFound(webhook=id_)


def twin(webhooks: Webhooks, command: RegisterWebhook) -> Webhook | None:
    """The webhook that stands already and is what a command asks for: asked twice, it is one."""
    types = _types(command.types, everything=command.everything)
    for one in webhooks.standing:
        if (one.url, one.types, one.secret) == (command.url, types, command.secret):
            return one
    return None


def _register(webhooks: Webhooks, command: RegisterWebhook, allowed: Allowed) -> list[WebhookEvent]:
    _check_url(command.url, allowed)
    types = _types(command.types, everything=command.everything)
    if command.after is not None and not 0 <= command.after <= command.head:
        raise InvalidInput(reason=f"the log ends at {command.head}: begin after 0 to that")
    if twin(webhooks, command):
        return []
    if len(webhooks.standing) >= MOST_WEBHOOKS:
        raise InvalidInput(reason=f"there are {MOST_WEBHOOKS} webhooks already: remove one first")
    registered = WebhookRegistered(
        webhook=f"webhook-{webhooks.registered + 1}",
        url=command.url,
        types=types,
        secret=command.secret,
        description=command.description,
        after=command.after,
    )
    return [registered]


def _change(webhook: Webhook, command: ChangeWebhook, allowed: Allowed) -> list[WebhookEvent]:
    named = command.types or command.everything
    changed = WebhookChanged(
        webhook=webhook.id,
        url=webhook.url if command.url is None else command.url,
        types=_types(command.types, everything=command.everything) if named else webhook.types,
        secret=webhook.secret if command.secret is None else command.secret,
        description=webhook.description if command.description is None else command.description,
    )
    _check_url(changed.url, allowed)
    before = (webhook.url, webhook.types, webhook.secret, webhook.description)
    after = (changed.url, changed.types, changed.secret, changed.description)
    return [changed] if after != before else []


def _check_url(url: str, allowed: Allowed) -> None:
    destination(url, allowed)
    refuse_credentials(url)


# Which events


def _types(patterns: Sequence[str], *, everything: bool) -> tuple[str, ...]:
    """Patterns as they are recorded: each once, and each of them meets something."""
    if everything and not patterns:
        return (EVERYTHING,)
    if everything or EVERYTHING in patterns or not 1 <= len(patterns) <= _MOST_TYPES:
        raise InvalidInput(
            reason=f"name 1 to {_MOST_TYPES} types of events (flag.*, alert.raised), or say that "
            "everything is to be sent, not both"
        )
    for pattern in patterns:
        if not met(pattern):
            known = ", ".join(sorted({f"{name.split('.')[0]}.*" for name in CATALOG}))
            raise InvalidInput(
                reason=f"no event is called {pattern:.100}; there are {known}, of which webhook.* "
                f"and {BatchExecuted.TYPE} are sent only where asked for by their whole names"
            )
    return tuple(sorted(set(patterns)))


def met(pattern: str) -> frozenset[str]:
    """The stored names that a pattern means; none where it begins with half a word."""
    if not pattern.endswith("*"):
        return frozenset({pattern} & CATALOG.keys())
    start = pattern[:-1]
    return frozenset(
        name
        for name in CATALOG
        if name.startswith(start)
        and ("." in start or pattern == EVERYTHING)
        and not name.startswith(_BY_NAME)
    )


def names_for(webhook: Webhook) -> list[str]:
    """The stored names of the events that a webhook is sent."""
    return sorted(set().union(*(met(pattern) for pattern in webhook.types)))


def is_for(webhook: Webhook, recorded: RecordedEvent[Event]) -> bool:
    """Whether an event of these names is sent: what is said about itself is not."""
    return getattr(recorded.event, "webhook", None) != webhook.id


# Dead letters


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """An event was tried often enough."""

    webhook: str
    position: int
    event_id: str
    event_type: str
    attempts: int
    error: str


@dataclass(frozen=True, kw_only=True)
class RequestRedelivery:
    """Try a dead letter again."""

    webhook: str
    position: int


@dataclass(frozen=True, kw_only=True)
class NoteRedelivery:
    """A dead letter was delivered."""

    webhook: str
    position: int


DeliveryCommand = GiveUp | RequestRedelivery | NoteRedelivery


def decide_letter(letter: DeadLetter, command: DeliveryCommand) -> list[DeliveryEvent]:
    """The events a command leads to. Raises DeadLetterNotFound."""
    id_, position = command.webhook, command.position
    match command:
        case GiveUp() as given:
            if letter.state == "dead":
                return []  # It was killed before it went on to the next one.
            dead = WebhookDeadLettered(
                webhook=id_,
                position=position,
                event_id=given.event_id,
                event_type=given.event_type,
                attempts=given.attempts,
                error=given.error,
            )
            return [dead]
        case RequestRedelivery() if letter.state in ("absent", "redelivered"):
            raise DeadLetterNotFound(webhook=id_, position=position)
        case RequestRedelivery():
            asked = letter.state == "requested"
            return [] if asked else [WebhookRedeliveryRequested(webhook=id_, position=position)]
        case NoteRedelivery():
            done = letter.state == "redelivered"
            return [] if done else [WebhookRedelivered(webhook=id_, position=position)]
        case _ as unreachable:
            assert_never(unreachable)


def is_open(letter: DeadLetter) -> bool:
    """Whether the event is still not delivered."""
    return letter.state in ("dead", "requested")
