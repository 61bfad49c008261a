"""What may be asked of history, as people say it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, TypedDict, TypeVar, cast, get_args

from controlplane.errors import InvalidInput
from controlplane.plane.core import moment
from events.event import ActorKind, Event
from events.log import Clock, Dimension, Query
from events.matching import matches_type
from projections.audit import SLICES, Slice, within

T = TypeVar("T", bound=str)

FARTHEST = 2**63 - 1
"""The last position that a database can count to."""

_TEXTS = ("stream", "actor", "correlation_id", "text", "clock", "slice", "kind")
_NUMBERS = ("after", "before", "limit")

Which = Literal["occurred", "recorded"]
"""The clock of who told of an event, or the log's own."""


class Question(TypedDict, total=False):
    """All conditions that are given must hold."""

    stream: str | None
    slice: Slice | None
    type: str | Sequence[str] | None
    """A stored name, or its beginning with a star (`flag.*`); of several, any."""
    actor: str | None
    kind: ActorKind | None
    """Of the actor."""
    correlation_id: str | None
    """What it belongs to: a rollout."""
    text: str | None
    """What a reason, a note or a finding says, in upper or lower case."""
    since: datetime | str | None
    until: datetime | str | None
    """Exclusive."""
    clock: Which
    after: int
    """Only positions above this one."""
    before: int | None
    """Only positions below this one."""
    newest_first: bool
    limit: int
    """At most so many; 1000 unless told."""


def query_of(asked: Question) -> Query:
    """As the log is asked. Raises InvalidInput."""
    _refuse_others(asked)
    after, before, limit = asked.get("after", 0), asked.get("before"), asked.get("limit", 1000)
    positions = (after, FARTHEST if before is None else before)
    if not (1 <= limit <= FARTHEST and all(0 <= one <= FARTHEST for one in positions)):
        raise InvalidInput(reason="limit starts at 1, positions at 0; both end at 2^63 - 1")
    return Query(
        stream=asked.get("stream"),
        type=_types(asked),
        actor=asked.get("actor"),
        kind=_one_of(asked.get("kind"), get_args(ActorKind), "kind"),
        correlation_id=asked.get("correlation_id"),
        text=asked.get("text") or None,
        since=moment(asked.get("since")),
        until=moment(asked.get("until")),
        clock=_clock(asked.get("clock", "occurred")),
        after=after,
        before=before,
        newest_first=asked.get("newest_first", False),
        limit=limit,
    )


def only(types: Iterable[type[Event]], asked: Question) -> Question:
    """The same question, about these events and no others. Raises InvalidInput."""
    patterns = query_of(asked).patterns
    names = [one.TYPE for one in types if matches_type(one.TYPE, patterns)]
    return asked | {"slice": None, "type": names}


def dimensions(by: Sequence[str]) -> tuple[Dimension, ...]:
    """What is counted by, each once. Raises InvalidInput."""
    known: tuple[Dimension, ...] = get_args(Dimension)
    for name in by:
        if name not in known:
            raise InvalidInput(reason=f"there is no group {name}; there are {', '.join(known)}")
    return tuple(cast("Dimension", name) for name in dict.fromkeys(by))


def _refuse_others(asked: Question) -> None:
    """What is misspelt would be no condition at all, and everything would be the answer."""
    known = Question.__annotations__
    for name, value in asked.items():
        if name not in known:
            there_are = ", ".join(known)
            raise InvalidInput(reason=f"there is no condition {name}; there are {there_are}")
        if value is None:
            continue
        if name in _TEXTS and not isinstance(value, str):
            raise InvalidInput(reason=f"{name} is a text, not {value!r:.100}")
        if name in _NUMBERS and (not isinstance(value, int) or isinstance(value, bool)):
            raise InvalidInput(reason=f"{name} is a whole number, not {value!r:.100}")


def _types(asked: Question) -> str | tuple[str, ...] | None:
    given = asked.get("type")
    patterns = (given,) if isinstance(given, str) else given
    if patterns is not None:
        if not isinstance(patterns, Sequence) or not all(isinstance(one, str) for one in patterns):
            raise InvalidInput(reason=f"type is a text or several, not {given!r:.100}")
        patterns = tuple(patterns)
    part = _one_of(asked.get("slice"), tuple(SLICES), "slice")
    return patterns if part is None else within(SLICES[part], patterns)


def _clock(which: Which) -> Clock:
    clocks: dict[str, Clock] = {"occurred": "occurred_at", "recorded": "recorded_at"}
    if which not in clocks:
        raise InvalidInput(reason=f"there is no clock {which}; there are {', '.join(clocks)}")
    return clocks[which]


def _one_of(given: T | None, known: Sequence[T], what: str) -> T | None:
    if given is not None and given not in known:
        raise InvalidInput(reason=f"there is no {what} {given}; there are {', '.join(known)}")
    return given
