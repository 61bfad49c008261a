from functools import cache
from itertools import pairwise
from math import exp, inf, log, nan, prod, sqrt

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from controlplane.statistics.difference import (
    log_e_above,
    log_e_below,
    lower_bound,
    needed_more,
    upper_bound,
)

ALPHA = 0.05
TARGET = log(1 / ALPHA)
FAR = 1_000_000

Arm = tuple[int, int]

arms = st.tuples(st.integers(0, 10**7), st.floats(0, 1)).map(
    lambda drawn: (round(drawn[0] * drawn[1]), drawn[0])
)
margins = st.floats(-0.999, 0.999)


def log_likelihood(arm: Arm, rate: float) -> float:
    failed, n = arm
    return float(scipy.special.xlogy(failed, rate) + scipy.special.xlog1py(n - failed, -rate))


def log_average(arm: Arm) -> float:
    """ln of the likelihood, averaged over Beta(1, 19)."""
    failed, n = arm
    return float(scipy.special.betaln(1 + failed, 19 + n - failed) - scipy.special.betaln(1, 19))


def log_null(new: Arm, old: Arm, margin: float) -> float:
    """ln of the greatest likelihood with p_new - p_old >= margin, by scipy's optimizer."""
    own_new, own_old = (new[0] / new[1] if new[1] else 1), (old[0] / old[1] if old[1] else 0)
    if own_new - own_old >= margin:
        return log_likelihood(new, own_new) + log_likelihood(old, own_old)

    def on_the_edge(rate: float) -> float:
        return log_likelihood(new, min(1, rate + margin)) + log_likelihood(old, rate)

    ends = max(0.0, -margin), min(1.0, 1 - margin)
    found = scipy.optimize.minimize_scalar(
        lambda rate: -on_the_edge(rate), bounds=ends, method="bounded", options={"xatol": 1e-14}
    )
    return max(-float(found.fun), *map(on_the_edge, ends))


# The evidence


def test_before_any_execution_there_is_no_evidence_either_way() -> None:
    for margin in (-0.5, 0, 0.01, 0.999):
        assert log_e_below((0, 0), (0, 0), margin) == pytest.approx(0, abs=1e-12)
        assert log_e_above((0, 0), (0, 0), margin) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("margin", [-0.99, -0.2, -0.01, 0, 0.01, 0.2, 0.99])
@pytest.mark.parametrize("new", [(0, 0), (0, 1), (1, 1), (0, 900), (7, 300), (40, 40), (9, 10**5)])
@pytest.mark.parametrize(
    "old", [(0, 0), (0, 1), (1, 1), (0, 900), (9, 300), (40, 40), (900, 10**5)]
)
def test_the_evidence_is_the_average_over_the_prior_against_the_best_of_the_null(
    new: Arm, old: Arm, margin: float
) -> None:
    together = (new[0] + old[0], new[1] + old[1])
    average = np.logaddexp(log_average(new) + log_average(old), log_average(together)) - log(2)
    oracle = average - log_null(new, old, margin)
    assert log_e_below(new, old, margin) == pytest.approx(oracle, rel=1e-8, abs=1e-7)
    assert log_e_above(old, new, -margin) == pytest.approx(oracle, rel=1e-8, abs=1e-7)


def test_the_prior_is_even_odds_on_one_rate_and_on_two() -> None:
    def prior(rate: float) -> float:
        return 19 * (1 - rate) ** 18

    def seen(arm: Arm, rate: float) -> float:
        return float(rate ** arm[0] * (1 - rate) ** (arm[1] - arm[0]))

    new, old, margin = (2, 50), (3, 60), 0.3
    average = 0.0
    for one_rate in ((new, old),), ((new,), (old,)):
        product = 1.0
        for group in one_rate:
            product *= scipy.integrate.quad(
                lambda rate, group=group: prior(rate) * prod(seen(arm, rate) for arm in group), 0, 1
            )[0]
        average += product / 2
    oracle = log(average) - log_null(new, old, margin)
    assert log_e_below(new, old, margin) == pytest.approx(oracle, abs=1e-4)


