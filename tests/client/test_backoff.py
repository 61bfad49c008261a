from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st

from controlplane import clock
from controlplane.client.backoff import Backoff


def test_delays_double_up_to_the_longest_and_begin_anew_when_it_worked() -> None:
    backoff = Backoff(0.5, 10, lambda: 1.0)
    assert [backoff.next() for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next() == 0.5


@given(st.floats(0, 1), st.integers(0, 3000))
def test_chance_takes_up_to_half_of_a_delay_however_often_it_failed(
    chance: float, times: int
) -> None:
    backoff = Backoff(1, 30, lambda: chance)
    for _ in repeat(None, times):
        backoff.next()
    assert min(30, 2.0 ** min(times, 64)) / 2 <= backoff.next() <= 30


def test_chance_is_a_number_from_0_up_to_1() -> None:
    drawn = [clock.fraction() for _ in range(100)]
    assert all(0 <= one < 1 for one in drawn)
    assert len(set(drawn)) == 100
