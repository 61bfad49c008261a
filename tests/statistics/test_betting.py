from collections import Counter
from collections.abc import Iterator
from math import ceil, exp, inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.statistics import betting, sequential
from controlplane.statistics.betting import (
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

mixes = st.dictionaries(st.integers(0, 1_000), st.integers(0, 10_000), max_size=12)
levels = st.floats(1e-3, 1 - 1e-3)


def definition(values: list[float], m0: float, *, above: bool) -> float:
    """ln K straight from its definition: bet by bet, batch by batch."""
    bets = np.array(betting._BETS)[:, None]
    shares = np.array(values)[None, :]
    factors = 1 + bets * ((shares - m0) / m0 if above else (m0 - shares) / (1 - m0))
    won = np.prod(factors, axis=1)
    return log(float(np.average(won, weights=betting._BETS)))


def permille(values: list[float]) -> Counter[int]:
    return Counter(ceil(round(1_000 * value, 9)) for value in values)


# The evidence


def test_before_any_batch_there_is_no_evidence_either_way() -> None:
    for m0 in (0.001, 0.05, 0.5, 0.999):
        assert log_e_below({}, m0) == pytest.approx(0, abs=1e-12)
        assert log_e_above({50: 0}, m0) == pytest.approx(0, abs=1e-12)


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=60), levels)
def test_the_evidence_is_what_the_bets_win_on_average(shares: list[int], m0: float) -> None:
    possible = [share / 1_000 for share in shares]
    certain = [max(0, share - 1) / 1_000 for share in shares]
    below, above = definition(possible, m0, above=False), definition(certain, m0, above=True)
    assert log_e_below(Counter(shares), m0) == pytest.approx(below, abs=1e-9)
    assert log_e_above(Counter(shares), m0) == pytest.approx(above, abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), levels)
def test_rounding_to_permille_never_adds_evidence(values: list[float], m0: float) -> None:
    below, above = definition(values, m0, above=False), definition(values, m0, above=True)
    assert log_e_below(permille(values), m0) <= below + 1e-6
    assert log_e_above(permille(values), m0) <= above + 1e-6


def test_a_batch_that_fails_as_a_whole_is_bet_on_like_one_execution() -> None:
    # 1 + c (m0 - 1) / (1 - m0) = 1 - c: the likelihood ratio of m0 (1 - c) to m0, as for one coin.
    m0, failed, n = 0.05, 3, 200
    ratios = [
        failed * log(1 - bet) + (n - failed) * log((1 - m0 * (1 - bet)) / (1 - m0))
        for bet in betting._BETS
    ]
    average = np.average(np.exp(ratios), weights=betting._BETS)
    assert log_e_below({0: n - failed, 1_000: failed}, m0) == pytest.approx(log(average))


