"""The lease: of all that ask, one has it; it passes on when its holder lets go, or is silent."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.lease import Held, Lease, MemoryLease, SqlLease, granted
from events.database import Database
from events.timestamps import HOUR, MILLISECOND, SECOND
from tests.conftest import SQL, Clock, address_of, only_postgresql, only_sqlite

TTL = 10 * SECOND
CROWD = 8


class Leases:
    """One lease as several processes see it, and the time that rules it."""

    def __init__(self, address: str, clock: Clock, stack: ExitStack) -> None:
        self.clock = clock
        self._address = address
        self._stack = stack
        self._memory = MemoryLease(clock)
        self.database: Database | None = None

    def open(self, environment: str = "production", clock: Clock | None = None) -> Lease:
        """The lease, as seen through a pool of connections of its own."""
        if self._address == "memory://":
            return self._memory
        self.database = Database(self._address)
        self._stack.callback(self.database.close)
        return SqlLease(self.database, environment, clock or self.clock)

    def wait(self, microseconds: int) -> None:
        """Time goes by: where the server's rules, all that was noted by it is as much older."""
        self.clock.advance(microseconds)
        if self.database is not None and self.database.dialect == "postgresql":
            with self.database.write() as cursor:
                cursor.execute("UPDATE leases SET expires_at = expires_at - %s", (microseconds,))


@pytest.fixture(params=["memory", *SQL])
def leases(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Leases]:
    with (
        address_of(request.param, request, migrated=True) as address,
        ExitStack() as stack,
    ):
        yield Leases(address, clock, stack)


def test_who_asks_first_has_it_and_nobody_else(leases: Leases) -> None:
    one, other = leases.open(), leases.open()
    assert one.current() is None
    held = one.acquire("a", TTL, 1)
    assert held is not None
    assert (held.holder, held.token, held.ttl_us) == ("a", 1, TTL)
    assert other.acquire("b", TTL, 2) is None
    assert one.current() == other.current() == held


def test_renewal_extends_it_under_the_same_token(leases: Leases) -> None:
    one, other = leases.open(), leases.open()
    one.acquire("a", TTL, 1)
    for _ in range(5):
        leases.wait(TTL - SECOND)
        assert other.acquire("b", TTL, 2) is None
        renewed = one.acquire("a", TTL, 2)
        assert renewed is not None
        assert renewed.token == 1
    assert other.acquire("b", TTL, 2) is None


def test_once_expired_it_passes_on(leases: Leases) -> None:
    one, other = leases.open(), leases.open()
    one.acquire("a", TTL, 1)
    leases.wait(TTL)
    assert one.current() is None
    taken = other.acquire("b", TTL, 2)
    assert taken is not None
    assert (taken.holder, taken.token) == ("b", 2)
    assert one.acquire("a", TTL, 3) is None
    assert one.current() == taken


def test_late_but_before_anybody_else_is_no_change_of_hands(leases: Leases) -> None:
    lease = leases.open()
    lease.acquire("a", TTL, 1)
    leases.wait(HOUR)
    late = lease.acquire("a", TTL, 2)
    assert late is not None
    assert late.token == 1
    assert lease.current() == late


def test_released_it_passes_on_at_once(leases: Leases) -> None:
    one, other = leases.open(), leases.open()
    one.acquire("a", TTL, 1)
    one.release("a")
    assert other.current() is None
    taken = other.acquire("b", TTL, 2)
    assert taken is not None
    assert taken.token == 2


def test_nobody_releases_what_another_one_has(leases: Leases) -> None:
    one, other = leases.open(), leases.open()
    held = one.acquire("a", TTL, 1)
    other.release("b")
    assert other.current() == held


def test_who_let_go_and_asks_again_has_another_token(leases: Leases) -> None:
    lease = leases.open()
    lease.acquire("a", TTL, 1)
    lease.release("a")
    again = lease.acquire("a", TTL, 2)
    assert again is not None
    assert again.token == 2


@pytest.mark.usefixtures("restless_threads")
def test_of_many_that_ask_at_once_exactly_one_gets_it(leases: Leases) -> None:
    shared, others = leases.open(), [leases.open() for _ in range(CROWD)]
    start = Barrier(CROWD)

    def ask(number: int, token: int) -> Held | None:
        start.wait()
        return others[number].acquire(f"{token}-{number}", TTL, token)

    with ThreadPoolExecutor(CROWD) as pool:
        for token in range(1, 11):
            answers = list(pool.map(lambda number, t=token: ask(number, t), range(CROWD)))
            (held,) = [answer for answer in answers if answer is not None]
            assert shared.current() == held
            assert held.token == token
            leases.wait(TTL)


@pytest.mark.parametrize("leases", SQL, indirect=True)
def test_each_environment_has_its_own(leases: Leases) -> None:
    production, staging = leases.open(), leases.open("staging")
    held = production.acquire("a", TTL, 1)
    assert staging.current() is None
    assert staging.acquire("b", TTL, 1) is not None
    staging.release("b")
    assert production.current() == held


@only_postgresql
def test_hosts_whose_clocks_disagree_agree_on_who_has_it(url: str) -> None:
    with ExitStack() as stack:
        leases = Leases(url, Clock(), stack)
        slow, fast = leases.open(clock=Clock(0)), leases.open(clock=Clock(10**16))
        held = slow.acquire("slow", 300 * MILLISECOND, 1)
        assert fast.current() == held
        assert fast.acquire("fast", TTL, 2) is None
        until(lambda: fast.acquire("fast", TTL, 2) is not None)
        assert slow.acquire("slow", TTL, 3) is None


def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@only_sqlite
@pytest.mark.parametrize(("back", "passes_on"), [(SECOND, False), (HOUR, True)])
def test_a_clock_that_was_set_back_by_much_keeps_nobody_waiting(
    url: str, clock: Clock, back: int, *, passes_on: bool
) -> None:
    with ExitStack() as stack:
        lease = Leases(url, clock, stack).open()
        lease.acquire("a", TTL, 1)
        clock.advance(-back)
        assert (lease.acquire("b", TTL, 2) is not None) == passes_on


ASKS = st.lists(
    st.tuples(st.integers(0, 3 * TTL), st.sampled_from("abc"), st.integers(1, TTL)), max_size=30
)


@given(ASKS)
def test_no_two_have_it_at_one_time(asks: list[tuple[int, str, int]]) -> None:
    """Whoever may have been promised what: promises to others begin after its end."""
    now, promised = 0, {"": 0}
    known = Held("", 0, 0, 0)
    for token, (passed, holder, ttl_us) in enumerate(asks, 1):
        now += passed
        before = known
        held = granted(known, now, holder, ttl_us, token)
        if held is None:
            assert any(until > now for other, until in promised.items() if other != holder)
            continue
        known = held
        assert all(until <= now for other, until in promised.items() if other != holder)
        assert held.token == (before.token if before.holder == holder else token)
        promised[holder] = held.expires_at
        assert held.lasts(now)
        assert not held.lasts(now + ttl_us)
