from collections.abc import Iterator
from math import exp, inf, log, nan, sqrt

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from controlplane.statistics.sequential import (
    binomial_tail,
    log_e_above,
    log_e_below,
    lower_bound,
    needed_more,
    needed_without_failures,
    upper_bound,
)

ALPHA = 0.05
TARGET = log(1 / ALPHA)
FAR = 1_000_000

rates = st.floats(1e-6, 1 - 1e-6)
counts = st.tuples(st.integers(0, 10**6), st.floats(0, 1)).map(
    lambda drawn: (round(drawn[0] * drawn[1]), drawn[0])
)


def quadrature(failures: int, n: int, p0: float, *, above: bool) -> float:
    """ln E straight from its definition: the likelihood ratio, averaged over the prior."""
    b = 1 / p0 - 1

    def prior(q: float) -> float:
        return float(b * (1 - q) ** (b - 1))

    def weighted(q: float) -> float:
        ratio = failures * log(q / p0) + (n - failures) * log((1 - q) / (1 - p0))
        return prior(q) * exp(ratio)

    ends = (p0, 1 - 1e-12) if above else (1e-12, p0)
    average = scipy.integrate.quad(weighted, *ends, limit=200)[0]
    return log(average / scipy.integrate.quad(prior, *ends)[0])


# The evidence


def test_before_any_execution_there_is_no_evidence_either_way() -> None:
    for p0 in (0.001, 0.05, 0.5, 0.999):
        assert log_e_below(0, 0, p0) == pytest.approx(0, abs=1e-12)
        assert log_e_above(0, 0, p0) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("p0", [0.01, 0.05, 0.3, 0.6])
@pytest.mark.parametrize(("failures", "n"), [(0, 1), (1, 1), (0, 90), (4, 60), (9, 300), (40, 80)])
def test_the_evidence_is_the_likelihood_ratio_averaged_over_the_prior(
    failures: int, n: int, p0: float
) -> None:
    below = quadrature(failures, n, p0, above=False)
    above = quadrature(failures, n, p0, above=True)
    assert log_e_below(failures, n, p0) == pytest.approx(below, abs=1e-6)
    assert log_e_above(failures, n, p0) == pytest.approx(above, abs=1e-6)


def test_nine_failures_in_300_are_evidence_of_1_75_for_less_than_five_percent() -> None:
    assert exp(log_e_below(9, 300, 0.05)) == pytest.approx(1.7456, abs=1e-4)


def test_four_failures_in_a_row_convict_above_five_percent_and_five_at_one_percent_error() -> None:
    assert log_e_above(3, 3, 0.05) < TARGET <= log_e_above(4, 4, 0.05)
    assert log_e_above(4, 4, 0.05) < log(100) <= log_e_above(5, 5, 0.05)


def test_one_failure_in_130_still_certifies_below_five_percent() -> None:
    assert log_e_below(1, 129, 0.05) < TARGET <= log_e_below(1, 130, 0.05)
    assert log_e_below(1, 170, 0.05) < log(100) <= log_e_below(1, 171, 0.05)


@given(st.integers(1, 10**6), st.floats(0, 1), st.sampled_from([0.001, 0.01, 0.05, 0.5, 0.9]))
def test_one_more_failure_weakens_one_claim_and_strengthens_the_other(
    n: int, share: float, p0: float
) -> None:
    k = round(share * (n - 1))
    assert log_e_below(k, n, p0) > log_e_below(k + 1, n, p0)
    assert log_e_above(k, n, p0) < log_e_above(k + 1, n, p0)


