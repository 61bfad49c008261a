"""One database, reached through SQLAlchemy's pool and its drivers' own cursors."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from events.errors import LogUnavailable

_BUSY_SECONDS = 60.0
# Nobody may hold up a rollback: neither a server that does not answer, nor a client that took
# the log's lock and went to sleep.
_PATIENCE = {
    "connect_timeout": "10",
    "options": "-c lock_timeout=15s -c idle_in_transaction_session_timeout=30s",
}


class Cursor(Protocol):
    """The part of a DB-API cursor that SQLite's and PostgreSQL's drivers share."""

    rowcount: int

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> object:
        """Run one statement."""

    def executemany(self, sql: str, parameters: Sequence[Sequence[Any]], /) -> object:
        """Run one statement for many rows."""

    def fetchone(self) -> Any:
        """Return the next row or None."""

    def fetchall(self) -> list[Any]:
        """Return all rows left."""

    def fetchmany(self, size: int, /) -> list[Any]:
        """Return the next rows."""


class Database:
    """A pool of connections. Row objects would cost more than the work: rows are tuples."""

    def __init__(self, url: str) -> None:
        """Open `sqlite:///FILE` or `postgresql://…`. Raises LogUnavailable for other addresses."""
        try:
            parsed = make_url(url)
            self.dialect = parsed.get_backend_name()
            if self.dialect not in ("sqlite", "postgresql"):
                raise LogUnavailable(cause=f"{self.dialect} is neither sqlite nor postgresql")
            if self.dialect == "sqlite" and parsed.database in (None, "", ":memory:"):
                raise LogUnavailable(cause="name a file (sqlite:///FILE), or use memory://")
            if self.dialect == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            self.url = parsed
            self.engine = self._create_engine()
            self._failures = _driver_errors(self.dialect)
        except ModuleNotFoundError as error:
            raise LogUnavailable(
                cause="the driver is missing: pip install 'rollout-controlplane[postgres]'"
            ) from error
        except (ArgumentError, NoSuchModuleError) as error:
            meant = f"; for a file: sqlite:///{url}" if url and ":" not in url else ""
            raise LogUnavailable(cause=_first_line(error) + meant) from error
        # SQLite has one writer a file: queueing here is fairer than its own sleep and retry.
        self._one_writer = threading.RLock() if self.dialect == "sqlite" else nullcontext()

    def _create_engine(self) -> Engine:
        if self.dialect == "postgresql":
            return create_engine(
                self.url,
                pool_size=10,
                max_overflow=20,
                pool_timeout=60,
                # Whatever the server's default: appends wait for the head, and then read anew.
                isolation_level="READ COMMITTED",
                connect_args=_PATIENCE | dict(self.url.query),
            )
        engine = create_engine(
            self.url,
            pool_size=10,
            max_overflow=-1,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        # For users of the engine itself, Alembic above all: the driver never begins by itself.
        event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def sql(self, text: str) -> str:
        """The statement with this driver's placeholders in the place of `?`."""
        return text if self.dialect == "sqlite" else text.replace("?", "%s")

    @contextmanager
    def write(self) -> Iterator[Cursor]:
        """One transaction, committed at the end, rolled back on any error.

        Raises LogUnavailable where the database fails; the outcome is then unknown.
        """
        with self._one_writer, self._connection() as connection:
            cursor = connection.cursor()
            if self.dialect == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def read(self, *, damaged: bool = False) -> Iterator[Cursor]:
        """A cursor to read with; it sees what was committed when its statement began.

        `damaged`: text that is no UTF-8, which SQLite may hold, is handed out all the same.
        """
        with self._connection() as connection:
            cursor = connection.cursor()
            if damaged and self.dialect == "sqlite":
                connection.driver_connection.text_factory = _decode_damaged
            try:
                yield cursor
            finally:
                cursor.close()
                if damaged and self.dialect == "sqlite":
                    connection.driver_connection.text_factory = str

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        try:
            connection = self.engine.raw_connection()
        except self._failures as error:
            where = self.url.set(query={})  # Options may hold a password.
            raise LogUnavailable(cause=f"{_first_line(error)} ({where})") from error
        try:
            yield connection
        except self._failures as error:
            broken = getattr(connection.driver_connection, "broken", False)
            connection.invalidate()
            if broken:  # A restart above all, which broke those that idle in the pool as well.
                self.engine.dispose()
            raise LogUnavailable(cause=_first_line(error)) from error
        finally:
            connection.close()

    def forget_parent(self) -> None:
        """In a forked child: leave the parent's connections alone, and open others."""
        self.engine.dispose(close=False)
        if self.dialect == "sqlite":
            self._one_writer = threading.RLock()

    def close(self) -> None:
        """Return every connection."""
        self.engine.dispose()


def _driver_errors(dialect: str) -> tuple[type[Exception], ...]:
    if dialect == "sqlite":
        return (SQLAlchemyError, sqlite3.Error)
    import psycopg  # noqa: PLC0415  why: an extra, needed only where PostgreSQL is

    return (SQLAlchemyError, psycopg.Error)


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]


def _decode_damaged(text: bytes) -> str:
    return text.decode(errors="surrogateescape")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """WAL lets readers and the writer pass each other; FULL survives a power cut."""
    connection.isolation_level = None
    for attempt in range(100):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            # Switching to WAL does not wait for other openers as every other statement does.
            if attempt == 99:  # noqa: PLR2004  why: the last of the hundred
                raise
            time.sleep(0.05)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA busy_timeout={int(_BUSY_SECONDS * 1000)}")
