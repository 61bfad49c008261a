"""What may be done to tokens and reviews."""

from dataclasses import dataclass
from typing import assert_never

from controlplane import permissions
from controlplane.access_errors import ReviewNotFound, SameReviewer, TokenNotFound
from controlplane.errors import InvalidInput
from controlplane.people import plain, refuse_machines, require_reason
from events.access import ReviewClosed, Role, TokenIssued, TokenRevoked
from events.event import Actor
from events.log import can_be_stored
from events.timestamps import DAY, Timestamp
from projections.access import Review, Reviews, Tokens

LONGEST_US = 3660 * DAY


@dataclass(frozen=True, kw_only=True)
class IssueToken:
    """Give somebody a token."""

    token: str
    digest: str
    owner: str
    name: str
    roles: tuple[Role, ...]
    scopes: tuple[str, ...]
    expires_in_us: int | None


@dataclass(frozen=True, kw_only=True)
class RevokeToken:
    """Let it open nothing any more."""

    token: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class CloseReview:
    """Say what a second person found."""

    review: str
    closed_by: Actor
    note: str


def decide_on_tokens(
    tokens: Tokens, command: IssueToken | RevokeToken, now: Timestamp
) -> list[TokenIssued | TokenRevoked]:
    """The events a command leads to; none where it changes nothing. Raises a refusal."""
    match command:
        case IssueToken():
            return [_issued(command, now)]
        case RevokeToken(token=id_, reason=reason):
            known = tokens.by_id.get(id_)
            if known is None:
                raise TokenNotFound(token=id_)
            return [] if known.revoked_at else [TokenRevoked(token=id_, reason=reason)]
        case _ as unreachable:
            assert_never(unreachable)


def _issued(command: IssueToken, now: Timestamp) -> TokenIssued:
    if not plain(command.owner):
        raise InvalidInput(reason="a token has an owner: who acts by it")
    if not can_be_stored(command.owner.strip()):  # Whatever was done by it could not be recorded.
        raise InvalidInput(reason=f"owner {command.owner!r} holds what cannot be printed")
    permissions.check(command.roles, command.scopes)
    lasts_us = command.expires_in_us
    if lasts_us is not None and not 0 < lasts_us <= LONGEST_US:
        raise InvalidInput(reason="a token lasts for more than nothing and at most ten years")
    return TokenIssued(
        token=command.token,
        owner=command.owner.strip(),
        name=command.name.strip(),
        roles=tuple(role for role in permissions.ROLES if role in command.roles),
        scopes=tuple(dict.fromkeys(command.scopes)),
        digest=command.digest,
        expires_at=None if lasts_us is None else now + lasts_us,
    )


def decide_on_reviews(reviews: Reviews, command: CloseReview) -> list[ReviewClosed]:
    """The events a command leads to; none where it changes nothing. Raises a refusal."""
    review = find(reviews, command.review)
    if review.closed_at is not None:
        return []
    refuse_machines(command.closed_by)
    require_reason("closing a review", command.note)
    if plain(command.closed_by.id) == plain(review.opened_by):
        raise SameReviewer(actor=command.closed_by.id, review=review.id)
    return [ReviewClosed(review=review.id, note=command.note)]


def find(reviews: Reviews, id_: str) -> Review:
    """One review. Raises ReviewNotFound."""
    for review in reviews.all:
        if review.id == id_:
            return review
    raise ReviewNotFound(review=id_)
