"""`controlplane access …`: who may do what over HTTP.

Here nobody is asked for a token: whoever reaches the database can do everything anyway.
"""

from typing import Annotated

import typer

from controlplane.cli.output import (
    Actor,
    Json,
    Reason,
    line,
    opened,
    print_json,
    print_table,
    remark,
    say,
    when,
    who,
    who_exactly,
)
from controlplane.errors import InvalidInput
from controlplane.permissions import ROLES
from controlplane.views import flag_view, review_view, token_view
from events.access import Role
from events.timestamps import Timestamp
from projections.access import Review, Token

app = typer.Typer(help="Tokens, roles, and reviews by a second person.", no_args_is_help=True)

TokenId = Annotated[str, typer.Argument(help="The token's id, not its text.")]
ReviewId = Annotated[str, typer.Argument(help="The review, as in review-1.")]


@app.command()
def issue(
    *,
    owner: Annotated[str, typer.Option(help="Who acts by it: a person, or a service.")],
    role: Annotated[list[str], typer.Option(help=f"{', '.join(ROLES)}. Repeatable.")],
    scope: Annotated[
        list[str],
        typer.Option(help="Narrow it: a permission, or flag:PATTERN. Repeatable."),
    ] = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires: Annotated[str, typer.Option(help="After how long, as in 90d; never: never.")] = "90d",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Issue a token. Its text, alone on standard output, is shown now, and never again."""
    with opened(may_create=True) as plane:
        issued = plane.access.issue(
            owner=owner,
            roles=[_role(one) for one in role],
            scopes=scope,
            name=name,
            expires_in=None if expires == "never" else expires,
            actor=who(actor),
        )
    if as_json:
        print_json(token_view(issued.token) | {"text": issued.text})
        return
    token = issued.token
    line(issued.text)
    until = when(token.expires_at) or "it is revoked"
    remark(f"Token {token.id} of {token.owner} ({', '.join(token.roles)}), valid until {until}.")


def _role(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise InvalidInput(reason=f"there is no role {text}; there are {', '.join(ROLES)}")


@app.command()
def tokens(*, as_json: Json = False) -> None:
    """List all tokens, those that open nothing any more included."""
    with opened() as plane:
        found, now = plane.access.tokens(), plane.clock()
    if as_json:
        print_json([token_view(token) for token in found])
        return
    rows = [
        (
            token.id,
            token.owner,
            ", ".join(token.roles),
            ", ".join(token.scopes),
            _state(token, now),
            token.issued_by,
            token.name,
        )
        for token in found
    ]
    columns = ("token", "owner", "roles", "narrowed to", "state", "issued by", "for")
    hint = "No tokens yet. Issue one: controlplane access issue --owner NAME --role ROLE"
    print_table(columns, rows, hint)


def _state(token: Token, now: Timestamp) -> str:
    if token.revoked_at is not None:
        return f"revoked {when(token.revoked_at)} by {token.revoked_by}"
    if not token.opens(now):
        return f"expired {when(token.expires_at)}"
    return f"until {when(token.expires_at)}" if token.expires_at else "until revoked"


@app.command()
def revoke(
    token: TokenId, *, reason: Reason = "", actor: Actor = "", as_json: Json = False
) -> None:
    """Let a token open nothing any more: everywhere within a second."""
    with opened() as plane:
        found = plane.access.revoke(token, actor=who(actor), reason=reason)
    say(f"token {found.id} of {found.owner} is revoked", as_json, lambda: token_view(found))


@app.command("break-glass")
def break_glass(
    flag: Annotated[str, typer.Argument(help="The flag.")],
    percentage: Annotated[float, typer.Argument(help="0 to 100, in steps of 0.001.")],
    *,
    reason: Annotated[str, typer.Option(help="Why it cannot wait for a second person.")],
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Raise a flag's exposure for everyone alone: past its rollout, past open alerts.

    It raises the alert GLASS_BROKEN, and a second person must review it.
    """
    with opened() as plane:
        found = plane.flags.break_glass(flag, percentage, actor=who_exactly(actor), reason=reason)
        (*_, review) = [one for one in plane.access.reviews() if one.flag == flag]
    text = f"{flag} serves {percentage:g} % of everyone; {review.id} waits for a second person"
    say(text, as_json, lambda: flag_view(found) | {"review": review.id})


@app.command()
def reviews(*, as_json: Json = False) -> None:
    """List what one person did alone, and who looked at it since."""
    with opened() as plane:
        found = plane.access.reviews()
    if as_json:
        print_json([review_view(review) for review in found])
        return
    rows = [
        (
            review.id,
            review.flag,
            f"{review.before:g} → {review.after:g} % of {review.audience}",
            f"{review.opened_by} {when(review.opened_at)}",
            _closed(review),
            review.reason,
        )
        for review in found
    ]
    print_table(("review", "flag", "raised", "by", "closed", "why"), rows, "Nothing to review.")


def _closed(review: Review) -> str:
    if review.closed_at is None:
        return "waits for a second person"
    return f"{review.closed_by} {when(review.closed_at)}: {review.note}"


@app.command("close-review")
def close_review(
    review: ReviewId,
    *,
    note: Annotated[str, typer.Option(help="What you found.")],
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Close a review, as a second person; with a flag's last one, its alert is resolved."""
    with opened() as plane:
        found = plane.access.close_review(review, actor=who_exactly(actor), note=note)
    say(f"{found.id} is closed by {found.closed_by}", as_json, lambda: review_view(found))