def test_a_canary_twice_as_bad_as_allowed_never_passes_however_long_it_runs() -> None:
    b, n, k = 1 / 0.05 - 1, 36_000, 3_600
    linear = scipy.special.betainc(1 + k, b + n - k, 0.05)
    naive = (
        scipy.special.betaln(1 + k, b + n - k)
        + log(linear + 1e-300)
        - scipy.special.betaln(1, b)
        - log(scipy.special.betainc(1, b, 0.05))
        - k * log(0.05)
        - (n - k) * log(0.95)
    )
    assert linear == 0, "the trap: the mass underflows"
    assert naive > TARGET, "and the constant that hides it becomes the evidence"

    evidence = [log_e_below(n // 10, n, 0.05) for n in range(1_000, 1_000_000, 1_000)]
    assert all(-15 < value < 0 for value in evidence)
    assert evidence == sorted(evidence, reverse=True)


def test_a_canary_far_better_than_allowed_is_never_convicted_however_long_it_runs() -> None:
    evidence = [log_e_above(n // 100, n, 0.05) for n in range(1_000, 1_000_000, 1_000)]
    assert all(-15 < value < 0 for value in evidence)


@given(counts, st.floats(1e-12, 1 - 1e-12))
def test_the_evidence_is_finite_and_never_for_both_claims_at_once(
    seen: tuple[int, int], p0: float
) -> None:
    below, above = log_e_below(*seen, p0), log_e_above(*seen, p0)
    assert -inf < min(below, above) <= 1e-9
    assert max(below, above) < inf


# Being wrong at any look


def boundary(looks: int, p0: float, *, above: bool) -> Iterator[int]:
    """For each n the count of failures from which on E >= 1/alpha, or down to which."""
    k = 0 if above else -1
    for n in range(1, looks + 1):
        if above:
            while k <= n and log_e_above(k, n, p0) < TARGET:
                k += 1
        elif log_e_below(k + 1, n, p0) >= TARGET:
            k += 1
        yield k


@pytest.mark.parametrize("p0", [0.05, 0.3])
@pytest.mark.parametrize("above", [False, True])
def test_looking_after_every_execution_is_wrong_in_fewer_than_alpha_of_simulated_runs(
    p0: float, *, above: bool
) -> None:
    looks, runs = 2_000, 300
    limits = np.array(list(boundary(looks, p0, above=above)))
    failures = np.cumsum(np.random.default_rng(2_026).random((runs, looks)) < p0, axis=1)
    reached = failures >= limits if above else failures <= limits
    wrong = int(reached.any(axis=1).sum())
    assert wrong / runs <= ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / runs)


@pytest.mark.parametrize("p0", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("above", [False, True])
def test_looking_after_every_execution_is_wrong_with_exactly_less_than_alpha(
    p0: float, *, above: bool
) -> None:
    undecided = np.zeros(2_002)
    undecided[0] = 1
    wrong = 0.0
    for limit in boundary(2_000, p0, above=above):
        undecided[1:] = undecided[1:] * (1 - p0) + undecided[:-1] * p0
        undecided[0] *= 1 - p0
        decided = undecided[limit:] if above else undecided[: limit + 1]
        wrong += decided.sum()
        decided[:] = 0
    assert 0 < wrong <= ALPHA


# How many more


@pytest.mark.parametrize(
    ("p0", "alpha", "needed"),
    [
        (0.01, 0.05, 417),
        (0.01, 0.01, 608),
        (0.05, 0.05, 82),
        (0.05, 0.01, 120),
        (0.1, 0.05, 40),
        (0.1, 0.01, 59),
    ],
)
def test_so_many_executions_without_failures_certify(p0: float, alpha: float, needed: int) -> None:
    assert needed_without_failures(p0, alpha) == needed
    assert needed_more(0, 0, p0, alpha, FAR) == needed


def test_no_failures_in_82_executions_certify_below_five_percent() -> None:
    assert log_e_below(0, 81, 0.05) < TARGET <= log_e_below(0, 82, 0.05)


def test_after_60_successes_22_more_are_needed() -> None:
    assert needed_more(0, 60, 0.05, 0.05, FAR) == 22


def test_at_three_percent_after_300_some_600_more_are_needed() -> None:
    more = needed_more(9, 300, 0.05, 0.05, FAR)
    assert more == 599
    assert log_e_below(26, 300 + more, 0.05) > TARGET > log_e_below(28, 300 + more, 0.05)


def test_what_has_passed_needs_no_more() -> None:
    assert needed_more(0, 82, 0.05, 0.05, FAR) == 0


@pytest.mark.parametrize(("failures", "n"), [(5, 100), (20, 100), (3, 3)])
def test_a_rate_that_is_not_below_never_passes(failures: int, n: int) -> None:
    assert needed_more(failures, n, 0.05, 0.05, FAR) is None


def test_a_forecast_beyond_the_limit_is_none() -> None:
    assert needed_more(9, 300, 0.05, 0.05, 599) == 599
    assert needed_more(9, 300, 0.05, 0.05, 598) is None


# Bounds


def test_nine_failures_in_300_bound_the_rate_between_1_0_and_6_7_percent() -> None:
    assert upper_bound(9, 300, 0.05) == pytest.approx(0.0665, abs=5e-5)
    assert lower_bound(9, 300, 0.05) == pytest.approx(0.0100, abs=5e-5)


@given(counts, st.sampled_from([0.001, 0.01, 0.05, 0.2]))
def test_the_bounds_enclose_the_observed_rate_and_are_themselves_rejected(
    seen: tuple[int, int], alpha: float
) -> None:
    failures, n = seen
    low, high = lower_bound(failures, n, alpha), upper_bound(failures, n, alpha)
    rate = failures / n if n else 0.5
    assert 0 <= low <= rate <= high <= 1
    if high < 1:
        assert log_e_below(failures, n, high) >= -log(alpha)
        assert log_e_below(failures, n, high - (high - rate) * 1e-6) < -log(alpha)
    if low > 0:
        assert log_e_above(failures, n, low) >= -log(alpha)
        assert log_e_above(failures, n, low + (rate - low) * 1e-6) < -log(alpha)


@given(counts, rates, rates)
def test_what_certifies_a_rate_certifies_every_higher_one(
    seen: tuple[int, int], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    rate = seen[0] / seen[1] if seen[1] else 0.0
    if low >= rate:
        assert log_e_below(*seen, low) <= log_e_below(*seen, high) + 1e-7
    if high <= rate:
        assert log_e_above(*seen, high) <= log_e_above(*seen, low) + 1e-7


def test_without_a_success_nothing_is_bounded_above_and_without_a_failure_nothing_below() -> None:
    assert upper_bound(0, 0, 0.05) == upper_bound(7, 7, 0.05) == 1
    assert lower_bound(0, 0, 0.05) == lower_bound(0, 10**6, 0.05) == 0


def test_three_failures_are_too_few_to_bound_a_rate_below_and_four_are_enough() -> None:
    assert lower_bound(3, 1_000, 0.05) == 0
    assert lower_bound(4, 1_000, 0.05) > 0


# What is refused


@pytest.mark.parametrize(("failures", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_counts_that_cannot_be_are_refused(failures: int, n: int) -> None:
    for evidence in (log_e_below, log_e_above, upper_bound, lower_bound):
        with pytest.raises(ValueError, match="failures"):
            evidence(failures, n, 0.05)
    with pytest.raises(ValueError, match="failures"):
        needed_more(failures, n, 0.05, 0.05, FAR)


@pytest.mark.parametrize("wrong", [0, 1, -0.1, 1.5, nan])
def test_rates_and_error_levels_must_be_strictly_between_zero_and_one(wrong: float) -> None:
    for function in (log_e_below, log_e_above, upper_bound, lower_bound):
        with pytest.raises(ValueError, match="strictly"):
            function(1, 10, wrong)
    for p0, alpha in ((wrong, 0.05), (0.05, wrong)):
        with pytest.raises(ValueError, match="strictly"):
            needed_without_failures(p0, alpha)
        with pytest.raises(ValueError, match="strictly"):
            needed_more(1, 10, p0, alpha, FAR)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        needed_more(0, 10, 0.05, 0.05, -1)


@pytest.mark.parametrize(("n", "p"), [(-1, 0.5), (5, -0.1), (5, 1.1), (5, nan)])
def test_a_binomial_that_cannot_be_is_refused(n: int, p: float) -> None:
    with pytest.raises(ValueError, match="must"):
        binomial_tail(1, n, p)
