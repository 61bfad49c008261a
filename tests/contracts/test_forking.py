"""A process that forks, as servers with workers do: parent and child write to one log."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context

import pytest

from events.database import Database
from events.sql_log import SqlLog
from tests.conftest import Clock
from tests.events.builders import facts

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")


@contextmanager
def everything_in_use(log: SqlLog) -> Iterator[None]:
    """Another thread holds every lock that a fork would copy in the locked state."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with log._writer._baton, log._wakeup_lock, log._database._one_writer:
            held.set()
            release.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    yield
    release.set()
    thread.join()


def go_on_as_a_child(database: Database, log: SqlLog) -> None:
    database.forget_parent()
    log.forget_parent()
    log.append(facts(11, 20))
    log.wait(0, 1)
    log.close()
    database.close()


def test_a_forked_child_writes_beside_its_parent(database: Database, clock: Clock) -> None:
    log = SqlLog(database, "production", clock)
    log.append(facts(1, 10))
    log.wait(0, 1)
    child = get_context("fork").Process(target=go_on_as_a_child, args=(database, log))
    with everything_in_use(log):
        child.start()
    log.append(facts(21, 30))
    child.join(20)
    assert child.exitcode == 0
    log.append(facts(31, 40))
    assert log.verify().position == 40
    log.close()
