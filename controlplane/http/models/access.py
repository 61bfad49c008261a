"""Tokens, reviews, and who asks."""

from typing import Annotated

from pydantic import Field

from controlplane.http.models.events import Actor
from controlplane.http.models.form import Moment, Said, Shown
from controlplane.permissions import Permission
from events.access import Role


class Me(Shown):
    """Who asks, and what may be had for the asking."""

    environment: str = Field(examples=["production"])
    actor: Actor = Field(description="Who acts, in what is recorded.")
    token: str | None = Field(
        description="Its id; null where the server runs open.", examples=["3f9c0a1b2c3d"]
    )
    expires_at: Moment | None
    roles: list[Role]
    permissions: list[Permission]
    flags: list[str] = Field(
        description="Patterns of the flags it is narrowed to; none: every flag.",
        examples=[["batch-*"]],
    )


_Scope = Annotated[str, Field(max_length=255, examples=["flag:batch-*"])]


class Grant(Said):
    """Who is given a token, and what it opens."""

    owner: str = Field(
        min_length=1,
        max_length=255,
        description="Who acts by it: a person, or a service.",
        examples=["ben"],
    )
    roles: list[Role] = Field(min_length=1, max_length=5, examples=[["operator"]])
    scopes: list[_Scope] = Field(
        default=[], max_length=100, description="Narrow it: permissions, and flag:PATTERN."
    )
    name: str = Field(default="", max_length=255, description="What it is for.")
    expires_in: str | None = Field(
        default="90d", max_length=64, description="Null: it lasts until it is revoked."
    )


class Token(Shown):
    """A token; its text is nowhere."""

    id: str = Field(examples=["3f9c0a1b2c3d"])
    owner: str = Field(examples=["ben"])
    name: str
    roles: list[Role]
    scopes: list[str]
    issued_by: str
    issued_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    revoked_by: str
    position: int = Field(ge=1, description="The log position of its last event.")


class NewToken(Token):
    """A token, and its text for this once."""

    text: str | None = Field(
        description="Keep it: it is never shown again, not under the same Idempotency-Key either: "
        "there it is null.",
        examples=["rcp_production_3f9c0a1b2c3d_…_1a2b3c4d"],
    )


class Review(Shown):
    """What one person did alone, for a second one to look at."""

    id: str = Field(examples=["review-1"])
    flag: str = Field(examples=["batch-patches-v1"])
    rollout: str | None = Field(description="The one that was in charge.")
    audience: str
    before: float = Field(ge=0, le=100)
    after: float = Field(ge=0, le=100)
    reason: str
    opened_by: str
    opened_at: Moment
    closed_by: str
    closed_at: Moment | None
    note: str
    position: int = Field(ge=1, description="The log position of its last event.")


class Finding(Said):
    """What you found."""

    note: str = Field(min_length=1, max_length=2000, examples=["it was down, INC-7"])
