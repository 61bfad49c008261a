"""Who may do what: `/api/v1/me`, tokens, and reviews by a second person."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query

from controlplane.access_errors import ReviewNotFound
from controlplane.http.calls import After, Asking, Json, Limit, Plane, page
from controlplane.http.models.access import Finding, Grant, Me, NewToken, Review, Token
from controlplane.http.models.form import NOTHING_SAID, Page, PerhapsBecause
from controlplane.http.route import router
from controlplane.permissions import PERMISSIONS
from controlplane.views import moment, review_view, token_view

routes = router("access")

TokenId = Annotated[
    str,
    Path(min_length=1, max_length=63, description="Not its text.", examples=["3f9c0a1b2c3d"]),
]
ReviewId = Annotated[str, Path(min_length=1, max_length=63, examples=["review-1"])]


@routes.get("/me", response_model=Me)
def who_am_i(plane: Plane, asking: Asking) -> Json:
    """Who you are here, and what you may do."""
    token = plane.access.get(asking.token) if asking.token else None
    return {
        "environment": plane.environment,
        "actor": {"kind": asking.actor.kind, "id": asking.actor.id, "name": asking.actor.name},
        "token": token.id if token else None,
        "expires_at": moment(token.expires_at) if token else None,
        "roles": list(asking.roles),
        "permissions": [one for one in PERMISSIONS if asking.may(one)],
        "flags": list(asking.flags),
    }


@routes.get("/tokens", response_model=Page[Token])
def list_tokens(plane: Plane, after: After = 0, limit: Limit = 100) -> Json:
    """All tokens, those that open nothing any more included."""
    found = ((token.position, token_view(token)) for token in plane.access.tokens())
    return page(found, after, limit)


@routes.post("/tokens", response_model=NewToken, status_code=HTTPStatus.CREATED)
def issue_token(said: Grant, plane: Plane, asking: Asking) -> Json:
    """Give somebody a token. Its text is in this answer, and never again anywhere."""
    issued = plane.access.issue(
        owner=said.owner,
        roles=said.roles,
        scopes=said.scopes,
        name=said.name,
        expires_in=said.expires_in,
        actor=asking.actor,
    )
    return token_view(issued.token) | {"text": issued.text or None}


@routes.get("/tokens/{token}", response_model=Token)
def get_token(token: TokenId, plane: Plane) -> Json:
    """One token."""
    return token_view(plane.access.get(token))


@routes.post("/tokens/{token}/revoke", response_model=Token)
def revoke_token(
    token: TokenId, plane: Plane, asking: Asking, said: PerhapsBecause = NOTHING_SAID
) -> Json:
    """Let a token open nothing any more: here at once, elsewhere within a second."""
    return token_view(plane.access.revoke(token, actor=asking.actor, reason=said.reason))


@routes.get("/reviews", response_model=Page[Review])
def list_reviews(
    plane: Plane,
    asking: Asking,
    *,
    open_: Annotated[
        bool | None, Query(alias="open", description="Default: open ones and closed ones.")
    ] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Json:
    """What one person did alone, and who looked at it since."""
    found = (
        (review.position, review_view(review))
        for review in plane.access.reviews()
        if asking.sees(review.flag) and open_ in (None, review.closed_at is None)
    )
    return page(found, after, limit)


@routes.get("/reviews/{review}", response_model=Review)
def get_review(review: ReviewId, plane: Plane, asking: Asking) -> Json:
    """One review."""
    found = plane.access.review(review)
    if not asking.sees(found.flag):
        raise ReviewNotFound(review=review)
    return review_view(found)


@routes.post("/reviews/{review}/close", response_model=Review)
def close_review(review: ReviewId, said: Finding, plane: Plane, asking: Asking) -> Json:
    """Say what you found, as a second person; with a flag's last one, its alert is resolved."""
    return review_view(plane.access.close_review(review, actor=asking.actor, note=said.note))
