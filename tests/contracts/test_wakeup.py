"""Followers hear of new events: at once in the same process, soon in others."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from events.log import EventLog, follow
from tests.conftest import only_postgresql
from tests.contracts.conftest import OpenLog, cut_connections, until_it_succeeds
from tests.events.builders import fact, facts

AT_ONCE = 0.08
"""Seconds; less than the pause between two looks at a database."""
SOON = 5.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def waiting(pool: ThreadPoolExecutor, log: EventLog, after: int) -> Future[tuple[int, float]]:
    """A waiter that has settled; its answer, and when it came."""

    def wait() -> tuple[int, float]:
        return log.wait(after, SOON), time.monotonic()

    answer = pool.submit(wait)
    time.sleep(0.15)
    assert not answer.done()
    return answer


def test_waiting_for_what_is_there_takes_no_time(log: EventLog) -> None:
    log.append(facts(1, 3))
    log.wait(0, SOON)
    begun = time.monotonic()
    assert log.wait(2, SOON) == 3
    assert time.monotonic() - begun < AT_ONCE


def test_waiting_in_vain_ends_in_time_with_the_last_position(log: EventLog) -> None:
    log.append(facts(1, 3))
    log.wait(0, SOON)
    begun = time.monotonic()
    assert log.wait(3, 0.25) == 3
    assert 0.2 < time.monotonic() - begun < 1


def test_who_waits_in_the_same_process_is_woken_at_once(
    log: EventLog, pool: ThreadPoolExecutor
) -> None:
    delays = []
    for number in range(1, 6):
        answer = waiting(pool, log, number - 1)
        log.append([fact(number)])
        appended = time.monotonic()
        position, woken = answer.result(SOON)
        assert position == number
        delays.append(woken - appended)
    assert min(delays) < AT_ONCE / 4
    assert sorted(delays)[2] < AT_ONCE


def test_every_waiter_is_woken(log: EventLog, pool: ThreadPoolExecutor) -> None:
    answers = [waiting(pool, log, 0) for _ in range(3)]
    log.append([fact(1)])
    assert [answer.result(SOON)[0] for answer in answers] == [1, 1, 1]


def test_who_waits_elsewhere_is_woken_soon(open_log: OpenLog, pool: ThreadPoolExecutor) -> None:
    here, elsewhere = open_log(), open_log()
    answer = waiting(pool, elsewhere, 0)
    here.append(facts(1, 2))
    appended = time.monotonic()
    position, woken = answer.result(SOON)
    assert position == 2
    assert woken - appended < 1


def test_an_append_to_another_environment_wakes_nobody(open_log: OpenLog) -> None:
    production, staging = open_log(), open_log("staging")
    production.append(facts(1, 2))
    assert staging.wait(0, 0.3) == 0


@pytest.mark.parametrize("environment", ["Production EU", "x" * 63, "ü" * 63])
def test_any_environment_can_be_appended_to_and_waited_for(
    open_log: OpenLog, pool: ThreadPoolExecutor, environment: str
) -> None:
    here, elsewhere = open_log(environment), open_log(environment)
    answer = waiting(pool, elsewhere, 0)
    here.append([fact(1)])
    assert answer.result(SOON)[0] == 1


def test_following_gives_what_was_there_and_what_comes(
    log: EventLog, pool: ThreadPoolExecutor
) -> None:
    log.append(facts(1, 25))
    followed = pool.submit(lambda: [e.position for e in follow(log, idle_timeout=0.5, batch=10)])
    for number in range(26, 60):
        log.append([fact(number)])
    assert followed.result(SOON) == list(range(1, 60))


def test_following_starts_behind_any_position(log: EventLog) -> None:
    log.append(facts(1, 5))
    assert [event.position for event in follow(log, 3, idle_timeout=0)] == [4, 5]


def test_closing_the_log_ends_following(log: EventLog, pool: ThreadPoolExecutor) -> None:
    log.append(facts(1, 2))
    followed = pool.submit(lambda: [event.position for event in follow(log)])
    time.sleep(0.2)
    log.close()
    assert followed.result(SOON) == [1, 2]


@only_postgresql
def test_a_follower_that_lost_its_connection_listens_again(
    open_log: OpenLog, pool: ThreadPoolExecutor, url: str
) -> None:
    here, elsewhere = open_log(), open_log()
    answer = waiting(pool, elsewhere, 0)
    cut_connections(url)
    until_it_succeeds(lambda: here.append([fact(1)]))
    assert answer.result(SOON)[0] == 1
