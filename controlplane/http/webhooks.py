"""`/api/v1/webhooks`: who is told what happens. For admins: a URL may be a secret in itself."""

from typing import Annotated

from fastapi import Path, Query

from controlplane.http.calls import FARTHEST, After, Asking, Json, Limit, Plane, page
from controlplane.http.models.form import NOTHING_SAID, Because, Page, PerhapsBecause, everything
from controlplane.http.models.webhooks import (
    Change,
    Letter,
    Registration,
    Removed,
    Trial,
    Webhook,
)
from controlplane.http.route import router
from controlplane.plane import ControlPlane
from controlplane.views import letter_view, webhook_view

routes = router("webhooks", prefix="/api/v1/webhooks")

WebhookId = Annotated[str, Path(min_length=1, max_length=63, examples=["webhook-3"])]


@routes.get("", response_model=Page[Webhook])
def list_webhooks(plane: Plane) -> Json:
    """All webhooks, and how far they are. There are never more than one page of them."""
    return everything([webhook_view(*one) for one in plane.webhooks.standings()])


@routes.post("", response_model=Webhook)
def register_webhook(said: Registration, plane: Plane, asking: Asking) -> Json:
    """Send events to a URL, from now on or after a position. Asked twice, it is one webhook."""
    webhook = plane.webhooks.register(
        said.url,
        secret=said.secret,
        types=said.types,
        everything=said.everything,
        description=said.description,
        after=said.after,
        actor=asking.actor,
    )
    return _view(plane, webhook.id)


@routes.get("/{webhook}", response_model=Webhook)
def get_webhook(webhook: WebhookId, plane: Plane) -> Json:
    """One webhook, how far it is, and how its last attempt went."""
    return _view(plane, webhook)


@routes.patch("/{webhook}", response_model=Webhook)
def change_webhook(webhook: WebhookId, said: Change, plane: Plane, asking: Asking) -> Json:
    """Change what is given; what waits is tried at once."""
    plane.webhooks.change(
        webhook,
        url=said.url,
        secret=said.secret,
        types=said.types,
        everything=said.everything,
        description=said.description,
        actor=asking.actor,
    )
    return _view(plane, webhook)


@routes.delete("/{webhook}", response_model=Removed)
def remove_webhook(
    webhook: WebhookId,
    plane: Plane,
    asking: Asking,
    reason: Annotated[str, Query(min_length=1, max_length=2000)],
) -> Json:
    """Send nothing any more; as it stood."""
    return webhook_view(plane.webhooks.remove(webhook, actor=asking.actor, reason=reason))


@routes.post("/{webhook}/pause", response_model=Webhook)
def pause_webhook(webhook: WebhookId, said: Because, plane: Plane, asking: Asking) -> Json:
    """Send nothing until it is resumed; what happens meanwhile waits."""
    plane.webhooks.pause(webhook, actor=asking.actor, reason=said.reason)
    return _view(plane, webhook)


@routes.post("/{webhook}/resume", response_model=Webhook)
def resume_webhook(
    webhook: WebhookId, plane: Plane, asking: Asking, said: PerhapsBecause = NOTHING_SAID
) -> Json:
    """Go on where it stood."""
    plane.webhooks.resume(webhook, actor=asking.actor, reason=said.reason)
    return _view(plane, webhook)


@routes.post("/{webhook}/test", response_model=Trial)
def try_webhook(webhook: WebhookId, plane: Plane) -> Json:
    """Send a `webhook.test` now, and tell what came of it. Takes up to five seconds."""
    outcome = plane.webhooks.test(webhook)
    return {"delivered": outcome.kind == "delivered", "answer": outcome.sentence}


@routes.get("/{webhook}/dead-letters", response_model=Page[Letter])
def list_dead_letters(
    webhook: WebhookId, plane: Plane, after: After = 0, limit: Limit = 100
) -> Json:
    """What could not be delivered, in order of the log."""
    letters = plane.webhooks.dead_letters(webhook)
    return page(((one.position, letter_view(one)) for one in letters), after, limit)


@routes.post("/{webhook}/redeliver", response_model=Page[Letter])
def redeliver_dead_letters(webhook: WebhookId, plane: Plane, asking: Asking) -> Json:
    """Have all its dead letters tried again, the oldest thousand of them."""
    letters = plane.webhooks.redeliver(webhook, actor=asking.actor)
    return everything([letter_view(one) for one in letters])


@routes.post("/{webhook}/dead-letters/{position}/redeliver", response_model=Letter)
def redeliver_dead_letter(
    webhook: WebhookId,
    position: Annotated[int, Path(ge=1, le=FARTHEST)],
    plane: Plane,
    asking: Asking,
) -> Json:
    """Have one dead letter tried again."""
    (letter,) = plane.webhooks.redeliver(webhook, position, actor=asking.actor)
    return letter_view(letter)


def _view(plane: ControlPlane, id_: str) -> Json:
    return webhook_view(plane.webhooks.get(id_), plane.webhooks.standing(id_))