@given(arms, arms, margins)
def test_the_evidence_is_finite_and_never_for_both_claims_at_once(
    new: Arm, old: Arm, margin: float
) -> None:
    below, above = log_e_below(new, old, margin), log_e_above(new, old, margin)
    assert -inf < min(below, above) <= 1e-9
    assert max(below, above) < inf


@given(arms, arms, margins, margins)
def test_what_certifies_a_margin_certifies_every_wider_one(
    new: Arm, old: Arm, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    below = log_e_below(new, old, low), log_e_below(new, old, high)
    assert below[0] <= below[1] + 1e-6 * (1 + abs(below[1]))


@pytest.mark.parametrize("n", [10**3, 10**5, 10**6, 10**7])
def test_a_canary_clearly_worse_never_passes_however_long_it_runs(n: int) -> None:
    for worse, better in ((0.10, 0.02), (0.03, 0.0), (0.9, 0.5)):
        new, old = (round(worse * n), n), (round(better * n), n)
        assert -70 < log_e_below(new, old, 0.01) < 0
        assert log_e_above(new, old, 0.01) > TARGET
        assert -70 < log_e_above(old, new, -0.01) < 0


def test_no_failures_in_either_arm_are_evidence_too() -> None:
    evidence = [log_e_below((0, n), (0, n), 0.01) for n in (100, 805, 806, 10**5, 10**7)]
    assert all(earlier < later for earlier, later in pairwise(evidence))
    assert evidence[1] < TARGET <= evidence[2]


# Being wrong at any look


@pytest.mark.parametrize(("p_old", "margin"), [(0.05, 0.1), (0.3, 0.0), (0.4, -0.3)])
def test_looking_after_every_pair_is_wrong_with_exactly_less_than_alpha(
    p_old: float, margin: float
) -> None:
    looks, p_new = 60, p_old + margin
    undecided = np.zeros((looks + 2, looks + 2))
    undecided[0, 0] = 1
    wrong = 0.0
    for n in range(1, looks + 1):
        undecided[1:] = undecided[1:] * (1 - p_new) + undecided[:-1] * p_new
        undecided[0] *= 1 - p_new
        undecided[:, 1:] = undecided[:, 1:] * (1 - p_old) + undecided[:, :-1] * p_old
        undecided[:, 0] *= 1 - p_old
        for new in range(n + 1):
            # One more failure of the old arm is more evidence that the new one is better.
            for old in range(n, -1, -1):
                if log_e_below((new, n), (old, n), margin) < TARGET:
                    break
                wrong += undecided[new, old]
                undecided[new, old] = 0
    assert 0 < wrong <= ALPHA


@pytest.mark.parametrize(("p_new", "p_old"), [(0.015, 0.005), (0.03, 0.02), (0.01, 0.0)])
@pytest.mark.parametrize("above", [False, True])
def test_looking_after_every_20_executions_is_wrong_in_fewer_than_alpha_of_simulated_runs(
    p_new: float, p_old: float, *, above: bool
) -> None:
    runs, looks, step = 300, 100, 20
    chance = np.random.default_rng(2_026)
    new = np.cumsum(chance.binomial(step, p_new, (runs, looks)), axis=1).tolist()
    old = np.cumsum(chance.binomial(step, p_old, (runs, looks)), axis=1).tolist()
    log_e = cache(log_e_above if above else log_e_below)
    wrong = sum(
        any(
            log_e((k, step * look), (j, step * look), 0.01) >= TARGET
            for look, (k, j) in enumerate(zip(*run, strict=True), 1)
        )
        for run in zip(new, old, strict=True)
    )
    assert wrong / runs <= ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / runs)


# How many more


