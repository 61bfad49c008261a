from math import exp, log, log1p, sqrt

import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from controlplane.statistics import sequential
from controlplane.statistics.sequential import (
    binomial_tail,
)

# The incomplete beta


@pytest.mark.parametrize("n", [1, 10, 1_000, 20_000, 1_000_000])
@pytest.mark.parametrize("p", [0.0001, 0.01, 0.05, 0.5, 0.95])
def test_the_log_of_either_tail_agrees_with_scipy_to_nine_digits(n: int, p: float) -> None:
    spread = sqrt(n * p * (1 - p))
    for z in (-30, -6, -3, -1, -0.2, 0, 0.2, 1, 3, 6, 30):
        k = min(max(n * p + z * spread, 0), n)
        a, b = 1 + k, 1 / p - 1 + n - k
        _, lower, upper = sequential._log_beta(p, a, b)
        below, above = scipy.special.betainc(a, b, p), scipy.special.betaincc(a, b, p)
        # Of two complements the smaller one has the digits.
        if 1e-290 < below <= above:
            assert lower == pytest.approx(log(below), rel=1e-9)
            assert upper == pytest.approx(log1p(-below), rel=1e-9)
        elif 1e-290 < above < below:
            assert upper == pytest.approx(log(above), rel=1e-9)
            assert lower == pytest.approx(log1p(-above), rel=1e-9)


@given(st.floats(1, 1e6), st.floats(1e-3, 1e6), st.floats(1e-9, 1 - 1e-9))
def test_the_two_tails_add_up_to_one(a: float, b: float, x: float) -> None:
    _, lower, upper = sequential._log_beta(x, a, b)
    assert exp(lower) + exp(upper) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("x", [1e-300, 1e-12, 0.05, 0.9])
@pytest.mark.parametrize("a", [1, 30, 1_000_000])
def test_the_log_of_a_tail_that_no_float_can_hold_is_still_exact(x: float, a: float) -> None:
    # I_x(a, 1) = x**a.
    _, lower, _ = sequential._log_beta(x, a, 1)
    assert lower == pytest.approx(a * log(x), rel=1e-13)


# The binomial test


@given(st.integers(0, 2_000), st.integers(-2, 2_002), st.floats(0, 1))
def test_the_binomial_tail_agrees_with_scipy(n: int, k: int, p: float) -> None:
    oracle = scipy.stats.binom.sf(k - 1, n, p)
    assert binomial_tail(k, n, p) == pytest.approx(oracle, rel=1e-8, abs=1e-290)


def test_the_binomial_tail_of_ten_coins() -> None:
    assert binomial_tail(8, 10, 0.5) == pytest.approx(56 / 1024, rel=1e-14)
    assert binomial_tail(10, 10, 0.5) == pytest.approx(1 / 1024, rel=1e-14)


def test_zero_or_more_is_certain_and_more_than_all_impossible() -> None:
    assert binomial_tail(0, 10, 0.3) == binomial_tail(-1, 0, 0) == binomial_tail(10, 10, 1) == 1
    assert binomial_tail(11, 10, 0.3) == binomial_tail(1, 10, 0) == binomial_tail(1, 0, 1) == 0
