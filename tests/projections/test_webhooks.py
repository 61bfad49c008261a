from typing import Any

from events.event import Actor
from events.webhooks import (
    WEBHOOK_STREAM,
    WebhookChanged,
    WebhookDeadLettered,
    WebhookPaused,
    WebhookRedelivered,
    WebhookRedeliveryRequested,
    WebhookRegistered,
    WebhookRemoved,
    WebhookResumed,
)
from projections.webhooks import (
    DEAD_LETTERS,
    WEBHOOKS,
    DeadLetter,
    Webhook,
    Webhooks,
    letter_key,
)
from tests.projections.recording import START, Told, at, told

FACTS: dict[str, Any] = {
    "url": "https://hooks.example/",
    "types": ("flag.*",),
    "secret": "deploys",
    "description": "deployments",
}


def registered(number: int = 1, after: int | None = None) -> WebhookRegistered:
    return WebhookRegistered(webhook=f"webhook-{number}", after=after, **FACTS)


def webhooks_after(*history: Told, actor: Actor | None = None) -> Webhooks:
    events = told(*history, actor=actor or Actor.person("ann"))
    assert {WEBHOOKS.key(event) for event in events} <= {WEBHOOK_STREAM}
    return WEBHOOKS.fold(WEBHOOK_STREAM, events)


def ids(webhooks: Webhooks) -> list[str]:
    return [webhook.id for webhook in webhooks.standing]


def test_at_first_nobody_is_told() -> None:
    assert webhooks_after() == Webhooks()


def test_it_stands_as_it_was_registered_and_begins_after_its_registration() -> None:
    first, second = webhooks_after(registered(1), at(5, registered(2, after=0))).standing
    assert first == Webhook(
        id="webhook-1", after=1, registered_by="ann", registered_at=START, **FACTS
    )
    assert (second.after, second.registered_at) == (0, START + 5)


def test_it_changes_and_stays_where_it_began() -> None:
    changed = WebhookChanged(
        webhook="webhook-1",
        url="https://other.example/",
        types=("*",),
        secret="other",  # noqa: S106  why: a name
        description="",
    )
    first, second = webhooks_after(registered(1), registered(2), changed).standing
    assert (first.url, first.types, first.secret, first.description, first.after) == (
        "https://other.example/", ("*",), "other", "", 1,
    )  # fmt: skip
    assert second.url == FACTS["url"]


def test_it_is_paused_for_a_reason_and_goes_on() -> None:
    paused = WebhookPaused(webhook="webhook-1", reason="answered 410 Gone")
    resumed = WebhookResumed(webhook="webhook-1", reason="")
    first, second = webhooks_after(registered(1), registered(2), paused).standing
    assert (first.paused, second.paused) == ("answered 410 Gone", None)
    assert webhooks_after(registered(), paused, resumed) == webhooks_after(registered())


def test_a_removed_one_is_gone_and_its_number_is_not_given_again() -> None:
    removed = WebhookRemoved(webhook="webhook-1", reason="x")
    webhooks = webhooks_after(registered(1), registered(2), removed)
    assert (ids(webhooks), webhooks.registered) == (["webhook-2"], 2)
    assert webhooks_after(registered(2), removed) == webhooks_after(registered(2))


def test_who_has_no_name_is_known_by_id() -> None:
    (webhook,) = webhooks_after(registered(), actor=Actor(kind="token", id="ci")).standing
    assert webhook.registered_by == "ci"


# Dead letters

dead = WebhookDeadLettered(
    webhook="webhook-1", position=42, event_id="x", event_type="flag.created", attempts=3, error="e"
)  # fmt: skip
asked = WebhookRedeliveryRequested(webhook="webhook-1", position=42)
redelivered = WebhookRedelivered(webhook="webhook-1", position=42)


def letter_after(*history: Told) -> DeadLetter:
    events = told(*history)
    assert {DEAD_LETTERS.key(event) for event in events} <= {letter_key("webhook-1", 42)}
    return DEAD_LETTERS.fold(letter_key("webhook-1", 42), events)


def test_a_dead_letter_says_what_was_not_delivered_and_why() -> None:
    assert letter_after() == DeadLetter()
    assert letter_after(at(7, dead)) == DeadLetter(
        webhook="webhook-1",
        position=42,
        event_id="x",
        event_type="flag.created",
        attempts=3,
        error="e",
        at=START + 7,
        state="dead",
    )


def test_it_is_tried_again_and_delivered_or_dead_again() -> None:
    assert letter_after(dead, asked).state == "requested"
    assert letter_after(dead, asked, redelivered).state == "redelivered"
    assert letter_after(dead, asked, dead) == letter_after(dead)


def test_the_letters_of_a_webhook_lie_together_in_order_of_the_log() -> None:
    keys = [letter_key("webhook-1", 9), letter_key("webhook-1", 10), letter_key("webhook-10", 1)]
    assert keys == sorted(keys)
    assert [key for key in keys if "webhook-1/" <= key < "webhook-10"] == keys[:2]
