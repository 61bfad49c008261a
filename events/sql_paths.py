"""Which way leads to the answers of a question: at a cost that follows them, and not the log.

A time is turned into a position by halving; then one index is walked between two positions. Of
several that could be, it is the one with the fewest events there.
"""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, get_args

from events.errors import ChainBroken
from events.event import ActorKind
from events.log import Query, can_be_stored
from events.sql_query import EVERYTHING, NAMES, Condition, Question, Source, Walk, joined, selects
from events.tables import EARLY, LATE, STRAY_US
from events.timestamps import Timestamp
from events.words import speaks

Fetch = Callable[[str, tuple[Any, ...]], list[Any]]

_FEW = (60, 250, 1_000, 4_000, 16_000, 64_000)
"""Up to so many are counted to find the shortest walk: it costs in proportion to that."""
_MANY_ACTORS = 300
"""More are not looked up one by one."""
_BEYOND = "\x7f"
"""Sorts behind all that a stored name is made of."""


class Paths:
    """Through one environment's log."""

    def __init__(self, fetch: Fetch, environment: str, dialect: str) -> None:
        self._fetch = fetch
        self._environment = environment
        self._dialect = dialect

    def walks(self, query: Query) -> list[Walk]:
        """The ways to its answers, which none shares with another; none where there is none."""
        question = self._question(query)
        if question is None:
            return []
        if query.since is None and query.until is None:
            return self._near(question, query.after, query.before)
        spread = STRAY_US if query.clock == "occurred_at" else 0
        low, high = self._between(query, spread)
        walks = self._near(question, low, high)
        if spread:
            first, last = query.after, query.before
            below = low + 1 if last is None else min(low + 1, last)
            walks += self._astray(question, EARLY, first, below)
            if high is not None:
                walks += self._astray(question, LATE, max(high - 1, first), last)
        return walks

    def _question(self, query: Query) -> Question | None:
        """With what only the log knows; None where nothing can answer."""
        patterns = query.patterns
        named = [query.named(column) for column in NAMES]
        texts = chain((query.actor or "",), patterns or (), *(one or () for one in named))
        if () in named or not all(can_be_stored(text) for text in texts):
            return None
        types = actors = None
        if patterns is not None:
            types = self._types(patterns)
        elif query.text is not None:
            types = tuple(one for one in self._types(("*",)) if speaks(one))
        if query.actor is not None:
            kinds = get_args(ActorKind) if query.kind is None else (query.kind,)
            actors = tuple((kind, query.actor) for kind in kinds)
        elif query.kind is not None:
            actors = self._actors(query.kind)
        return None if () in (types, actors) else Question(query, self._dialect, types, actors)

    def _types(self, patterns: tuple[str, ...]) -> tuple[str, ...]:
        """The stored names that match, each once."""
        found: dict[str, None] = {}
        for pattern in patterns:
            if not pattern.endswith("*"):
                found[pattern] = None
                continue
            start = pattern[:-1]
            bounds = (self._environment, start, start + _BEYOND)
            rows = self._fetch(_TYPES, (*bounds, self._environment, start + _BEYOND))
            found |= dict.fromkeys(name for (name,) in rows)
        return tuple(found)

    def _actors(self, kind: str) -> tuple[tuple[str, str], ...] | None:
        here = (self._environment, kind)
        rows = self._fetch(_ACTORS, (*here, *here, _MANY_ACTORS + 1))
        return None if len(rows) > _MANY_ACTORS else tuple((kind, id_) for (id_,) in rows)

    def _between(self, query: Query, spread: int) -> tuple[int, int | None]:
        """The positions of what was recorded in the time asked for, or nearly; exclusive."""
        low, high = query.after, query.before
        if query.since is not None:
            low = max(low, self._recorded_before(query.since - spread)[0])
        if query.until is not None:
            last, head = self._recorded_before(query.until + spread)
            if last < head:
                high = last + 1 if high is None else min(high, last + 1)
        return low, high

    def _recorded_before(self, moment: Timestamp) -> tuple[int, int]:
        """The last position that was recorded before a moment, and the last there is."""
        here = self._environment
        return self._halved(_RECORDED_BEFORE, (here, moment, moment, here))

    def _version_before(self, stream: str, position: int) -> int:
        """The last version of a stream that lies before a position."""
        here = (self._environment, stream)
        return self._halved(_VERSION_BEFORE, (*here, position, position, *here))[0]

    def _halved(self, sql: str, parameters: tuple[Any, ...]) -> tuple[int, int]:
        ((low, high, last),) = self._fetch(sql, parameters)
        if low < high:
            raise ChainBroken(position=(low + high + 1) // 2, reason="it is not there")
        return low, last

    def _near(self, question: Question, low: int, high: int | None) -> list[Walk]:
        if high is not None and high <= low + 1:
            return []
        sources = question.sources() or {"": EVERYTHING}
        ways = {name: self._walk(source, low, high) for name, source in sources.items()}
        name = self._shortest(ways)
        return [ways[name].past(question.filters(name))]

    def _astray(self, question: Question, told: str, low: int, high: int | None) -> list[Walk]:
        """To what happened in the time asked for, and was recorded long before or after it."""
        if high is not None and high <= low + 1:
            return []
        ways = {name: self._walk(source, low, high) for name, source in question.sources().items()}
        types = self._types(("*",)) if question.types is None else question.types
        if types:
            ways["strays"] = Walk(question.strays(told, types), low, high)
        if not ways:
            return []
        name = self._shortest(ways)
        return [ways[name].past(question.filters(name))]

    def _walk(self, source: Source, low: int, high: int | None) -> Walk:
        """Between two positions, which in a stream are versions."""
        if source.order == "version" and (low or high is not None):
            (stream,) = source.starts[0].parameters
            low = self._version_before(stream, low + 1)
            high = None if high is None else self._version_before(stream, high) + 1
        return Walk(source, low, high)

    def _shortest(self, ways: Mapping[str, Walk]) -> str:
        """The one with the fewest events; where all have many, the first."""
        for few in _FEW if len(ways) > 1 else ():
            shortest, least = "", few
            for name, walk in ways.items():
                length = self._length(walk, least)
                if length < least:
                    shortest, least = name, length
            if shortest:
                return shortest
        return next(iter(ways))

    def _length(self, walk: Walk, few: int) -> int:
        """How many events a walk leads past, counted up to a few."""
        order = f" ORDER BY {walk.source.order}"  # As an index has it, so that one is taken.
        if walk.source.order == "none":  # Its bounds are no place in the index: all are looked at.
            order, walk = "", Walk(walk.source, 0, None)
        tail = f"{order} LIMIT ?"
        parts = [
            Condition(f"SELECT one FROM ({part.sql}) AS part", (*part.parameters, few))  # noqa: S608  why: constants
            for part in selects(walk, self._environment, "1 AS one", self._dialect, tail)
        ]
        every = joined(parts, " UNION ALL ")
        sql = f"SELECT COUNT(*) FROM (SELECT one FROM ({every.sql}) AS parts LIMIT ?) AS few"  # noqa: S608  why: constants
        ((length,),) = self._fetch(sql, (*every.parameters, few))
        return int(length)


_TYPES = (
    "WITH RECURSIVE names(name) AS ("
    "SELECT MIN(type) FROM event_log WHERE environment = ? AND type >= ? AND type < ? UNION ALL "
    "SELECT (SELECT MIN(type) FROM event_log "
    "WHERE environment = ? AND type > names.name AND type < ?) FROM names WHERE name IS NOT NULL) "
    "SELECT name FROM names WHERE name IS NOT NULL"
)
"""Each stored name is looked up in the index once, however many events have it."""

_ACTORS = (
    "WITH RECURSIVE ids(id) AS ("
    "SELECT MIN(actor_id) FROM event_log WHERE environment = ? AND actor_kind = ? UNION ALL "
    "SELECT (SELECT MIN(actor_id) FROM event_log "
    "WHERE environment = ? AND actor_kind = ? AND actor_id > ids.id) FROM ids "
    "WHERE id IS NOT NULL) SELECT id FROM ids WHERE id IS NOT NULL LIMIT ?"
)

_HALVES = (
    "WITH RECURSIVE halves(low, high) AS ("
    "SELECT CAST(0 AS BIGINT), CAST({last} AS BIGINT) UNION ALL "
    "SELECT CASE WHEN middle.{what} < ? THEN middle.{at} ELSE halves.low END, "
    "CASE WHEN middle.{what} < ? THEN halves.high ELSE middle.{at} - 1 END "
    "FROM halves JOIN event_log AS middle "
    "ON {where} AND middle.{at} = (halves.low + halves.high + 1) / 2 "
    "WHERE halves.low < halves.high) "
    "SELECT low, high, (SELECT MAX(high) FROM halves) FROM halves ORDER BY high - low LIMIT 1"
)
_RECORDED_BEFORE = _HALVES.format(
    last="(SELECT position FROM log_head WHERE environment = ?)",
    what="recorded_at",
    at="position",
    where="middle.environment = ?",
)
_VERSION_BEFORE = _HALVES.format(
    last="COALESCE((SELECT MAX(version) FROM event_log WHERE environment = ? AND stream = ?), 0)",
    what="position",
    at="version",
    where="middle.environment = ? AND middle.stream = ?",
)
