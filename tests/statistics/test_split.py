from functools import cache
from math import inf, log, nan

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from controlplane.statistics import split
from controlplane.statistics.split import log_e_mismatch, share_bounds

ALPHA = 0.01
TARGET = log(1 / ALPHA)

counts = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))


@cache
def limits(share: float, n: int) -> tuple[int, int]:
    """The units on down to which, and from which on, `n` units are not split as planned."""
    few = many = round(share * n)
    while few >= 0 and log_e_mismatch(few, n - few, share) < TARGET:
        few -= 1
    while many <= n and log_e_mismatch(many, n - many, share) < TARGET:
        many += 1
    return few, many


# The evidence


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
@pytest.mark.parametrize(("on", "off"), [(0, 0), (0, 40), (3, 0), (12, 88), (1_000, 9_000)])
def test_the_evidence_is_the_beta_binomial_over_the_binomial(
    on: int, off: int, share: float
) -> None:
    weight = split._PRIOR_UNITS
    mixed = scipy.stats.betabinom.logpmf(on, on + off, weight * share, weight * (1 - share))
    planned = scipy.stats.binom.logpmf(on, on + off, share)
    assert log_e_mismatch(on, off, share) == pytest.approx(mixed - planned, abs=1e-6)


@given(counts, st.floats(0, 1))
def test_on_and_off_may_be_swapped(seen: tuple[int, int], share: float) -> None:
    on, off = seen
    swapped = log_e_mismatch(off, on, 1 - share)
    assert log_e_mismatch(on, off, 1 - (1 - share)) == pytest.approx(swapped, rel=1e-6, abs=1e-6)


def test_a_split_as_planned_is_evidence_against_itself_never() -> None:
    for n in (10, 1_000, 10**6, 10**9):
        assert log_e_mismatch(n // 10, n - n // 10, 0.1) <= 0


def test_one_unit_off_contradicts_a_share_of_one_and_one_unit_on_a_share_of_zero() -> None:
    assert log_e_mismatch(10**6, 0, 1) == log_e_mismatch(0, 10**6, 0) == 0
    assert log_e_mismatch(10**6, 1, 1) == log_e_mismatch(1, 10**6, 0) == inf


# Being wrong at any look, and being right


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_looking_after_every_unit_alarms_with_exactly_less_than_alpha(share: float) -> None:
    looks = 1_500
    undecided = np.zeros(looks + 2)
    undecided[0] = 1
    alarmed = 0.0
    for n in range(1, looks + 1):
        undecided[1:] = undecided[1:] * (1 - share) + undecided[:-1] * share
        undecided[0] *= 1 - share
        few, many = limits(share, n)
        alarmed += undecided[: few + 1].sum() + undecided[many:].sum()
        undecided[: few + 1] = undecided[many:] = 0
    assert 0 < alarmed <= ALPHA


@pytest.mark.parametrize(
    ("served", "units"), [(0.12, 2_700), (0.15, 500), (0.2, 180), (0.05, 370), (0.0, 130)]
)
def test_where_ten_percent_are_planned_an_alarm_takes_about_so_many_units(
    served: float, units: int
) -> None:
    step, runs, looks = 10, 200, 1_200
    chance = np.random.default_rng(2_026)
    on = np.cumsum(chance.binomial(step, served, (runs, looks)), axis=1)
    few, many = np.array([limits(0.1, step * look) for look in range(1, looks + 1)]).T
    alarms = (on <= few) | (on >= many)
    assert alarms.any(axis=1).all()
    assert np.median((alarms.argmax(axis=1) + 1) * step) == pytest.approx(units, rel=0.15)


# Bounds


@given(counts, st.sampled_from([0.001, 0.01, 0.2]))
def test_the_bounds_enclose_the_share_seen_and_all_that_is_not_convicted(
    seen: tuple[int, int], alpha: float
) -> None:
    on, off = seen
    low, high = share_bounds(on, off, alpha)
    share = on / (on + off) if on + off else 0.5
    assert 0 <= low <= share <= high <= 1
    if low > 0:
        assert log_e_mismatch(on, off, low) >= -log(alpha)
        assert log_e_mismatch(on, off, low + (share - low) * 1e-6) < -log(alpha)
    if high < 1:
        assert log_e_mismatch(on, off, high) >= -log(alpha)
        assert log_e_mismatch(on, off, high - (high - share) * 1e-6) < -log(alpha)


def test_100_units_on_of_1100_bound_the_share_between_6_and_13_percent() -> None:
    assert share_bounds(100, 1_000, ALPHA) == pytest.approx((0.0629, 0.1248), abs=1e-4)


def test_without_units_any_share_is_possible() -> None:
    assert share_bounds(0, 0, ALPHA) == (0, 1)


# What is refused


@pytest.mark.parametrize(("on", "off"), [(-1, 5), (5, -1)])
def test_negative_counts_are_refused(on: int, off: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        log_e_mismatch(on, off, 0.1)
    with pytest.raises(ValueError, match="negative"):
        share_bounds(on, off, ALPHA)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, nan])
def test_a_share_that_cannot_be_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="share"):
        log_e_mismatch(1, 9, wrong)


@pytest.mark.parametrize("wrong", [0, 1, nan])
def test_an_error_level_must_be_strictly_between_zero_and_one(wrong: float) -> None:
    with pytest.raises(ValueError, match="strictly"):
        share_bounds(1, 9, wrong)
