"""Group commit: one transaction for many callers, and a verdict for each."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from events import Receipt
from events.codec import encode
from events.errors import LogUnavailable
from events.writer import GroupCommit, Request
from tests.events.builders import fact

PATIENCE = 10.0


class CommitError(LogUnavailable):
    """What a commit may fail with."""

    def __init__(self, cause: object = "") -> None:
        super().__init__(cause=cause)
        self.args = (cause,)


class Commits:
    """Stands in for the database: remembers groups, waits at a gate, fails when it is told to."""

    def __init__(self) -> None:
        self.sizes: list[list[int]] = []
        self.ids: list[str] = []
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.failures: list[BaseException] = []

    def __call__(self, group: list[Request]) -> None:
        self.sizes.append([len(request.events) for request in group])
        self.entered.release()
        assert self.gate.wait(PATIENCE)
        if self.failures:
            raise self.failures.pop(0)
        for request in group:
            for new, _ in request.events:
                self.ids.append(new.id)
                request.receipts.append(Receipt(len(self.ids)))


@pytest.fixture
def commits() -> Commits:
    return Commits()


@pytest.fixture
def writer(commits: Commits) -> GroupCommit:
    return GroupCommit(commits, max_events=10)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(40) as pool:
        yield pool


def request(*numbers: int) -> Request:
    return Request([(new, encode(new.event)) for new in map(fact, numbers)], {})


def queued(
    writer: GroupCommit, pool: ThreadPoolExecutor, commits: Commits, *sizes: int
) -> list[Future[list[Receipt]]]:
    """Requests of these sizes: the first is being committed, the others wait behind it."""
    answers = []
    number = 0
    for place, size in enumerate(sizes):
        numbers = range(number, number + size)
        answers.append(pool.submit(writer.submit, request(*numbers)))
        number += size
        if place == 0:
            assert commits.entered.acquire(timeout=PATIENCE)
        while len(writer._queue) < place:
            time.sleep(0.001)
    return answers


def test_who_finds_nobody_commits_alone_and_at_once(writer: GroupCommit, commits: Commits) -> None:
    commits.gate.set()
    assert writer.submit(request(1, 2)) == [Receipt(1), Receipt(2)]
    assert writer.submit(request(3)) == [Receipt(3)]
    assert commits.sizes == [[2], [1]]


def test_who_meets_a_commit_shares_the_next_one(
    writer: GroupCommit, commits: Commits, pool: ThreadPoolExecutor
) -> None:
    answers = queued(writer, pool, commits, 1, 2, 3)
    commits.gate.set()
    assert [len(answer.result(PATIENCE)) for answer in answers] == [1, 2, 3]
    assert commits.sizes == [[1], [2, 3]]


def test_a_group_is_bounded_and_keeps_the_order(
    writer: GroupCommit, commits: Commits, pool: ThreadPoolExecutor
) -> None:
    queued(writer, pool, commits, 1, 4, 6, 1, 9, 2, 3)
    commits.gate.set()
    pool.shutdown()
    assert commits.sizes == [[1], [4, 6], [1, 9], [2, 3]]
    assert commits.ids == [fact(number).id for number in range(26)]


def test_a_request_beyond_the_bound_goes_alone(
    writer: GroupCommit, commits: Commits, pool: ThreadPoolExecutor
) -> None:
    queued(writer, pool, commits, 1, 1, 50, 1)
    commits.gate.set()
    pool.shutdown()
    assert commits.sizes == [[1], [1], [50], [1]]


def test_a_failed_commit_is_heard_by_all_of_its_group_and_no_one_else(
    writer: GroupCommit, commits: Commits, pool: ThreadPoolExecutor
) -> None:
    answers = queued(writer, pool, commits, 1, 5, 5, 5)
    commits.failures = [CommitError("first"), CommitError("second")]
    commits.gate.set()
    errors = [str(answer.exception(PATIENCE)) for answer in answers]
    assert errors == ["first", "second", "second", "None"]
    assert writer.submit(request(99)) == [Receipt(6)]


def test_an_error_of_one_request_is_heard_by_its_caller_only(pool: ThreadPoolExecutor) -> None:
    def refuse_odd(group: list[Request]) -> None:
        time.sleep(0.001)
        for member in group:
            number = int(member.events[0][0].id[-12:], 16)
            member.error = CommitError(number) if number % 2 else None

    writer = GroupCommit(refuse_odd)
    answers = [pool.submit(writer.submit, request(number)) for number in range(100)]
    for number, answer in enumerate(answers):
        error = answer.exception(PATIENCE)
        assert (error.args == (number,)) if error else number % 2 == 0


def test_an_interrupted_commit_stops_its_thread_and_nobody_elses(
    writer: GroupCommit, commits: Commits, pool: ThreadPoolExecutor
) -> None:
    answers = queued(writer, pool, commits, 1, 2, 3)
    commits.failures = [CommitError(), KeyboardInterrupt()]
    commits.gate.set()
    first, *rest = (answer.exception(PATIENCE) for answer in answers)
    assert isinstance(first, CommitError)
    # Whoever of the two led was interrupted; the other one committed for itself.
    assert sorted(type(error).__name__ for error in rest) == ["KeyboardInterrupt", "NoneType"]
    assert writer.submit(request(9))


class Interrupted:
    """Ctrl-C while waiting."""

    def acquire(self, timeout: float) -> bool:
        assert timeout > 0
        raise KeyboardInterrupt

    def release(self) -> None:
        """Nobody waits."""


def test_who_is_interrupted_while_waiting_leaves_the_queue(
    writer: GroupCommit, commits: Commits, pool: ThreadPoolExecutor
) -> None:
    answers = queued(writer, pool, commits, 1, 2)
    impatient = request(7)
    impatient.turn = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        writer.submit(impatient)
    commits.gate.set()
    assert [len(answer.result(PATIENCE)) for answer in answers] == [1, 2]
    assert fact(7).id not in commits.ids


IMPATIENT = """
import signal, threading, time
from events import Receipt
from events.writer import GroupCommit, Request

