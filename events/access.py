"""What can happen to access. These names are stored: change one only with an upcast.

Who acts is in the envelope. A token's secret is never here: its SHA-256 is.
"""

from typing import Annotated, Literal

import msgspec

from events.event import Event
from events.flags import Percentage, Text
from events.timestamps import Timestamp

Role = Literal["viewer", "ingestor", "operator", "approver", "admin"]

TOKEN_STREAM = "access-tokens"  # noqa: S105  why: a stream's name
"""One stream holds all tokens of an environment: they are looked up together."""
REVIEW_STREAM = "access-reviews"
COMMAND_STREAM = "access-commands"
DENIAL_STREAM = "access-denials"

_Short = Annotated[str, msgspec.Meta(max_length=255)]


class TokenIssued(Event, frozen=True):
    """Somebody was given a token. Its text was shown once, and is kept nowhere."""

    TYPE = "access.token_issued"
    token: str
    owner: _Short
    """Who acts by it: a person, or a service."""
    name: _Short
    """What it is for."""
    roles: tuple[Role, ...]
    scopes: tuple[_Short, ...]
    """What it is narrowed to: permissions, and flags as in `flag:batch-*`; empty: to nothing."""
    digest: str
    """Hexadecimal SHA-256 of its text."""
    expires_at: Timestamp | None
    """None: it lasts until it is revoked."""


class TokenRevoked(Event, frozen=True):
    """The token opens nothing any more."""

    TYPE = "access.token_revoked"
    token: str
    reason: Text


class CommandAccepted(Event, frozen=True):
    """A command over HTTP was carried out. What it led to has this event as its cause."""

    TYPE = "access.command_accepted"
    command: _Short
    method: _Short
    path: Annotated[str, msgspec.Meta(max_length=500)]
    token: str
    """Empty where the server runs open (--dev)."""
    address: _Short
    """Of who sent it, as the server sees it."""
    changed: bool
    """Whether anything had to be done."""
    fingerprint: str
    """SHA-256 of what was asked; empty where no idempotency key was given."""
    result: str
    """What the command spoke of, for whoever asks again under the same idempotency key; its answer
    where it led to no event."""


class CommandDenied(Event, frozen=True):
    """A command over HTTP was refused, and did nothing."""

    TYPE = "access.command_denied"
    command: _Short
    method: _Short
    path: Annotated[str, msgspec.Meta(max_length=500)]
    token: str
    """Empty where none was given, or none that is known."""
    address: _Short
    status: int
    """Of the answer, as in HTTP."""
    problem: _Short
    """The kind of refusal, as in `SamePerson`."""
    reason: Text


class DenialsSuppressed(Event, frozen=True):
    """So many refusals came at once that some were counted, not recorded."""

    TYPE = "access.denials_suppressed"
    count: int
    since: Timestamp


class GlassBroken(Event, frozen=True):
    """One person alone raised an exposure that takes two, for a reason. It waits for a review."""

    TYPE = "access.glass_broken"
    review: str
    flag: str
    before: Percentage
    after: Percentage
    audience: str
    rollout: str | None
    """The rollout that was in charge."""
    reason: Text


class ReviewClosed(Event, frozen=True):
    """A second person looked at what one had done alone."""

    TYPE = "access.review_closed"
    review: str
    note: Text


AccessEvent = (
    TokenIssued
    | TokenRevoked
    | CommandAccepted
    | CommandDenied
    | DenialsSuppressed
    | GlassBroken
    | ReviewClosed
)


def command_stream(id_: str) -> str:
    """The stream of one command that came with an idempotency key: it can be done once."""
    return f"command-{id_}"
