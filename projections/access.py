"""Which tokens there are, and what waits for a review."""

from typing import assert_never, get_args

import msgspec
from msgspec.structs import replace

from events.access import (
    REVIEW_STREAM,
    TOKEN_STREAM,
    GlassBroken,
    ReviewClosed,
    Role,
    TokenIssued,
    TokenRevoked,
)
from events.event import RecordedEvent
from events.timestamps import Timestamp
from projections.projection import Projection

TokenEvent = TokenIssued | TokenRevoked
ReviewEvent = GlassBroken | ReviewClosed


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it stands. Whether it has expired is a question with a moment in it: not here."""

    id: str
    owner: str
    name: str
    roles: tuple[Role, ...]
    scopes: tuple[str, ...]
    digest: str
    issued_by: str
    issued_at: Timestamp
    expires_at: Timestamp | None
    revoked_at: Timestamp | None = None
    revoked_by: str = ""
    position: int = 0
    """The log position of its last event."""

    def opens(self, now: Timestamp) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Tokens(msgspec.Struct, frozen=True):
    """All tokens ever issued, by id."""

    by_id: dict[str, Token] = {}


def evolve_tokens(tokens: Tokens, recorded: RecordedEvent[TokenEvent]) -> Tokens:
    """Return the tokens after one more event."""
    match recorded.event:
        case TokenIssued() as issued:
            token = Token(
                id=issued.token,
                owner=issued.owner,
                name=issued.name,
                roles=issued.roles,
                scopes=issued.scopes,
                digest=issued.digest,
                issued_by=recorded.actor.id,
                issued_at=recorded.occurred_at,
                expires_at=issued.expires_at,
                position=recorded.position,
            )
            return Tokens(tokens.by_id | {token.id: token})
        case TokenRevoked(token=id_):
            known = tokens.by_id.get(id_)
            if known is None:
                return tokens
            revoked = replace(
                known,
                revoked_at=recorded.occurred_at,
                revoked_by=recorded.actor.id,
                position=recorded.position,
            )
            return Tokens(tokens.by_id | {id_: revoked})
        case _ as unreachable:
            assert_never(unreachable)


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What one person did alone, for a second one to look at."""

    id: str
    flag: str
    rollout: str | None
    audience: str
    before: float
    after: float
    reason: str
    opened_by: str
    opened_at: Timestamp
    closed_by: str = ""
    closed_at: Timestamp | None = None
    note: str = ""
    position: int = 0
    """The log position of its last event."""


class Reviews(msgspec.Struct, frozen=True):
    """All reviews, the earliest first."""

    all: tuple[Review, ...] = ()


def evolve_reviews(reviews: Reviews, recorded: RecordedEvent[ReviewEvent]) -> Reviews:
    """Return the reviews after one more event."""
    match recorded.event:
        case GlassBroken() as broken:
            review = Review(
                id=broken.review,
                flag=broken.flag,
                rollout=broken.rollout,
                audience=broken.audience,
                before=broken.before,
                after=broken.after,
                reason=broken.reason,
                opened_by=recorded.actor.id,
                opened_at=recorded.occurred_at,
                position=recorded.position,
            )
            return Reviews((*reviews.all, review))
        case ReviewClosed(review=id_, note=note):
            closed = {
                "closed_by": recorded.actor.id,
                "closed_at": recorded.occurred_at,
                "note": note,
                "position": recorded.position,
            }
            return Reviews(
                tuple(replace(one, **closed) if one.id == id_ else one for one in reviews.all)
            )
        case _ as unreachable:
            assert_never(unreachable)


TOKENS = Projection(
    "tokens",
    1,
    Tokens,
    frozenset(get_args(TokenEvent)),
    lambda _recorded: TOKEN_STREAM,
    lambda _key: Tokens(),
    evolve_tokens,
    stream=str,
)
REVIEWS = Projection(
    "reviews",
    1,
    Reviews,
    frozenset(get_args(ReviewEvent)),
    lambda _recorded: REVIEW_STREAM,
    lambda _key: Reviews(),
    evolve_reviews,
    stream=str,
)
