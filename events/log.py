"""What an event log does, whatever it is kept in."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, Protocol, get_args

import msgspec

from events.chain import Head, Row
from events.codec import encode
from events.errors import InvalidEvent
from events.event import ActorKind, Event, NewEvent, Receipt, RecordedEvent
from events.timestamps import NEWEST, OLDEST, Timestamp

Clock = Literal["occurred_at", "recorded_at"]
Dimension = Literal["actor", "kind", "type", "stream", "day", "hour"]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A question to the log: all conditions that are given must hold."""

    id: str | tuple[str, ...] | None = None
    """Of several, any; and so with `type` and `causation_id`."""
    stream: str | None = None
    type: str | tuple[str, ...] | None = None
    """A stored name, or the start of one with a star: `flag.*`."""
    actor: str | None = None
    kind: ActorKind | None = None
    """Of the actor."""
    correlation_id: str | None = None
    causation_id: str | tuple[str, ...] | None = None
    text: str | None = None
    """What a reason, a note or a finding says, in upper or lower case."""
    since: Timestamp | None = None
    until: Timestamp | None = None
    clock: Clock = "occurred_at"
    """Which of the two times `since` and `until` (exclusive) speak of."""
    after: int = 0
    """Only positions above this one."""
    before: int | None = None
    """Only positions below this one."""
    newest_first: bool = False
    limit: int = 1000

    @property
    def patterns(self) -> tuple[str, ...] | None:
        """The types wanted; None where all are."""
        given = self.named("type")
        return None if given is None or "*" in given else given

    def named(self, field: str) -> tuple[str, ...] | None:
        """The values that a field may have; None where any will do."""
        given: str | tuple[str, ...] | None = getattr(self, field)
        return (given,) if isinstance(given, str) else given


class Count(msgspec.Struct, frozen=True):
    """How many events there are of one kind."""

    values: tuple[str, ...]
    """What they have in common, in the order in which it was asked for. A day is `2026-11-20`,
    an hour `2026-11-20T14:00Z`."""
    count: int


class Replayable(Protocol):
    """A log as far as it can be read: there is nothing here to append with."""

    environment: str

    def read(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent[Event]]:
        """Events above position `after`, in order, at most `limit`."""

    def read_stream(self, stream: str, after_version: int = 0) -> list[RecordedEvent[Event]]:
        """Return one stream's events above a version, in order."""

    def search(self, query: Query) -> list[RecordedEvent[Event]]:
        """Events that answer a query, in order of position (or backwards)."""

    def count(self, query: Query, by: Sequence[Dimension] = ()) -> list[Count]:
        """How many events answer a query, whatever its limit, by what they have in common.

        In order of the values; days are in UTC, by the query's clock.
        """

    def head(self) -> Head:
        """Position and hash of the last event."""


class ReadOnly:
    """A log of which nothing but the reading is handed on."""

    def __init__(self, log: Replayable) -> None:
        self.environment = log.environment
        self._log = log

    def read(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent[Event]]:
        """See Replayable.read."""
        return self._log.read(after, limit)

    def read_stream(self, stream: str, after_version: int = 0) -> list[RecordedEvent[Event]]:
        """See Replayable.read_stream."""
        return self._log.read_stream(stream, after_version)

    def search(self, query: Query) -> list[RecordedEvent[Event]]:
        """See Replayable.search."""
        return self._log.search(query)

    def count(self, query: Query, by: Sequence[Dimension] = ()) -> list[Count]:
        """See Replayable.count."""
        return self._log.count(query, by)

    def head(self) -> Head:
        """See Replayable.head."""
        return self._log.head()


class EventLog(Replayable, Protocol):
    """An ordered, append-only log of one environment."""

    @property
    def closed(self) -> bool:
        """Whether close() was called: nothing follows any more."""

    def append(
        self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None
    ) -> list[Receipt]:
        """Append all or none, in one transaction; durable when this returns.

        `expected` maps streams to the version they must be at (0: not there yet). An id that is
        in the log already is answered with its first position. Raises VersionConflict,
        InvalidEvent, LogUnavailable.
        """

    def wait(self, after: int, timeout: float) -> int:
        """Block until the log is beyond `after`, at most `timeout` seconds; the last position."""

    def rows(self, after: int, upto: int) -> Iterator[Row]:
        """What is stored above `after`, up to a position, undecoded: what was hashed."""

    def verify(
        self,
        witnesses: Sequence[Head] = (),
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Head:
        """Walk the whole hash chain, and hold it to heads noted earlier. Raises ChainBroken.

        `progress(position, last)` is called now and then.
        """

    def forget_parent(self) -> None:
        """In a forked child: threads and held locks stayed with the parent."""

    def close(self) -> None:
        """Let go of threads and connections."""


def follow(
    log: EventLog, after: int = 0, *, idle_timeout: float | None = None, batch: int = 1000
) -> Iterator[RecordedEvent[Event]]:
    """Every event above `after`, once, in order, until the log is closed or was idle so long."""
    while not log.closed:
        events = log.read(after, batch)
        if events:
            yield from events
            after = events[-1].position
            continue
        reached = log.wait(after, 60.0 if idle_timeout is None else idle_timeout)
        if reached <= after and idle_timeout is not None:
            return


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LIMITS = {"stream": 255, "correlation_id": 255, "causation_id": 36}


_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters and halves of surrogate pairs: some databases cannot keep them."""

_ACTOR_KINDS = get_args(ActorKind)


def prepare(
    events: Sequence[NewEvent], expected: Mapping[str, int] | None = None
) -> list[tuple[NewEvent, str]]:
    """Check envelopes and encode data, before any lock is taken. Raises InvalidEvent.

    What is refused here cannot fail a transaction that others share.
    """
    for stream in expected or ():
        _check_text("stream", stream, _LIMITS["stream"], required=True)
    return [(_checked(new), encode(new.event)) for new in events]


def can_be_stored(text: str) -> bool:
    """Whether a name like this can be in the log at all; some databases choke on others."""
    return not _UNPRINTABLE.search(text)


def _checked(new: NewEvent) -> NewEvent:
    if not _UUID.fullmatch(new.id):
        raise InvalidEvent(reason=f"id {new.id!r} is not a UUID in lower case with hyphens")
    for name, limit in _LIMITS.items():
        _check_text(name, getattr(new, name), limit, required=name == "stream")
    _check_text("actor id", new.actor.id, 255, required=True)
    _check_text("actor name", new.actor.name, 255, required=False)
    if new.actor.kind not in _ACTOR_KINDS:
        raise InvalidEvent(reason=f"actor kind {new.actor.kind!r} is none of {_ACTOR_KINDS}")
    if not (isinstance(new.occurred_at, int) and OLDEST <= new.occurred_at <= NEWEST):
        raise InvalidEvent(reason=f"occurred_at {new.occurred_at} is not in the years 1 to 9999")
    return new


def _check_text(name: str, text: str | None, limit: int, *, required: bool) -> None:
    if text is None:
        return
    if (required and not text) or len(text) > limit:
        raise InvalidEvent(reason=f"{name} must have 1 to {limit} characters, not {len(text)}")
    if not can_be_stored(text):
        raise InvalidEvent(reason=f"{name} {text!r} holds characters that cannot be printed")
