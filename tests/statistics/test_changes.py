"""A rate that turns bad in the middle is found out, and a good one is not accused more often."""

import random
from math import inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.statistics.changes import log_e_turned
from controlplane.statistics.sequential import log_e_above

COUNTS = st.lists(
    st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=12
)


def log_e_of_all_starts(windows: list[tuple[int, int]], p0: float) -> float:
    """Of (failures, n) in window 0, 1, …, counted from the start of each."""
    failures = n = 0
    since: list[float] = []
    for window in reversed(windows or [(0, 0)]):
        failures, n = failures + window[0], n + window[1]
        since.append(log_e_above(failures, n, p0))
    whole, *later = reversed(since)
    return log_e_turned(whole, enumerate(later, 1))


@given(COUNTS)
def test_it_is_never_less_than_three_quarters_of_the_whole(windows: list[tuple[int, int]]) -> None:
    failures, n = sum(k for k, _ in windows), sum(n for _, n in windows)
    assert log_e_of_all_starts(windows, 0.05) >= log(0.75) + log_e_above(failures, n, 0.05) - 1e-9


@given(st.integers(1, 400))
def test_its_weights_are_at_most_one(starts: int) -> None:
    everything_at_one = log_e_turned(0.0, [(number, 0.0) for number in range(1, starts)])
    assert log(0.75) - 1e-12 <= everything_at_one <= 1e-12


def test_what_speaks_for_nothing_leaves_nothing() -> None:
    assert log_e_turned(-inf, []) == -inf
    assert log_e_turned(-inf, [(1, -inf)]) == -inf


def test_a_canary_that_turns_bad_is_found_out_within_a_window() -> None:
    """10 % failing after two good days of 2,400 executions a day."""
    good, bad = (0, 600), (60, 600)
    windows = [good] * 8
    waited = 0
    while log_e_of_all_starts(windows, 0.05) < log(100):
        windows.append(bad)
        waited += 1
    assert waited == 1
    failures, n = sum(k for k, _ in windows), sum(n for _, n in windows)
    assert log_e_above(failures, n, 0.05) < 0, "counted as a whole, nothing is wrong"


@pytest.mark.parametrize("rate", [0.05, 0.04])
def test_a_canary_at_the_bound_is_seldom_accused(rate: float) -> None:
    """The promise is 5 % here; 200 canaries, 12 looks in each of 12 windows."""
    accused = 0
    for run in range(200):
        chance = random.Random(f"{rate}/{run}")  # noqa: S311  why: reproducible
        windows: list[tuple[int, int]] = []
        for look in range(144):
            if look % 12 == 0:
                windows.append((0, 0))
            failed = sum(chance.random() < rate for _ in range(20))
            windows[-1] = (windows[-1][0] + failed, windows[-1][1] + 20)
            if look % 4 == 3 and log_e_of_all_starts(windows, 0.05) >= log(20):
                accused += 1
                break
    assert accused <= 10
