import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import psycopg
import pytest

from events.database import Database
from events.errors import LogUnavailable
from events.sql_log import SqlLog
from tests.conftest import Clock

T = TypeVar("T")
OpenLog = Callable[..., SqlLog]


@contextmanager
def opened(url: str, environment: str, clock: Clock) -> Iterator[SqlLog]:
    database = Database(url)
    log = SqlLog(database, environment, clock)
    yield log
    log.close()
    database.close()


@pytest.fixture
def open_log(url: str, clock: Clock) -> Iterator[OpenLog]:
    """Opens the same database again, as another process would: with a pool of its own."""
    with ExitStack() as stack:
        yield lambda environment="production": stack.enter_context(opened(url, environment, clock))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


def cut_connections(url: str) -> None:
    """What a restart of the server, or its administrator, does to everyone connected."""
    with psycopg.connect(url) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def until_it_succeeds(attempt: Callable[[], T], seconds: float = 10.0) -> tuple[T, int]:
    """The outcome of the first attempt that finds the log, and how many did not."""
    deadline = time.monotonic() + seconds
    failures = 0
    while True:
        try:
            return attempt(), failures
        except LogUnavailable:
            failures += 1
            if time.monotonic() > deadline:
                raise


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.002)
