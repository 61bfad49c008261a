"""A question to the log, as SQL: what an index leads to, and what is looked at on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal, Self

from events.log import Query
from events.words import ascii_part, plain_part

_INTEGERS = frozenset({"position", "occurred_at"})
Order = Literal["position", "version", "none"]
NAMES: dict[str, Order] = {
    "id": "none",
    "causation_id": "none",
    "correlation_id": "position",
    "stream": "version",
}
"""Columns that a query names values of, the more telling first, and what orders them there."""


@dataclass(frozen=True)
class Condition:
    """A piece of SQL that holds for an event, and its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Source:
    """An index, and where in it the events wanted begin."""

    starts: tuple[Condition, ...]
    order: Order = "position"
    """Of what the events of one start come in order."""


@dataclass(frozen=True)
class Walk:
    """Along a source, between two bounds of its order, both exclusive, past what is not wanted."""

    source: Source
    low: int
    high: int | None
    filters: tuple[Condition, ...] = ()

    def past(self, filters: tuple[Condition, ...]) -> Self:
        """The same walk, past what does not meet these."""
        return replace(self, filters=filters)


EVERYTHING = Source((Condition("TRUE"),))
"""The log itself."""


@dataclass(frozen=True)
class Question:
    """A query, and what only the log knows about it."""

    query: Query
    dialect: str
    types: tuple[str, ...] | None = None
    """The stored names that its patterns match; None where any will do."""
    actors: tuple[tuple[str, str], ...] | None = None
    """Kind and id of each who it may be; None where it may be anybody, or too many."""

    def sources(self) -> dict[str, Source]:
        """What leads to its answers, the more telling first."""
        found: dict[str, Source] = {}
        for name, order in NAMES.items():
            if values := self.query.named(name):
                found[name] = Source((_one_of(name, values),), order)
        if self.actors is not None:
            both = "actor_kind = ? AND actor_id = ?"
            found["actor"] = Source(tuple(Condition(both, pair) for pair in self.actors))
        if self.types is not None:
            found["type"] = Source(tuple(Condition("type = ?", (one,)) for one in self.types))
        return found

    def strays(self, told: str, types: Sequence[str]) -> Source:
        """What happened in its time, and was told EARLY or LATE."""
        bounds = [("occurred_at >= ?", self.query.since), ("occurred_at < ?", self.query.until)]
        given = [Condition(sql, (value,)) for sql, value in bounds if value is not None]
        each = [Condition("type = ?", (one,)) for one in types]
        return Source(tuple(joined([Condition(told), one, *given]) for one in each), "none")

    def filters(self, source: str = "") -> tuple[Condition, ...]:
        """What its events must meet, and a source does not answer for."""
        query = self.query
        found: list[Condition | None] = [
            _one_of(self._hidden(name), values)
            for name in NAMES
            if name != source and (values := query.named(name))
        ]
        if source != "actor":
            found += [self._is("actor_id", query.actor), self._is("actor_kind", query.kind)]
        if source not in ("type", "strays") and self.types is not None:
            found.append(_one_of(self._hidden("type"), self.types))
        if query.clock == "occurred_at":
            found += [
                self._is("occurred_at", query.since, ">="),
                self._is("occurred_at", query.until, "<"),
            ]
        if query.text is not None:
            found.append(self._may_say(query.text))
        return tuple(one for one in found if one is not None)

    def _may_say(self, text: str) -> Condition:
        """What is left out does not say it; of what is left, each is read."""
        like, size = 'data COLLATE "C" ILIKE ?', "octet_length(data)"
        if self.dialect == "sqlite":
            like, size = "data LIKE ?", "length(CAST(data AS BLOB))"
        beyond_ascii = f"({size} <> length(data) AND {like})"
        parts = ascii_part(text), plain_part(text)
        return Condition(
            f"({like} OR {beyond_ascii} OR {like} ESCAPE '!')",
            (*(f"%{part}%" for part in parts), r"%\u%"),
        )

    def _is(self, column: str, value: Any, how: str = "=") -> Condition | None:
        return None if value is None else Condition(f"{self._hidden(column)} {how} ?", (value,))

    def _hidden(self, column: str) -> str:
        return hidden(column, self.dialect)


def hidden(column: str, dialect: str) -> str:
    """The column as no index has it: which one is walked is settled here, not by a planner.

    A planner does not know how many there are of one kind among those of another. Where it guesses
    wrong, it walks the whole log.
    """
    if dialect == "sqlite":
        return f"+{column}"
    return f"({column} + 0)" if column in _INTEGERS else f"({column} || '')"


def _one_of(column: str, values: Sequence[str]) -> Condition:
    if len(values) == 1:
        return Condition(f"{column} = ?", tuple(values))
    return Condition(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def joined(conditions: Sequence[Condition], word: str = " AND ") -> Condition:
    """All of them, in one."""
    parameters = chain.from_iterable(one.parameters for one in conditions)
    return Condition(word.join(one.sql for one in conditions), tuple(parameters))


def ordered_by(walk: Walk, dialect: str) -> str:
    """What its events are put in order by: what they come in order of, if they do."""
    return hidden("position", dialect) if walk.source.order == "none" else walk.source.order


def selects(
    walk: Walk, environment: str, columns: str, dialect: str, tail: str = ""
) -> list[Condition]:
    """A SELECT for each start of a walk. `tail`: an order and a limit."""
    by = ordered_by(walk, dialect)
    bounds = [Condition(f"{by} > ?", (walk.low,))]
    if walk.high is not None:
        bounds.append(Condition(f"{by} < ?", (walk.high,)))
    found = []
    for start in walk.source.starts:
        here = Condition("environment = ?", (environment,))
        where = joined([here, start, *bounds, *walk.filters])
        sql = f"SELECT {columns} FROM event_log WHERE {where.sql}{tail}"  # noqa: S608  why: constants
        found.append(Condition(sql, where.parameters))
    return found