@given(mixes, levels, levels)
def test_what_certifies_a_mean_certifies_every_higher_one(
    shares: dict[int, int], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert log_e_below(shares, low) <= log_e_below(shares, high) + 1e-6
    assert log_e_above(shares, high) <= log_e_above(shares, low) + 1e-6


@given(mixes, levels)
def test_the_evidence_is_finite_and_never_for_both_claims_at_once(
    shares: dict[int, int], m0: float
) -> None:
    below, above = log_e_below(shares, m0), log_e_above(shares, m0)
    assert -inf < min(below, above) <= 1e-9
    assert max(below, above) < inf


def test_a_canary_twice_as_bad_as_allowed_never_passes_however_long_it_runs() -> None:
    for batches in (10**3, 10**5, 10**7):
        assert log_e_below({0: batches // 2, 200: batches // 2}, 0.05) < -0.5
        assert log_e_above({0: batches // 10 * 9, 200: batches // 10}, 0.05) < -0.5


def test_clustered_failures_are_less_evidence_than_the_same_ones_spread_out() -> None:
    spread, clustered = {0: 360, 50: 40}, {0: 398, 1_000: 2}
    assert log_e_below(spread, 0.05) > log_e_below(clustered, 0.05) + 3
    by_execution = sequential.log_e_below(40, 8_000, 0.05)
    assert by_execution > 100, "which takes every execution for a batch of its own"


# Being wrong at any look


def boundary(share: int, m0: float, looks: int, *, above: bool) -> Iterator[int]:
    """For each n, the batches that failed by `share` from which on K >= 1/alpha, or down to it."""
    k = 0 if above else -1
    for n in range(1, looks + 1):
        if above:
            while k <= n and log_e_above({share: k, 0: n - k}, m0) < TARGET:
                k += 1
        elif log_e_below({share: k + 1, 0: n - k - 1}, m0) >= TARGET:
            k += 1
        yield k


@pytest.mark.parametrize("share", [100, 500, 1_000])
@pytest.mark.parametrize("above", [False, True])
def test_looking_after_every_batch_is_wrong_with_exactly_less_than_alpha(
    share: int, *, above: bool
) -> None:
    m0, looks = 0.05, 1_500
    fails = m0 * 1_000 / share
    undecided = np.zeros(looks + 2)
    undecided[0] = 1
    wrong = 0.0
    for limit in boundary(share, m0, looks, above=above):
        undecided[1:] = undecided[1:] * (1 - fails) + undecided[:-1] * fails
        undecided[0] *= 1 - fails
        decided = undecided[limit:] if above else undecided[: limit + 1]
        wrong += decided.sum()
        decided[:] = 0
    assert 0 < wrong <= ALPHA


# How many more


@pytest.mark.parametrize(
    ("m0", "alpha", "needed"), [(0.05, 0.05, 80), (0.05, 0.01, 115), (0.01, 0.05, 406)]
)
def test_so_many_batches_without_failures_certify(m0: float, alpha: float, needed: int) -> None:
    assert needed_without_failures(m0, alpha) == needed
    assert needed_more({}, m0, alpha, FAR) == needed
    assert log_e_below({0: needed - 1}, m0) < log(1 / alpha) <= log_e_below({0: needed}, m0)


def test_the_forecast_is_what_the_same_mix_again_takes() -> None:
    shares = {0: 40, 50: 6, 200: 4}
    more = needed_more(shares, 0.05, ALPHA, FAR)
    assert more is not None
    assert more % 50 != 0
    before, after = more // 50, more // 50 + 1
    grown = [{share: count * (1 + k) for share, count in shares.items()} for k in (before, after)]
    assert log_e_below(grown[0], 0.05) < TARGET <= log_e_below(grown[1], 0.05)


def test_what_has_passed_needs_no_more() -> None:
    assert needed_more({0: 80}, 0.05, ALPHA, FAR) == 0


@pytest.mark.parametrize("shares", [{100: 20}, {0: 19, 1_000: 1}, {1_000: 3}])
def test_a_mix_that_is_not_below_never_passes(shares: dict[int, int]) -> None:
    assert needed_more(shares, 0.05, ALPHA, FAR) is None


def test_a_forecast_beyond_the_limit_is_none() -> None:
    assert needed_more({0: 30}, 0.05, ALPHA, 50) == 50
    assert needed_more({0: 30}, 0.05, ALPHA, 49) is None


# Bounds


@given(mixes.filter(lambda shares: any(shares.values())), st.sampled_from([0.001, 0.05, 0.2]))
def test_the_bounds_enclose_the_mean_and_are_themselves_rejected(
    shares: dict[int, int], alpha: float
) -> None:
    low, high = lower_bound(shares, alpha), upper_bound(shares, alpha)
    batches = sum(shares.values())
    most = sum(share * count for share, count in shares.items()) / 1_000 / batches
    least = sum(max(0, share - 1) * count for share, count in shares.items()) / 1_000 / batches
    assert 0 <= low <= least + 1e-12
    assert most - 1e-12 <= high <= 1
    if high < 1 - 1e-6:
        assert log_e_below(shares, high) >= -log(alpha)
    if high - most > 1e-5:
        assert log_e_below(shares, high - 1e-6) < -log(alpha)
    if low > 1e-5:
        assert log_e_above(shares, low) >= -log(alpha)
    if least - low > 1e-5:
        assert log_e_above(shares, low + 1e-6) < -log(alpha)


def test_without_a_batch_nothing_is_bounded() -> None:
    assert (lower_bound({}, ALPHA), upper_bound({}, ALPHA)) == (0, 1)
    assert lower_bound({0: 1_000, 1: 5}, ALPHA) == 0, "up to one permille may be next to nothing"
    assert upper_bound({1_000: 7}, ALPHA) == 1


def test_200_batches_with_two_percent_failures_bound_the_mean() -> None:
    shares = {0: 134, 50: 54, 100: 12}
    assert lower_bound(shares, ALPHA) == pytest.approx(0.0130, abs=5e-5)
    assert exp(log_e_below(shares, upper_bound(shares, ALPHA))) == pytest.approx(20, rel=1e-4)


# What is refused


@pytest.mark.parametrize(
    ("shares", "complaint"), [({-1: 1}, "share"), ({1_001: 1}, "share"), ({0: -1}, "batches")]
)
def test_shares_that_cannot_be_are_refused(shares: dict[int, int], complaint: str) -> None:
    for function in (log_e_below, log_e_above, upper_bound, lower_bound):
        with pytest.raises(ValueError, match=complaint):
            function(shares, 0.05)
    with pytest.raises(ValueError, match=complaint):
        needed_more(shares, 0.05, ALPHA, FAR)


@pytest.mark.parametrize("wrong", [0, 1, -0.1, 1.5, nan])
def test_means_and_error_levels_must_be_strictly_between_zero_and_one(wrong: float) -> None:
    for function in (log_e_below, log_e_above, upper_bound, lower_bound):
        with pytest.raises(ValueError, match="strictly"):
            function({0: 10}, wrong)
    for m0, alpha in ((wrong, 0.05), (0.05, wrong)):
        with pytest.raises(ValueError, match="strictly"):
            needed_without_failures(m0, alpha)
        with pytest.raises(ValueError, match="strictly"):
            needed_more({0: 10}, m0, alpha, FAR)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        needed_more({0: 10}, 0.05, ALPHA, -1)
