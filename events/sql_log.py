"""The event log on SQLite and PostgreSQL."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from events.chain import GENESIS, ID, POSITION, Head, Row, chain, verify
from events.codec import recorded
from events.database import Cursor, Database
from events.errors import ChainBroken, LogUnavailable, OutcomeUnknown, VersionConflict
from events.event import Event, NewEvent, Receipt, RecordedEvent
from events.log import Count, Dimension, Query, can_be_stored, prepare
from events.sql_search import SqlSearch
from events.tables import event_log
from events.timestamps import Timestamp
from events.wakeup import Wakeup, wakeup_for
from events.writer import GroupCommit, Request

_COLUMNS = ", ".join(column.name for column in event_log.columns)
_SELECT = f"SELECT {_COLUMNS} FROM event_log WHERE environment = ?"  # noqa: S608  why: constants
_INSERT = (
    f"INSERT INTO event_log ({_COLUMNS}) "  # noqa: S608  why: constants
    f"VALUES ({', '.join('?' * len(event_log.columns))})"
)
_COPY = f"COPY event_log ({_COLUMNS}) FROM STDIN"
_ROWS_TO_COPY = 16
_HEAD = "SELECT position, hash, recorded_at FROM log_head WHERE environment = ?"
_PAGE = 500
"""Rows read at once: more of them do not stay in the processor's cache."""
_TOLD_EVERY = 5_000
"""Rows; telling costs, too."""
_IDS_A_QUERY = 500


