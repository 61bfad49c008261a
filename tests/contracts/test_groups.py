"""Appends that share a transaction: each caller hears its own verdict, and no one else's."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self

import pytest

from events import NewEvent, Receipt
from events.database import Database
from events.errors import InvalidEvent, VersionConflict
from events.log import EventLog
from events.sql_log import SqlLog
from tests.contracts.conftest import OpenLog, wait_until
from tests.events.builders import fact, facts


class Callers:
    """Threads that append while somebody else holds the log, and so meet in one group."""

    def __init__(self, log: SqlLog) -> None:
        self._log = log
        self._pool = ThreadPoolExecutor(max_workers=8)

    def append(self, *events: NewEvent, **expected: int) -> Future[list[Receipt]]:
        """Returns when the request has taken its place behind those before it."""
        queue, waiting = self._log._writer._queue, len(self._log._writer._queue)
        leads = not self._log._writer._busy
        answer = self._pool.submit(self._log.append, events, expected=expected)
        wait_until(lambda: self._log._writer._busy if leads else len(queue) > waiting)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


@contextmanager
def held(database: Database) -> Iterator[None]:
    """The log is busy: another process holds the row that orders commits."""
    with database.write() as cursor:
        cursor.execute("UPDATE log_head SET position = position")
        yield


def test_a_conflict_in_a_group_refuses_one_caller_and_leaves_no_gap(
    open_log: OpenLog, database: Database
) -> None:
    log = open_log()
    with Callers(log) as callers:
        with held(database):
            callers.append(fact(1, "a"))
            before = callers.append(fact(2, "b"), b=0)
            conflicting = callers.append(fact(3, "c"), fact(4, "b"), b=0)
            after = callers.append(fact(5, "c"), c=0)
        assert before.result() == [Receipt(2)]
        assert after.result() == [Receipt(3)]
        with pytest.raises(VersionConflict, match="b is at version 1, not 0"):
            conflicting.result()
    assert log.verify().position == 3


def test_of_one_group_that_expects_the_same_version_the_first_wins(
    open_log: OpenLog, database: Database
) -> None:
    log = open_log()
    with Callers(log) as callers:
        with held(database):
            callers.append(fact(1, "a"))
            rivals = [callers.append(fact(number, "b"), b=0) for number in range(2, 8)]
        assert [rival.exception() is None for rival in rivals] == [True] + [False] * 5
        assert {type(rival.exception()) for rival in rivals[1:]} == {VersionConflict}
    assert log.head().position == 2


def test_callers_of_one_group_who_bring_the_same_id_share_one_event(
    open_log: OpenLog, database: Database
) -> None:
    log = open_log()
    with Callers(log) as callers:
        with held(database):
            callers.append(fact(1))
            twins = [callers.append(fact(2), fact(number)) for number in (3, 4, 2)]
        assert [twin.result() for twin in twins] == [
            [Receipt(2), Receipt(3)],
            [Receipt(2, duplicate=True), Receipt(4)],
            [Receipt(2, duplicate=True), Receipt(2, duplicate=True)],
        ]
    assert [event.version for event in log.read()] == [1, 2, 3, 4]


def test_what_is_refused_never_joins_a_group(open_log: OpenLog, database: Database) -> None:
    log = open_log()
    with Callers(log) as callers:
        with held(database):
            waiting = callers.append(fact(1))
            with pytest.raises(InvalidEvent):
                log.append([fact(2)], expected={"a\0b": 0})
        assert waiting.result() == [Receipt(1)]


def test_of_many_callers_at_once_each_hears_its_own_verdict(log: EventLog) -> None:
    log.append([fact(0, "taken")])
    start = threading.Barrier(16)

    def call(caller: int) -> str:
        start.wait()
        for turn in range(20):
            first = 1 + caller * 1000 + turn * 10
            wrong = turn % 3 == caller % 3
            try:
                receipts = log.append(
                    facts(first, first + turn % 4, f"stream-{caller}"),
                    expected={"taken": 0 if wrong else 1},
                )
            except VersionConflict:
                if not wrong:
                    return "refused for what somebody else did"
            else:
                if wrong or len(receipts) != 1 + turn % 4:
                    return "accepted for what somebody else did"
        return "fine"

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(call, range(16))) == {"fine"}
    assert log.verify() == log.head()
    assert all(
        [event.version for event in log.read_stream(f"stream-{caller}")]
        == list(range(1, 1 + len(log.read_stream(f"stream-{caller}"))))
        for caller in range(16)
    )
