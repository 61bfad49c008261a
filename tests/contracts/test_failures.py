"""What happens to a log when what it stands on fails."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import event as hooks

from events import Receipt
from events.database import Database
from events.errors import ChainBroken, LogUnavailable, OutcomeUnknown
from events.log import EventLog
from events.sql_log import SqlLog
from tests.conftest import Clock, only_postgresql, only_sqlite
from tests.contracts.conftest import OpenLog, cut_connections, until_it_succeeds
from tests.events.builders import fact, facts, started, uuid


class ChangeOfMindError(Exception):
    """A transaction is given up on purpose."""


def grow(log: EventLog) -> int:
    for first in range(1, 2001, 20):
        log.append(facts(first, first + 19))
    return 2000


def test_a_transaction_that_is_rolled_back_leaves_no_gap(
    open_log: OpenLog, database: Database
) -> None:
    log = open_log()
    log.append([fact(1)])
    with suppress(ChangeOfMindError), database.write() as cursor:
        cursor.execute("UPDATE log_head SET position = 7")
        raise ChangeOfMindError
    assert log.append([fact(2)]) == [Receipt(2)]
    assert log.verify().position == 2


def test_a_reader_passes_a_writer_who_holds_the_log(open_log: OpenLog, database: Database) -> None:
    log = open_log()
    log.append(facts(1, 3))
    with database.write() as cursor:
        cursor.execute("UPDATE log_head SET position = 9")
        assert [event.position for event in log.read()] == [1, 2, 3]
        assert len(log.read_stream("flag-checkout")) == 3
        assert log.verify().position == log.wait(0, 1) == 3


def test_a_writer_waits_for_another_and_does_not_fail(
    open_log: OpenLog, database: Database
) -> None:
    log = open_log()
    with ThreadPoolExecutor() as pool, database.write() as cursor:
        cursor.execute("UPDATE log_head SET position = position")
        answer = pool.submit(log.append, [fact(1)])
        with pytest.raises(TimeoutError):
            answer.result(0.5)
    assert answer.result() == [Receipt(1)]


@pytest.mark.usefixtures("restless_threads")
def test_a_log_is_verified_while_it_grows(log: EventLog) -> None:
    with ThreadPoolExecutor() as pool:
        growth = pool.submit(grow, log)
        while not growth.done():
            log.verify()
    assert log.verify().position == growth.result()


@pytest.mark.usefixtures("restless_threads")
def test_an_append_is_seen_as_a_whole_once_the_head_has_moved_and_before_not_at_all(
    log: EventLog,
) -> None:
    with ThreadPoolExecutor() as pool:
        growth = pool.submit(grow, log)
        while not growth.done():
            head = log.head().position
            seen = len(log.read(head - 20))
            assert seen >= min(head, 20)
            assert seen % 20 == 0


@only_postgresql
def test_lost_connections_are_one_failure_and_then_replaced(
    url: str, database: Database, clock: Clock
) -> None:
    log = SqlLog(database, "production", clock)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(database.read())
    assert log.append([fact(1)]) == [Receipt(1)]
    cut_connections(url)
    with pytest.raises(OutcomeUnknown, match="append again with the same event ids"):
        log.append([fact(2)])
    assert log.append(facts(1, 3)) == [Receipt(1, duplicate=True), Receipt(2), Receipt(3)]
    assert log.verify().position == 3


@only_postgresql
def test_a_lost_connection_leaves_a_reader_in_no_doubt(
    url: str, database: Database, clock: Clock
) -> None:
    log = SqlLog(database, "production", clock)
    cut_connections(url)
    with pytest.raises(LogUnavailable) as caught:
        log.read()
    assert caught.type is LogUnavailable
    assert log.read() == []


@only_postgresql
def test_connections_cut_in_the_middle_lose_and_double_nothing(url: str, open_log: OpenLog) -> None:
    log = open_log()
    done = threading.Event()

    def cut() -> None:
        while not done.wait(0.02):
            cut_connections(url)

    def write(writer: int) -> int:
        numbers = range(writer * 1000, writer * 1000 + 40)
        return sum(until_it_succeeds(lambda n=n: log.append([fact(n)]))[1] for n in numbers)

    with ThreadPoolExecutor() as pool:
        pool.submit(cut)
        failures = sum(pool.map(write, range(4)))
        done.set()
    assert failures > 0
    until_it_succeeds(log.head)
    assert sorted(event.id for event in log.read()) == [
        uuid(writer * 1000 + n) for writer in range(4) for n in range(40)
    ]
    assert log.verify().position == 160


@only_postgresql
def test_a_server_that_defaults_to_serializable_changes_nothing(
    database: Database, open_log: OpenLog
) -> None:
    with database.write() as cursor:
        setting = "default_transaction_isolation = serializable"
        cursor.execute(f'ALTER DATABASE "{database.url.database}" SET {setting}')
    logs = [open_log() for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda n: logs[n % 4].append([fact(n)]), range(100)))
    assert logs[0].verify().position == 100


@only_postgresql
def test_a_pool_without_a_free_connection_is_an_unavailable_log(database: Database) -> None:
    database.engine.pool._timeout = 0.1  # type: ignore[attr-defined]  # why: looked inside
    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(database.read())
        with pytest.raises(LogUnavailable, match="limit"):
            stack.enter_context(database.read())


@only_sqlite
def test_a_full_disk_leaves_the_log_as_it_was(database: Database, clock: Clock) -> None:
    log = SqlLog(database, "production", clock)
    log.append(facts(1, 3))
    before = log.head()
    limit_pages(database, 1)
    with pytest.raises(LogUnavailable, match="full"):
        log.append([fact(4), fact(5, event=started(text="x" * 10_000_000))])
    assert log.verify() == before
    limit_pages(database, 1_000_000)
    assert log.append(facts(3, 5))[1:] == [Receipt(4), Receipt(5)]


def limit_pages(database: Database, pages: int) -> None:
    """From now on the file cannot grow; SQLite asks each connection for its own limit."""
    database.close()
    hooks.listen(
        database.engine,
        "connect",
        lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}"),
    )


@only_sqlite
def test_a_file_that_is_no_database_is_an_unavailable_log(url: str, database: Database) -> None:
    with open(url.removeprefix("sqlite:///"), "wb") as file:  # noqa: PTH123  why: a URL's path
        file.write(b"not a database" * 1000)
    with pytest.raises(LogUnavailable, match="not a database"), database.read() as cursor:
        cursor.execute("SELECT 1 FROM event_log")


def test_a_log_without_its_head_says_so(open_log: OpenLog, database: Database) -> None:
    log = open_log()
    with database.write() as cursor:
        cursor.execute("DELETE FROM log_head")
    for ask in (log.head, log.verify, lambda: log.append([fact(1)])):
        with pytest.raises(ChainBroken, match="its head is gone"):
            ask()


def test_an_error_within_a_commit_refuses_that_append_and_no_other(database: Database) -> None:
    times = [2, 1]
    log = SqlLog(database, "production", times.pop)
    log.append([fact(1)])
    log.append([fact(2)])
    with pytest.raises(IndexError):
        log.append([fact(3)])
    times.append(3)
    assert log.append([fact(3)]) == [Receipt(3)]
