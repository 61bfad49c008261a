from collections.abc import Callable, Iterator
from functools import cache
from itertools import count

import pytest

from events.database import Database
from projections.rows import MemoryRows
from projections.snapshots import MemorySnapshots, Snapshots
from projections.sql_rows import SqlRows
from projections.sql_snapshots import SqlSnapshots
from projections.tables import metadata
from tests.projections.stores import MakeRows

POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)
OpenDatabase = Callable[[str], Database]


@pytest.fixture(scope="session")
def open_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenDatabase]:
    """Opens the one database of a kind: every test works in environments of its own."""
    opened: list[Database] = []

    @cache
    def open_once(kind: str) -> Database:
        if kind == "sqlite":
            database = Database(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'rows.db'}")
            metadata.create_all(database.engine)
        else:
            server = request.getfixturevalue("postgres")
            database = Database(server.address(server.create()))
        opened.append(database)
        return database

    yield open_once
    for database in opened:
        database.close()


@pytest.fixture(scope="session")
def make_rows_of(open_database: OpenDatabase) -> Callable[[str], MakeRows]:
    environments = count()

    def makes(kind: str) -> MakeRows:
        if kind == "memory":
            return MemoryRows
        return lambda: SqlRows(open_database(kind), f"test-{next(environments)}")

    return makes


@pytest.fixture(scope="session", params=["memory", "sqlite", POSTGRES])
def make_rows(request: pytest.FixtureRequest, make_rows_of: Callable[[str], MakeRows]) -> MakeRows:
    """Makes an empty store of any kind."""
    return make_rows_of(request.param)


@pytest.fixture(scope="session", params=["sqlite", POSTGRES])
def sql_rows(request: pytest.FixtureRequest, make_rows_of: Callable[[str], MakeRows]) -> MakeRows:
    """Makes an empty store in SQL: an environment of its own."""
    return make_rows_of(request.param)


@pytest.fixture(scope="session", params=[POSTGRES])
def postgres_rows(
    request: pytest.FixtureRequest, make_rows_of: Callable[[str], MakeRows]
) -> MakeRows:
    """Makes an empty store in a database that has more than one writer at a time."""
    return make_rows_of(request.param)


@pytest.fixture(scope="session", params=["memory", "sqlite", POSTGRES])
def make_snapshots(
    request: pytest.FixtureRequest, open_database: OpenDatabase
) -> Callable[[], Snapshots]:
    """Makes an empty store of snapshots of any kind."""
    if request.param == "memory":
        return MemorySnapshots
    environments = count()
    return lambda: SqlSnapshots(open_database(request.param), f"past-{next(environments)}")
