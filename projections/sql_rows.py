"""Read models in SQLite and PostgreSQL."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from events.database import Cursor, Database
from events.log import can_be_stored
from projections.projection import Projection, S
from projections.rows import Build, Transaction

_KEYS_A_QUERY = 500
_BUILDS = (
    "SELECT projection, build, version, position, active FROM projection_builds "
    "WHERE environment = ? AND projection <> '' ORDER BY projection, build"
)
# The row that is no build: whoever writes locks it, for there may be no build to lock yet.
_TAKE_TURNS = (
    "INSERT INTO projection_builds (environment, projection, build, version, position, active) "
    "VALUES (?, '', 0, 0, 0, ?) ON CONFLICT (environment, projection, build) "
    "DO UPDATE SET position = excluded.position"
)
_BUILD_KEY = "environment = ? AND projection = ? AND build = ?"


class SqlRows:
    """The read models of one environment."""

    def __init__(self, database: Database, environment: str) -> None:
        self._database = database
        self._environment = environment

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """See Rows.write."""
        with self._database.write() as cursor:
            yield _SqlTransaction(self._database, self._environment, cursor)

    def builds(self) -> list[Build]:
        """See Rows.builds."""
        with self._database.read() as cursor:
            return _builds(self._database, cursor, self._environment)

    def get(self, projection: Projection[S], key: str) -> S | None:
        """See Rows.get."""
        if not can_be_stored(key):
            return None
        with self._database.read() as cursor:
            cursor.execute(
                self._database.sql(f"{_ACTIVE_ROWS} AND r.key = ?"),
                (self._environment, projection.name, projection.version, True, key),
            )
            row = cursor.fetchone()
        return projection.decode(row[1]) if row else None

    def get_as_of(self, projection: Projection[S], key: str) -> tuple[S, int]:
        """See Rows.get_as_of."""
        # One statement, so that the state and the position are of one moment.
        sql = (
            "SELECT b.position, r.state FROM projection_builds b LEFT JOIN projection_rows r "
            "ON r.environment = b.environment AND r.projection = b.projection "
            "AND r.build = b.build AND r.key = ? "
            "WHERE b.environment = ? AND b.projection = ? AND b.version = ? AND b.active = ?"
        )
        active = (self._environment, projection.name, projection.version, True)
        key = key if can_be_stored(key) else ""
        with self._database.read() as cursor:
            cursor.execute(self._database.sql(sql), (key, *active))
            position, text = cursor.fetchone() or (0, None)
        state = projection.initial(key) if text is None else projection.decode(text)
        return state, position

    def scan(
        self, projection: Projection[S], start: str = "", stop: str | None = None
    ) -> list[tuple[str, S]]:
        """See Rows.scan."""
        upper = "" if stop is None else " AND r.key < ?"
        parameters = (self._environment, projection.name, projection.version, True, start)
        with self._database.read() as cursor:
            cursor.execute(
                self._database.sql(f"{_ACTIVE_ROWS} AND r.key >= ?{upper}"),
                parameters if stop is None else (*parameters, stop),
            )
            rows = cursor.fetchall()
        # Sorted here: databases collate text each in their own way.
        return [(key, projection.decode(state)) for key, state in sorted(rows)]

    def stored(self, projection: Projection[Any]) -> list[tuple[Build, dict[str, str]]]:
        """See Rows.stored."""
        # One statement, so that the rows and the position are of one moment.
        sql = (
            "SELECT b.build, b.position, r.key, r.state FROM projection_builds b "
            "LEFT JOIN projection_rows r ON r.environment = b.environment "
            "AND r.projection = b.projection AND r.build = b.build "
            "WHERE b.environment = ? AND b.projection = ? AND b.version = ? AND b.active = ?"
        )
        name, version = projection.name, projection.version
        with self._database.read(damaged=True) as cursor:
            cursor.execute(self._database.sql(sql), (self._environment, name, version, True))
            rows = cursor.fetchall()
        found: dict[int, tuple[Build, dict[str, str]]] = {}
        for number, position, key, state in rows:
            build = Build(name, number, version, position, active=True)
            _, states = found.setdefault(number, (build, {}))
            if key is not None:
                states[key] = state
        return [found[number] for number in sorted(found)]


# One statement, so that a reader never falls between two builds of a switch.
_ACTIVE_ROWS = (
    "SELECT r.key, r.state FROM projection_rows r JOIN projection_builds b "
    "ON r.environment = b.environment AND r.projection = b.projection AND r.build = b.build "
    "WHERE b.environment = ? AND b.projection = ? AND b.version = ? AND b.active = ?"
)


def _builds(database: Database, cursor: Cursor, environment: str) -> list[Build]:
    cursor.execute(database.sql(_BUILDS), (environment,))
    return [
        Build(name, build, version, position, bool(active))
        for name, build, version, position, active in cursor.fetchall()
    ]


class _SqlTransaction:
    def __init__(self, database: Database, environment: str, cursor: Cursor) -> None:
        self._database = database
        self._environment = environment
        self._cursor = cursor

    def _execute(self, sql: str, *parameters: object) -> None:
        self._cursor.execute(self._database.sql(sql), parameters)

    def builds(self) -> list[Build]:
        if self._database.dialect == "postgresql":  # SQLite has one writer at a time anyhow.
            self._execute(_TAKE_TURNS, self._environment, False)  # noqa: FBT003  why: not active
        return _builds(self._database, self._cursor, self._environment)

    def load(self, build: Build, keys: Iterable[str]) -> dict[str, str]:
        states: dict[str, str] = {}
        left = list(keys)
        while left:
            some, left = left[:_KEYS_A_QUERY], left[_KEYS_A_QUERY:]
            marks = ", ".join("?" * len(some))
            self._execute(
                f"SELECT key, state FROM projection_rows WHERE {_BUILD_KEY} AND key IN ({marks})",  # noqa: S608  why: constants
                *(self._environment, build.projection, build.build, *some),
            )
            states.update(self._cursor.fetchall())
        return states

    def save(self, build: Build, states: Mapping[str, str]) -> None:
        self._cursor.executemany(
            self._database.sql(
                "INSERT INTO projection_rows (environment, projection, build, key, state) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (environment, projection, build, key) "
                "DO UPDATE SET state = excluded.state"
            ),
            [
                (self._environment, build.projection, build.build, key, state)
                for key, state in states.items()
            ],
        )

    def put(self, build: Build) -> None:
        self._execute(
            "INSERT INTO projection_builds "
            "(environment, projection, build, version, position, active) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (environment, projection, build) "
            "DO UPDATE SET position = excluded.position, active = excluded.active",
            self._environment,
            build.projection,
            build.build,
            build.version,
            build.position,
            build.active,
        )

    def drop(self, build: Build) -> None:
        for table in ("projection_rows", "projection_builds"):
            self._execute(
                f"DELETE FROM {table} WHERE {_BUILD_KEY}",  # noqa: S608  why: constants
                self._environment,
                build.projection,
                build.build,
            )
