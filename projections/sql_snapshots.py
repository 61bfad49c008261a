"""Snapshots in SQLite and PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from events.database import Database
from events.log import can_be_stored
from projections.projection import Projection, S
from projections.snapshots import MARK, Version, pack, readable, unpack, version_of

_KEYS_A_QUERY = 500
_OF = "environment = ? AND projection = ? AND version = ?"
# The row without a key is the mark: as of there, all rows of the projection are known.
_MARK = f"SELECT MAX(position) FROM projection_snapshots WHERE {_OF} AND key = '' AND position <= ?"  # noqa: S608  why: constants
_NEWEST = (
    "SELECT s.key, s.state FROM projection_snapshots s JOIN ("  # noqa: S608  why: constants
    f"SELECT key, MAX(position) AS position FROM projection_snapshots WHERE {_OF} "
    "AND position <= ? AND key <> '' AND {some} GROUP BY key) newest "
    "ON s.key = newest.key AND s.position = newest.position "
    "WHERE s.environment = ? AND s.projection = ? AND s.version = ?"
)
_SAVE = (
    "INSERT INTO projection_snapshots (environment, projection, version, key, position, state) "
    "VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (environment, projection, version, key, position) DO NOTHING"
)
_PLACES = f"SELECT position, key FROM projection_snapshots WHERE {_OF}"  # noqa: S608  why: constants
_VERSIONS = "SELECT DISTINCT projection, version FROM projection_snapshots WHERE environment = ?"


class SqlSnapshots:
    """The snapshots of one environment."""

    def __init__(self, database: Database, environment: str) -> None:
        self._database = database
        self._environment = environment

    def mark(self, projection: Projection[Any], upto: int) -> int:
        """See Snapshots.mark."""
        with self._database.read() as cursor:
            cursor.execute(self._database.sql(_MARK), (*self._of(projection), upto))
            found: int | None = cursor.fetchone()[0]
        return found or 0

    def load(self, projection: Projection[S], keys: Iterable[str], mark: int) -> dict[str, S]:
        """See Snapshots.load."""
        left = [key for key in keys if can_be_stored(key)]
        found: dict[str, S] = {}
        while left and mark:
            some, left = left[:_KEYS_A_QUERY], left[_KEYS_A_QUERY:]
            among = f"key IN ({', '.join('?' * len(some))})"
            found.update(self._newest(projection, mark, among, some))
        return found

    def scan(
        self, projection: Projection[S], mark: int, start: str = "", stop: str | None = None
    ) -> dict[str, S]:
        """See Snapshots.scan."""
        if stop is None:
            return self._newest(projection, mark, "key >= ?", [start])
        return self._newest(projection, mark, "key >= ? AND key < ?", [start, stop])

    def _newest(
        self, projection: Projection[S], mark: int, some: str, keys: Sequence[str]
    ) -> dict[str, S]:
        of = self._of(projection)
        with self._database.read() as cursor:
            cursor.execute(self._database.sql(_NEWEST.format(some=some)), (*of, mark, *keys, *of))
            rows = cursor.fetchall()
        return {key: projection.decode(unpack(bytes(state))) for key, state in rows}

    def save(self, after: int, mark: int, changed: Mapping[Version, Mapping[str, str]]) -> None:
        """See Snapshots.save."""
        packed = {
            version: [(key, pack(text)) for key, text in states.items()]
            for version, states in changed.items()
        }
        with self._database.write() as cursor:
            self._wait_for_others(cursor)
            for version, states in packed.items():
                of = (self._environment, *version)
                cursor.execute(self._database.sql(_MARK), (*of, mark))
                if (cursor.fetchone()[0] or 0) == after:
                    rows = [(*of, key, mark, state) for key, state in [*states, (MARK, b"")]]
                    cursor.executemany(self._database.sql(_SAVE), rows)

    def _wait_for_others(self, cursor: Any) -> None:
        """Whoever saves or throws away does so alone; who reads waits for nobody."""
        if self._database.dialect == "postgresql":  # SQLite has one writer at a time anyhow.
            cursor.execute("LOCK TABLE projection_snapshots IN SHARE ROW EXCLUSIVE MODE")

    def places(self, projection: Projection[Any]) -> dict[int, set[str]]:
        """See Snapshots.places."""
        found: dict[int, set[str]] = {}
        with self._database.read(damaged=True) as cursor:
            cursor.execute(self._database.sql(_PLACES), self._of(projection))
            for position, key in cursor.fetchall():
                found.setdefault(position, set()).add(key)
        return found

    def kept(
        self, projection: Projection[Any], position: int, keys: Iterable[str]
    ) -> dict[str, str | None]:
        """See Snapshots.kept."""
        # What is not even text cannot be asked for.
        found: dict[str, str | None] = dict.fromkeys(
            key for key in keys if not (isinstance(key, str) and can_be_stored(key))
        )
        left = [key for key in keys if key not in found]
        with self._database.read(damaged=True) as cursor:
            while left:
                some, left = left[:_KEYS_A_QUERY], left[_KEYS_A_QUERY:]
                cursor.execute(
                    self._database.sql(
                        f"SELECT key, state FROM projection_snapshots WHERE {_OF} "  # noqa: S608  why: constants
                        f"AND position = ? AND key IN ({', '.join('?' * len(some))})"
                    ),
                    (*self._of(projection), position, *some),
                )
                found.update((key, readable(state)) for key, state in cursor.fetchall())
        return found

    def forget(self, but: Iterable[Projection[Any]] = ()) -> None:
        """See Snapshots.forget."""
        kept = {version_of(projection) for projection in but}
        with self._database.write() as cursor:
            self._wait_for_others(cursor)
            cursor.execute(self._database.sql(_VERSIONS), (self._environment,))
            for version in set(map(tuple, cursor.fetchall())) - kept:
                cursor.execute(
                    self._database.sql(f"DELETE FROM projection_snapshots WHERE {_OF}"),  # noqa: S608  why: constants
                    (self._environment, *version),
                )

    def _of(self, projection: Projection[Any]) -> tuple[str, str, int]:
        return self._environment, *version_of(projection)