def commit(group):
    time.sleep(0.0002)
    for member in group:
        member.receipts = [Receipt(1)]

class TimeUpError(Exception):
    pass

def time_is_up(signum, frame):
    raise TimeUpError

writer, interrupted, busy = GroupCommit(commit), 0, True

def record():
    while busy:
        assert writer.submit(Request([], {})) == [Receipt(1)]

threads = [threading.Thread(target=record, daemon=True) for _ in range(3)]
[thread.start() for thread in threads]
signal.signal(signal.SIGALRM, time_is_up)
while interrupted < 1500:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0001 + interrupted % 7 * 0.0001)
        while True:
            writer.submit(Request([], {}))
    except TimeUpError:
        interrupted += 1
busy = False
[thread.join(10) for thread in threads]
assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
assert writer.submit(Request([], {})) == [Receipt(1)]
"""


def test_interrupted_by_signals_at_any_moment_it_holds_up_nobody() -> None:
    """A time limit's handler may raise between any two steps of the main thread."""
    program = [sys.executable, "-c", IMPATIENT]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  why: ours
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("restless_threads")
def test_under_stress_nobody_waits_for_ever_and_each_is_committed_once(
    pool: ThreadPoolExecutor,
) -> None:
    committed: list[str] = []

    def commit(group: list[Request]) -> None:
        assert sum(len(member.events) for member in group) <= 10
        for member in group:
            committed.extend(new.id for new, _ in member.events)
            member.receipts = [Receipt(len(committed))]

    writer = GroupCommit(commit, max_events=10)
    answers = [pool.submit(writer.submit, request(number)) for number in range(6000)]
    assert all(answer.result(PATIENCE) for answer in answers)
    assert sorted(committed) == [fact(number).id for number in range(6000)]
    assert not writer._busy
    assert not writer._queue
