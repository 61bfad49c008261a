"""What an event is, and the envelope it is recorded in."""

from typing import ClassVar, Generic, Literal, Self, TypeVar

import msgspec

from events.timestamps import Timestamp

ActorKind = Literal["person", "token", "scheduler", "system"]


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact, in the past tense. Fields are the fact; everything around it is the envelope."""

    TYPE: ClassVar[str]
    SCHEMA_VERSION: ClassVar[int] = 1


E_co = TypeVar("E_co", bound=Event, covariant=True)


class Actor(msgspec.Struct, frozen=True):
    """Who did it. Copied into every event, so that renaming or leaving erases nothing."""

    kind: ActorKind
    id: str
    name: str = ""

    @classmethod
    def person(cls, id_: str) -> Self:
        """Someone who can be asked about it."""
        return cls(kind="person", id=id_, name=id_)

    @classmethod
    def system(cls, id_: str) -> Self:
        """A part of the control plane that acts by rule."""
        return cls(kind="system", id=id_, name=id_)


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way into the log."""

    stream: str
    event: Event
    id: str
    """A UUID. Appending the same id again appends nothing and answers with the first position."""
    occurred_at: Timestamp
    """When it happened, as its producer tells it."""
    actor: Actor
    correlation_id: str | None = None
    """What it belongs to: all events of one request, rollout or incident share it."""
    causation_id: str | None = None
    """The id of the event that led to this one."""


class RecordedEvent(msgspec.Struct, Generic[E_co], frozen=True, kw_only=True):
    """An event with its place in the log."""

    environment: str
    position: int
    """1, 2, 3 … without gaps, in the order of commits."""
    id: str
    stream: str
    version: int
    """1, 2, 3 … within the stream."""
    type: str
    """The name it was stored under."""
    schema_version: int
    occurred_at: Timestamp
    recorded_at: Timestamp
    """When the log learned it; never decreases with the position."""
    actor: Actor
    correlation_id: str | None
    causation_id: str | None
    data: str
    """The canonical JSON as stored and hashed."""
    hash: str
    """Hexadecimal SHA-256 of the previous hash and this event."""
    event: E_co


class Receipt(msgspec.Struct, frozen=True):
    """The answer to one appended event."""

    position: int
    duplicate: bool = False
    """Its id was in the log already: nothing was appended, `position` is the first one's."""
