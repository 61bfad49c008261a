"""Answers from the log on SQL."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, repeat
from typing import Any

import msgspec

from events.chain import HASH, POSITION
from events.codec import recorded
from events.database import Database
from events.event import Event, RecordedEvent
from events.log import Count, Dimension, Query
from events.matching import counted, day, hour
from events.sql_paths import Paths
from events.sql_query import Condition, Walk, joined, ordered_by, selects
from events.tables import event_log
from events.timestamps import DAY, HOUR
from events.words import says

_COLUMNS = ", ".join(column.name for column in event_log.columns)
_DATA = HASH - 1
_PAGE, _LARGEST_PAGE = 1_000, 16_000
_ERA = 800_000
"""Days; added to any moment, none is negative, which databases divide otherwise than Python."""
_VALUES: dict[Dimension, str] = {
    "actor": "actor_id",
    "kind": "actor_kind",
    "type": "type",
    "stream": "stream",
    "day": f"({{clock}} + {_ERA * DAY}) / {DAY} - {_ERA}",
    "hour": f"({{clock}} + {_ERA * DAY}) / {HOUR} - {_ERA * DAY // HOUR}",
}
_TIMES: dict[Dimension, Callable[[int], str]] = {"day": day, "hour": hour}


class SqlSearch:
    """Asks one environment's log."""

    def __init__(self, database: Database, environment: str) -> None:
        self._database = database
        self._environment = environment
        self._paths = Paths(self._fetch, environment, database.dialect)

    def search(self, query: Query) -> list[RecordedEvent[Event]]:
        """See EventLog.search."""
        rows = self._rows(query) if query.text is None else self._saying(query, query.text)
        return [recorded(row) for row in rows]

    def count(self, query: Query, by: Sequence[Dimension]) -> list[Count]:
        """See EventLog.count."""
        if query.text is not None:
            every = msgspec.structs.replace(query, limit=2**63 - 1)
            return counted(self.search(every), query, by)
        walks = self._paths.walks(query)
        if not walks:
            return [] if by else [Count((), 0)]
        columns = [_VALUES[one].format(clock=query.clock) for one in by] or ["1"]
        named = ", ".join(f"{column} AS v{n}" for n, column in enumerate(columns))
        where = self._environment, named, self._database.dialect
        parts = [one for walk in walks for one in selects(walk, *where)]
        both = joined(parts, " UNION ALL ")
        values = ", ".join(f"v{n}" for n in range(len(by)))
        grouped = f"SELECT {values}, COUNT(*) FROM ({both.sql}) AS parts GROUP BY {values}"  # noqa: S608  why: constants
        alone = f"SELECT COUNT(*) FROM ({both.sql}) AS parts"  # noqa: S608  why: constants
        rows = self._fetch(grouped if by else alone, both.parameters)
        return sorted((_counted(row, by) for row in rows), key=lambda one: one.values)

    def _saying(self, query: Query, text: str) -> list[Any]:
        """Rows that say it: each is read, so it is the other conditions that make this quick."""
        found: list[Any] = []
        for page in self._pages(query):
            found += [row for row in page if _says(row[_DATA], text)]
            if len(found) >= query.limit:
                break
        return found[: query.limit]

    def _pages(self, query: Query) -> Iterator[list[Any]]:
        """Each larger than the last: who has found nothing yet goes on in larger steps."""
        for size in accumulate(repeat(_PAGE), lambda before, _: min(2 * before, _LARGEST_PAGE)):
            page = self._rows(msgspec.structs.replace(query, limit=size))
            yield page
            if len(page) < size:
                return
            last = page[-1][POSITION]
            moved = {"before": last} if query.newest_first else {"after": last}
            query = msgspec.structs.replace(query, **moved)

    def _rows(self, query: Query) -> list[Any]:
        """Rows that answer a query, but for its text, in order of position (or backwards)."""
        walks = self._paths.walks(query)
        way = "DESC" if query.newest_first else "ASC"
        if not walks:
            return []
        if len(walks) == len(walks[0].source.starts) == 1:
            (only,) = self._limited(walks[0], _COLUMNS, way, query.limit)
            return self._fetch(only.sql, only.parameters)
        parts = [
            Condition(f"SELECT position FROM ({one.sql}) AS part", one.parameters)  # noqa: S608  why: constants
            for walk in walks
            for one in self._limited(walk, "position", way, query.limit)
        ]
        both = joined(parts, " UNION ALL ")
        sql = (
            f"SELECT {_COLUMNS} FROM event_log WHERE environment = ? AND position IN "  # noqa: S608  why: constants
            f"(SELECT position FROM ({both.sql}) AS parts ORDER BY position {way} LIMIT ?) "
            f"ORDER BY position {way}"
        )
        return self._fetch(sql, (self._environment, *both.parameters, query.limit))

    def _limited(self, walk: Walk, columns: str, way: str, limit: int) -> list[Condition]:
        """Each start of a walk, in order, up to so many."""
        dialect = self._database.dialect
        tail = f" ORDER BY {ordered_by(walk, dialect)} {way} LIMIT ?"
        found = selects(walk, self._environment, columns, dialect, tail)
        return [Condition(one.sql, (*one.parameters, limit)) for one in found]

    def _fetch(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        with self._database.read() as cursor:
            cursor.execute(self._database.sql(sql), parameters)
            return cursor.fetchall()


def _says(data: str, text: str) -> bool:
    try:
        return says(data, text)
    except (TypeError, ValueError, RecursionError):
        return True  # So that it is read, which names what cannot be.


def _counted(row: Sequence[Any], by: Sequence[Dimension]) -> Count:
    values = (_TIMES[one](v) if one in _TIMES else v for one, v in zip(by, row, strict=False))
    return Count(tuple(values), row[-1])
