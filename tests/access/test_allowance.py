"""A bucket that fills up again: so many at once, so many a second in the long run."""

from hypothesis import given
from hypothesis import strategies as st

from controlplane.allowance import Allowance, Allowances

STEPS = st.lists(st.floats(0, 10, allow_subnormal=False), max_size=200)


@given(st.floats(0.1, 100), st.floats(1, 100), STEPS)
def test_in_no_time_more_is_had_than_is_allowed(
    per_second: float, burst: float, steps: list[float]
) -> None:
    allowance, now, granted = Allowance(per_second, burst), 0.0, 0
    for step in steps:
        now += step
        granted += allowance.take(now) == 0.0
        assert granted <= burst + per_second * now + 1e-6


@given(st.floats(0.1, 100), st.floats(1, 100), STEPS)
def test_who_waits_as_long_as_told_is_granted(
    per_second: float, burst: float, steps: list[float]
) -> None:
    allowance, now = Allowance(per_second, burst), 0.0
    for step in steps:
        now += step
        if waits := allowance.take(now):
            now += waits + 1e-6
            assert allowance.take(now) == 0.0


def test_a_clock_that_is_set_back_grants_nothing_more() -> None:
    allowance = Allowance(1.0, 1.0)
    assert [allowance.take(now) for now in (100.0, 50.0, 100.0)] == [0.0, 1.0, 1.0]


def test_each_has_its_own_and_those_not_seen_for_longest_are_forgotten() -> None:
    allowances = Allowances(1.0, 1.0, most=2)
    assert [allowances.take(who, 0.0) for who in "aab"] == [0.0, 1.0, 0.0]
    allowances.take("c", 0.0)
    assert allowances.take("a", 0.0) == 0.0