def test_the_forecast_is_where_the_present_rates_get_there() -> None:
    new, old = (20, 1_000), (180, 9_000)
    more = needed_more(new, old, 0.01, ALPHA, FAR, old_grows=True)
    assert more == 3_054
    for executions, enough in ((3_000, False), (3_100, True)):
        n = 1_000 + executions
        grown = log_e_below((n // 50, n), (9 * n // 50, 9 * n), 0.01)
        assert (grown >= TARGET) is enough


def test_against_an_old_arm_that_stands_still_it_takes_longer_or_forever() -> None:
    still = needed_more((20, 1_000), (180, 9_000), 0.01, ALPHA, FAR, old_grows=False)
    assert still is not None
    assert still > 3_054
    assert needed_more((20, 1_000), (20, 1_000), 0.01, ALPHA, FAR, old_grows=False) is None


def test_without_executions_the_forecast_is_of_none_failing() -> None:
    more = needed_more((0, 0), (0, 0), 0.01, ALPHA, FAR, old_grows=True)
    assert more is not None
    assert log_e_below((0, more - 1), (0, more - 1), 0.01) < TARGET
    assert log_e_below((0, more), (0, more), 0.01) >= TARGET


def test_what_has_passed_needs_no_more_and_what_is_worse_never_passes() -> None:
    assert needed_more((0, 5_000), (0, 5_000), 0.01, ALPHA, FAR, old_grows=True) == 0
    assert needed_more((40, 1_000), (20, 1_000), 0.01, ALPHA, FAR, old_grows=True) is None


def test_a_forecast_beyond_the_limit_is_none() -> None:
    new, old = (20, 1_000), (180, 9_000)
    assert needed_more(new, old, 0.01, ALPHA, 3_054, old_grows=True) == 3_054
    assert needed_more(new, old, 0.01, ALPHA, 3_053, old_grows=True) is None


# Bounds


@given(arms, arms, st.sampled_from([0.001, 0.05, 0.2]))
def test_the_bounds_enclose_the_observed_difference_and_are_themselves_rejected(
    new: Arm, old: Arm, alpha: float
) -> None:
    low, high = lower_bound(new, old, alpha), upper_bound(new, old, alpha)
    assert -1 <= low <= high <= 1
    if new[1] and old[1]:
        assert low - 1e-12 <= new[0] / new[1] - old[0] / old[1] <= high + 1e-12
    if high < 1 - 1e-6:
        assert log_e_below(new, old, high) >= -log(alpha)
    if low > -1 + 1e-6:
        assert log_e_above(new, old, low) >= -log(alpha)


def test_twenty_of_a_thousand_in_both_arms_bound_the_difference_by_two_points() -> None:
    assert upper_bound((20, 1_000), (20, 1_000), ALPHA) == pytest.approx(0.0225, abs=5e-5)
    assert lower_bound((20, 1_000), (20, 1_000), ALPHA) == pytest.approx(-0.0225, abs=5e-5)
    assert exp(log_e_below((20, 1_000), (20, 1_000), 0.022543258501825925)) > 20 - 1e-6


def test_without_executions_nothing_is_bounded() -> None:
    assert (lower_bound((0, 0), (0, 0), ALPHA), upper_bound((0, 0), (0, 0), ALPHA)) == (-1, 1)


# What is refused


@pytest.mark.parametrize("wrong", [(-1, 5), (6, 5), (0, -1)])
def test_counts_that_cannot_be_are_refused(wrong: Arm) -> None:
    for function in (log_e_below, log_e_above, upper_bound, lower_bound):
        for pair in ((wrong, (1, 5)), ((1, 5), wrong)):
            with pytest.raises(ValueError, match="failures"):
                function(*pair, 0.05)


@pytest.mark.parametrize("wrong", [-1, 1, nan])
def test_a_margin_must_be_strictly_between_minus_one_and_one(wrong: float) -> None:
    for function in (log_e_below, log_e_above):
        with pytest.raises(ValueError, match="margin"):
            function((1, 5), (1, 5), wrong)


def test_an_error_level_outside_zero_to_one_and_a_negative_limit_are_refused() -> None:
    with pytest.raises(ValueError, match="strictly"):
        upper_bound((1, 5), (1, 5), 0)
    with pytest.raises(ValueError, match="limit"):
        needed_more((1, 5), (1, 5), 0.1, ALPHA, -1, old_grows=False)
