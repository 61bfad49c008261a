"""`controlplane webhooks …`."""

from typing import Annotated

import typer

from controlplane.cli.output import (
    Actor,
    Json,
    line,
    opened,
    print_json,
    print_table,
    say,
    when,
    who,
)
from controlplane.outgoing.standings import Standing
from controlplane.views import letter_view, webhook_view
from controlplane.webhook_errors import DeliveryFailed
from projections.webhooks import Webhook

app = typer.Typer(help="Who is told what happens.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The webhook, as in webhook-3.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
Types = Annotated[
    list[str],
    typer.Option("--type", help="A stored name, or its beginning with a star. Repeatable."),
]
Everything = Annotated[
    bool, typer.Option("--everything", help="All types, but executions and webhook.*.")
]
_NONE = "Nobody is told. Begin: controlplane webhooks register URL --secret NAME --type 'rollout.*'"


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List the webhooks, and how far they are."""
    with opened() as plane:
        found = plane.webhooks.standings()
    if as_json:
        print_json([webhook_view(*one) for one in found])
        return
    rows = [
        (one.id, _state(one, standing), standing.position, ", ".join(one.types), one.url)
        for one, standing in found
    ]
    print_table(("webhook", "state", "up to", "types", "url"), rows, _NONE)


@app.command()
def show(webhook: Id, *, as_json: Json = False) -> None:
    """Show one, and how its last attempt went."""
    with opened() as plane:
        found, standing = plane.webhooks.get(webhook), plane.webhooks.standing(webhook)
        dead = len(plane.webhooks.dead_letters(webhook))
    if as_json:
        print_json(webhook_view(found, standing) | {"dead_letters": dead})
        return
    line(f"{found.id}: {_state(found, standing)}")
    for name, value in (
        ("url", found.url),
        ("types", ", ".join(found.types)),
        ("secret", found.secret),
        ("description", found.description),
        ("registered", f"{when(found.registered_at)} by {found.registered_by}"),
        ("up to", f"position {standing.position}"),
        ("delivered", when(standing.delivered_at) or "nothing yet"),
        ("last error", standing.error),
        ("dead letters", dead),
    ):
        line(f"  {name}: {value}")


@app.command()
def register(
    url: Annotated[str, typer.Argument(help="Where to POST: https://HOST/PATH.")],
    *,
    secret: Annotated[str, typer.Option(help="The name of what is signed with.")],
    types: Types = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    everything: Everything = False,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    after: Annotated[
        int | None, typer.Option(help="Begin after this position.", show_default="from now on")
    ] = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Send events to a URL, from now on."""
    with opened(may_create=True) as plane:
        webhook = plane.webhooks.register(
            url,
            secret=secret,
            actor=who(actor),
            types=types,
            everything=everything,
            description=description,
            after=after,
        )
        standing = plane.webhooks.standing(webhook.id)
    text = f"{webhook.id} is sent {', '.join(webhook.types)} after position {standing.position}"
    say(text, as_json, lambda: webhook_view(webhook, standing))


@app.command()
def change(
    webhook: Id,
    *,
    url: Annotated[str | None, typer.Option(help="Where to POST.")] = None,
    secret: Annotated[str | None, typer.Option(help="The name of what is signed with.")] = None,
    types: Types = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    everything: Everything = False,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Change what is given; what waits is tried at once."""
    with opened() as plane:
        changed = plane.webhooks.change(
            webhook,
            actor=who(actor),
            url=url,
            secret=secret,
            types=types,
            everything=everything,
            description=description,
        )
        standing = plane.webhooks.standing(webhook)
    text = f"{changed.id} is sent {', '.join(changed.types)}"
    say(text, as_json, lambda: webhook_view(changed, standing))


@app.command()
def pause(webhook: Id, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Send nothing until it is resumed; what happens meanwhile waits."""
    with opened() as plane:
        paused = plane.webhooks.pause(webhook, actor=who(actor), reason=reason)
        standing = plane.webhooks.standing(webhook)
    text = f"{paused.id} is paused at position {standing.position}"
    say(text, as_json, lambda: webhook_view(paused, standing))


@app.command()
def resume(
    webhook: Id,
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the history.")] = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Go on where it stood."""
    with opened() as plane:
        resumed = plane.webhooks.resume(webhook, actor=who(actor), reason=reason)
        standing = plane.webhooks.standing(webhook)
    text = f"{resumed.id} goes on after position {standing.position}"
    say(text, as_json, lambda: webhook_view(resumed, standing))


@app.command()
def remove(webhook: Id, reason: Why, *, actor: Actor = "", as_json: Json = False) -> None:
    """Send nothing any more."""
    with opened() as plane:
        removed = plane.webhooks.remove(webhook, actor=who(actor), reason=reason)
    say(f"{removed.id} is removed", as_json, lambda: webhook_view(removed))


@app.command("dead-letters")
def dead_letters(
    webhook: Annotated[str | None, typer.Argument(help="Default: of all of them.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List what could not be delivered."""
    with opened() as plane:
        letters = plane.webhooks.dead_letters(webhook)
    if as_json:
        print_json([letter_view(letter) for letter in letters])
        return
    rows = [
        (
            one.webhook,
            one.position,
            one.event_type,
            one.attempts,
            when(one.at),
            one.state,
            one.error,
        )
        for one in letters
    ]
    columns = ("webhook", "position", "event", "attempts", "given up", "state", "last error")
    print_table(columns, rows, "Everything was delivered, or is still being tried.")


@app.command()
def redeliver(
    webhook: Id,
    position: Annotated[int | None, typer.Argument(help="Default: all its dead letters.")] = None,
    *,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Have dead letters tried again; the scheduler does it."""
    with opened() as plane:
        letters = plane.webhooks.redeliver(webhook, position, actor=who(actor))
    text = f"{len(letters)} dead letters of {webhook} are tried again"
    say(text, as_json, lambda: [letter_view(letter) for letter in letters])


@app.command("test")
def send_test(webhook: Id, *, as_json: Json = False) -> None:
    """Send a webhook.test now, from here, and tell what came of it."""
    with opened() as plane:
        outcome = plane.webhooks.test(webhook)
    if outcome.kind != "delivered":
        raise DeliveryFailed(webhook=webhook, error=outcome.sentence)
    say(f"{webhook} {outcome.sentence}", as_json, lambda: {"answer": outcome.sentence})


def _state(webhook: Webhook, standing: Standing) -> str:
    if webhook.paused is not None:
        return f"paused: {webhook.paused}"
    if standing.attempts:
        return f"tried {standing.attempts} times, again at {when(standing.next_attempt_at)}"
    return "delivers"