class SqlLog:
    """The log of one environment. The row lock on its head orders commits; nothing else does."""

    def __init__(
        self, database: Database, environment: str, clock: Callable[[], Timestamp]
    ) -> None:
        self.environment = environment
        self.closed = False
        self._database = database
        self._clock = clock
        self._search = SqlSearch(database, environment)
        self._writer = GroupCommit(self._commit)
        self._wakeup: Wakeup | None = None
        self._wakeup_lock = threading.Lock()
        self._sql = {name: database.sql(text) for name, text in _STATEMENTS.items()}
        self._is_postgresql = database.dialect == "postgresql"
        if self._is_postgresql:
            self._sql["lock_head"] += " FOR UPDATE"
        with database.write() as cursor:
            cursor.execute(self._sql["open_head"], (environment, 0, GENESIS, 0))

    # -- append ----------------------------------------------------------------------------------

    def append(
        self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None
    ) -> list[Receipt]:
        """See EventLog.append."""
        if not events:
            return []
        try:
            return self._writer.submit(Request(prepare(events, expected), expected or {}))
        except OutcomeUnknown:
            raise
        except LogUnavailable as error:
            raise OutcomeUnknown(**error.details) from error

    def _commit(self, group: list[Request]) -> None:
        with self._database.write() as cursor:
            cursor.execute(self._sql["lock_head"], (self.environment,))
            before = head = _head(cursor.fetchone())
            # Under the lock, so that recorded_at and position rise together.
            recorded_at = max(self._clock(), head.recorded_at)
            known = self._known_ids(cursor, group)
            versions = self._versions(cursor, group)
            rows: list[Row] = []
            for request in group:
                more, head = self._place(request, head, recorded_at, known, versions)
                rows += more
            if rows:
                cursor.execute(
                    self._sql["move_head"],
                    (head.position, head.hash, head.recorded_at, self.environment),
                )
                self._insert(cursor, rows)
                if self._is_postgresql:
                    cursor.execute(self._sql["notify"], (self._channel, str(head.position)))
        if head.position > before.position and self._wakeup is not None:
            self._wakeup.advance(head.position)

    def _place(
        self,
        request: Request,
        head: Head,
        recorded_at: Timestamp,
        known: dict[str, int],
        versions: dict[str, int],
    ) -> tuple[list[Row], Head]:
        """Rows of one request; or its refusal, which leaves the others of the group alone."""
        fresh: dict[str, tuple[NewEvent, int, str]] = {}
        advanced: dict[str, int] = {}
        for new, data in request.events:
            if new.id not in known and new.id not in fresh:
                version = advanced.get(new.stream, versions.get(new.stream, 0)) + 1
                advanced[new.stream] = version
                fresh[new.id] = (new, version, data)
        for stream, version in request.expected.items() if fresh else ():
            if (actual := versions.get(stream, 0)) != version:
                request.error = VersionConflict(stream=stream, expected=version, actual=actual)
                return [], head
        rows, head = chain(self.environment, head, recorded_at, fresh.values())
        versions.update(advanced)
        known.update((row[ID], row[POSITION]) for row in rows)
        first_time = set(fresh)
        for new, _ in request.events:
            request.receipts.append(Receipt(known[new.id], duplicate=new.id not in first_time))
            first_time.discard(new.id)
        return rows, head

    def _known_ids(self, cursor: Cursor, group: list[Request]) -> dict[str, int]:
        known: dict[str, int] = {}
        unasked = [new.id for request in group for new, _ in request.events]
        while unasked:
            some, unasked = unasked[:_IDS_A_QUERY], unasked[_IDS_A_QUERY:]
            if self._is_postgresql:  # An array: one statement to plan, however many ids.
                cursor.execute(self._sql["ids_in_array"], (self.environment, some))
            else:
                marks = ", ".join("?" * len(some))
                cursor.execute(f"{_IDS} IN ({marks})", (self.environment, *some))
            known.update(cursor.fetchall())
        return known

    def _insert(self, cursor: Cursor, rows: list[Row]) -> None:
        if self._is_postgresql and len(rows) >= _ROWS_TO_COPY:
            with cursor.copy(_COPY) as copy:  # type: ignore[attr-defined]  # why: psycopg's own
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(self._sql["insert"], rows)

    def _versions(self, cursor: Cursor, group: list[Request]) -> dict[str, int]:
        streams = {new.stream for request in group for new, _ in request.events}
        streams.update(stream for request in group for stream in request.expected)
        versions: dict[str, int] = {}
        for stream in streams:
            cursor.execute(self._sql["version"], (self.environment, stream))
            versions[stream] = cursor.fetchone()[0] or 0
        return versions

    # -- read ------------------------------------------------------------------------------------

    def head(self) -> Head:
        """See EventLog.head."""
        with self._database.read() as cursor:
            cursor.execute(self._sql["head"], (self.environment,))
            return _head(cursor.fetchone())

    def read(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent[Event]]:
        """See EventLog.read."""
        return self._select("AND position > ? ORDER BY position LIMIT ?", (after, limit))

    def read_stream(self, stream: str, after_version: int = 0) -> list[RecordedEvent[Event]]:
        """See EventLog.read_stream."""
        return self._select(
            "AND stream = ? AND version > ? AND position > 0 ORDER BY version",
            (stream, after_version),
        )

    def search(self, query: Query) -> list[RecordedEvent[Event]]:
        """See EventLog.search."""
        return self._search.search(query)

    def count(self, query: Query, by: Sequence[Dimension] = ()) -> list[Count]:
        """See EventLog.count."""
        return self._search.count(query, by)

    def verify(
        self,
        witnesses: Sequence[Head] = (),
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Head:
        """See EventLog.verify."""
        with self._database.read() as cursor:
            # One statement: an append between two would look like an intruder.
            cursor.execute(self._sql["ends"], (self.environment,))
            ends = cursor.fetchone()
        head = _head(ends and ends[:3])
        _, _, _, first, last = ends
        if first is not None and first < 1:
            raise ChainBroken(position=first, reason="positions start at 1")
        verified = verify(self.rows(0, head.position, progress), head, witnesses)
        if (last or 0) > head.position:
            raise ChainBroken(position=head.position + 1, reason="it is beyond the head")
        return verified

    def rows(
        self, after: int, upto: int, progress: Callable[[int, int], None] = lambda _done, _of: None
    ) -> Iterator[Row]:
        """See EventLog.rows. Page by page; what is damaged is handed out as it is."""
        while after < upto:
            try:
                page = self._page(after, upto)
            except LogUnavailable:
                if self._is_postgresql:
                    raise
                # SQLite may hold text that is no text: then it is looked at more slowly.
                page = self._page(after, upto, damaged=True)
            if not page:
                return
            yield from page
            before, after = after, page[-1][POSITION]
            if after == upto or after // _TOLD_EVERY > before // _TOLD_EVERY:
                progress(after, upto)

    def _page(self, after: int, upto: int, *, damaged: bool = False) -> list[Row]:
        with self._database.read(damaged=damaged) as cursor:
            cursor.execute(self._sql["page"], (self.environment, after, upto, _PAGE))
            return cursor.fetchall()

    def _select(self, where: str, parameters: tuple[Any, ...]) -> list[RecordedEvent[Event]]:
        if not all(can_be_stored(value) for value in parameters if isinstance(value, str)):
            return []
        with self._database.read() as cursor:
            cursor.execute(
                self._database.sql(f"{_SELECT} {where}"), (self.environment, *parameters)
            )
            rows = cursor.fetchall()
        return [recorded(row) for row in rows]

    # -- follow ----------------------------------------------------------------------------------

    def wait(self, after: int, timeout: float) -> int:
        """See EventLog.wait."""
        with self._wakeup_lock:
            if self._wakeup is None:
                self._wakeup = wakeup_for(
                    self._database, self._channel, lambda: self.head().position
                )
        return self._wakeup.wait(after, timeout)

    @property
    def _channel(self) -> str:
        # Channels have at most 63 bytes, as environments have: a digest stands for the name.
        return f"event_log_{sha256(self.environment.encode()).hexdigest()[:32]}"

    def forget_parent(self) -> None:
        """See EventLog.forget_parent."""
        self._writer = GroupCommit(self._commit)
        self._wakeup, self._wakeup_lock = None, threading.Lock()

    def close(self) -> None:
        """See EventLog.close. The database stays open: it may serve others."""
        self.closed = True
        with self._wakeup_lock:
            if self._wakeup is not None:
                self._wakeup.close()


_IDS = "SELECT id, position FROM event_log WHERE environment = ? AND id"
_STATEMENTS = {
    "open_head": (
        "INSERT INTO log_head (environment, position, hash, recorded_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (environment) DO NOTHING"
    ),
    "lock_head": _HEAD,
    "head": _HEAD,
    "ends": (
        "SELECT position, hash, recorded_at, "
        "(SELECT MIN(position) FROM event_log WHERE environment = log_head.environment), "
        "(SELECT MAX(position) FROM event_log WHERE environment = log_head.environment) "
        "FROM log_head WHERE environment = ?"
    ),
    "page": f"{_SELECT} AND position > ? AND position <= ? ORDER BY position LIMIT ?",
    "move_head": (
        "UPDATE log_head SET position = ?, hash = ?, recorded_at = ? WHERE environment = ?"
    ),
    "version": "SELECT MAX(version) FROM event_log WHERE environment = ? AND stream = ?",
    "ids_in_array": f"{_IDS} = ANY(?)",
    "insert": _INSERT,
    "notify": "SELECT pg_notify(?, ?)",
}


def _head(row: Sequence[Any] | None) -> Head:
    if row is None:
        raise ChainBroken(position=0, reason="the row of its head is gone")
    position, digest, recorded_at = row
    return Head(position, bytes(digest), recorded_at)
