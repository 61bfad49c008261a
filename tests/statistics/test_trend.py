from itertools import pairwise
from math import erfc, inf, nan, sin, sqrt

import numpy as np
import pymannkendall  # type: ignore[import-untyped]  # why: it has no types
import pytest
import scipy.signal
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from controlplane.statistics import trend as trends
from controlplane.statistics.trend import mann_kendall, prewhitened, theil_sen

series = st.lists(st.integers(-20, 20), min_size=3, max_size=40)


def test_a_steady_rise_of_five_points_has_ten_rising_pairs() -> None:
    trend = mann_kendall([1, 2, 3, 4, 5])
    assert trend.s == 10
    assert trend.variance == pytest.approx(50 / 3)
    assert trend.z == pytest.approx(9 / sqrt(50 / 3))
    assert trend.p_increasing == pytest.approx(1 / 120), "one of the 5! orders"
    assert trend.p_decreasing == 1


def test_ties_lower_the_variance() -> None:
    trend = mann_kendall([1, 1, 2, 2, 2])
    assert trend.s == 6
    assert trend.variance == pytest.approx((5 * 4 * 15 - 2 * 1 * 9 - 3 * 2 * 11) / 18)


def test_a_flat_series_has_no_trend() -> None:
    trend = mann_kendall([7.5] * 10)
    assert (trend.s, trend.variance, trend.z) == (0, 0, 0)
    assert trend.p_increasing == trend.p_decreasing == 0.5


def test_one_step_of_net_rise_is_no_evidence() -> None:
    trend = mann_kendall([1, 3, 2])
    assert trend.s == 1
    assert trend.z == 0


@given(series)
def test_the_mirror_of_a_series_has_the_mirror_of_its_trend(values: list[int]) -> None:
    trend, mirror = mann_kendall(values), mann_kendall([-value for value in values])
    assert (trend.s, trend.z) == (-mirror.s, -mirror.z)
    assert trend.variance == mirror.variance
    assert trend.p_increasing == mirror.p_decreasing


@given(series.filter(lambda values: len(set(values)) > 1))
def test_s_and_its_variance_agree_with_scipy(values: list[int]) -> None:
    trend = mann_kendall(values)
    oracle = scipy.stats.kendalltau(range(len(values)), values, method="asymptotic")
    pairs = len(values) * (len(values) - 1) / 2
    tied = sum(values.count(value) - 1 for value in values) / 2
    assert oracle.statistic == pytest.approx(trend.s / sqrt(pairs * (pairs - tied)), abs=1e-12)
    # scipy's two-sided p has no continuity correction.
    two_sided = erfc(abs(trend.s) / sqrt(2 * trend.variance))
    assert oracle.pvalue == pytest.approx(two_sided, rel=1e-9)


@given(st.permutations(range(10)), st.integers(3, 10))
def test_up_to_ten_points_without_ties_the_p_values_are_exact(order: list[int], n: int) -> None:
    values = order[:n]
    trend = mann_kendall(values)
    for p, alternative in ((trend.p_increasing, "greater"), (trend.p_decreasing, "less")):
        oracle = scipy.stats.kendalltau(
            range(n), values, method="exact", alternative=alternative
        ).pvalue
        assert p == pytest.approx(oracle, rel=1e-12)


@pytest.mark.parametrize("values", [range(11), [1, 2, 2, 3, 4]])
def test_of_more_points_or_tied_ones_the_p_values_are_those_of_z(values: list[float]) -> None:
    trend = mann_kendall(values)
    assert trend.p_increasing == pytest.approx(scipy.stats.norm.sf(trend.z))


def test_a_leak_under_noise_is_seen() -> None:
    rng = np.random.default_rng(5)
    leaking = [100 + 0.5 * minute + rng.normal(0, 5) for minute in range(60)]
    steady = [100 + rng.normal(0, 5) for _ in range(60)]
    assert mann_kendall(leaking).p_increasing < 1e-6
    assert mann_kendall(steady).p_increasing > 0.01


def test_without_a_trend_five_percent_of_series_seem_to_rise() -> None:
    rng = np.random.default_rng(6)
    runs = 2_000
    rising = sum(mann_kendall(rng.random(24).tolist()).p_increasing < 0.05 for _ in range(runs))
    assert rising / runs == pytest.approx(0.05, abs=3 * sqrt(0.05 * 0.95 / runs))


# Series that resemble themselves


def autocorrelated(phi: float, n: int, chance: np.random.Generator) -> list[float]:
    """x(t) = phi x(t-1) + noise, from long ago."""
    noise = chance.standard_normal(n + 100)
    return [float(x) for x in scipy.signal.lfilter([1], [1, -phi], noise)[100:]]


def off_the_line(values: list[float]) -> tuple[float, float, list[float]]:
    """Slope and level of the Theil-Sen line by scipy, and what is left around it."""
    slope, level = scipy.stats.theilslopes(values, range(len(values)), method="joint")[:2]
    return slope, level, [value - level - slope * at for at, value in enumerate(values)]


@pytest.mark.parametrize("n", [5, 14, 60])
def test_the_part_carried_over_around_the_line_is_that_of_pymannkendall(n: int) -> None:
    values = [x - at / n for at, x in enumerate(autocorrelated(0.5, n, np.random.default_rng(8)))]
    slope, _, around = off_the_line(values)
    r = trends._lag_1(around)
    rest = [later - r * earlier for earlier, later in pairwise(around)]
    # Yue et al. (2002) test the whitened rest with the whole trend put back.
    blended = mann_kendall([x + slope * at for at, x in enumerate(rest)])
    oracle = pymannkendall.trend_free_pre_whitening_modification_test(values)
    assert (blended.s, blended.variance) == (oracle.s, oracle.var_s)
    plain = pymannkendall.original_test(values)
    assert mann_kendall(values).z == pytest.approx(plain.z, abs=1e-12)


@pytest.mark.parametrize("slope", [0.0, -0.3])
def test_what_is_carried_over_is_corrected_for_its_bias_and_taken_off(slope: float) -> None:
    noise = autocorrelated(0.7, 40, np.random.default_rng(9))
    values = [x + slope * at for at, x in enumerate(noise)]
    slope, level, around = off_the_line(values)
    r = (40 * trends._lag_1(around) + 2) / 36
    assert 0 < r < 0.99
    first, *others = prewhitened(values)
    assert others == pytest.approx([later - r * earlier for earlier, later in pairwise(values)])
    line = level - r * (level - slope)
    assert first == pytest.approx(line + sqrt(1 - r**2) * around[0])


@given(series.filter(lambda values: len(values) >= 5), st.integers(-9, 9))
def test_a_line_on_top_makes_no_difference_but_a_line(values: list[int], slope: int) -> None:
    steeper = [value + slope * at for at, value in enumerate(values)]
    more = [a - b for a, b in zip(prewhitened(steeper), prewhitened(values), strict=True)]
    steps = [later - earlier for earlier, later in pairwise(more)]
    assert steps == pytest.approx([steps[0]] * len(steps), abs=1e-9)
    assert steps[0] * slope >= 0, "and one that goes the same way"


def test_a_series_that_carries_nothing_over_stays_as_it_was() -> None:
    values = autocorrelated(-0.6, 50, np.random.default_rng(10))
    assert prewhitened(values) == values


@pytest.mark.parametrize(
    "values", [[7.5] * 20, [1.0, 2.0, 3.0, 4.0], [3.0, 1.0, 2.0], list(range(60))]
)
def test_a_flat_or_straight_or_very_short_series_stays_as_it_was(values: list[float]) -> None:
    assert prewhitened(values) == values


def test_no_more_than_99_percent_are_taken_off() -> None:
    arc = [sin(at / 20) for at in range(60)]
    expected = [later - 0.99 * earlier for earlier, later in pairwise(arc)]
    assert prewhitened(arc)[1:] == pytest.approx(expected)


def found(series: list[list[float]], alpha: float) -> tuple[float, float]:
    """In which share of the series a fall is found: without, and with pre-whitening."""
    without = sum(mann_kendall(values).p_decreasing <= alpha for values in series)
    whitened = sum(mann_kendall(prewhitened(values)).p_decreasing <= alpha for values in series)
    return without / len(series), whitened / len(series)


@pytest.mark.parametrize("n", [8, 12, 24])
@pytest.mark.parametrize(("phi", "level"), [(0.0, 0.05), (0.3, 0.06), (0.6, 0.08), (0.8, 0.11)])
def test_without_a_trend_few_prewhitened_series_seem_to_fall(
    phi: float, level: float, n: int
) -> None:
    chance, runs = np.random.default_rng(11), 500
    deceived, falling = found([autocorrelated(phi, n, chance) for _ in range(runs)], 0.05)
    assert falling <= level + 2 * sqrt(level * (1 - level) / runs)
    if phi >= 0.6:
        assert deceived > 1.4 * falling


@pytest.mark.parametrize(("windows", "power"), [(8, 0.45), (12, 0.78), (24, 0.99)])
def test_a_fall_from_ten_to_two_percent_is_still_seen(windows: int, power: float) -> None:
    """200 executions a window, at the level that `trend_down` gives each of three looks."""
    chance, runs = np.random.default_rng(12), 500
    rates = np.linspace(0.10, 0.02, windows)
    shares = chance.binomial(200, rates, (runs, windows)) / 200
    _, seen = found(shares.tolist(), 0.05 / 2 / 3)
    assert seen == pytest.approx(power, abs=3 * sqrt(power * (1 - power) / runs))


# Slopes


def test_the_slope_of_a_line_is_its_slope() -> None:
    assert theil_sen([0, 10, 30, 100], [5, 25, 65, 205]) == 2


def test_one_outlier_does_not_move_the_slope() -> None:
    assert theil_sen(range(9), [0, 1, 2, 3, 4_000, 5, 6, 7, 8]) == 1


def test_points_at_one_time_have_no_slope_between_them() -> None:
    assert theil_sen([0, 0, 1], [1, 3, 5]) == 3


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # scipy's confidence bounds
@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-20, 20)), min_size=3, max_size=30).filter(
        lambda points: len({time for time, _ in points}) > 1
    )
)
def test_the_slope_agrees_with_scipy(points: list[tuple[int, int]]) -> None:
    times, values = zip(*points, strict=True)
    oracle = scipy.stats.theilslopes(values, times).slope
    assert theil_sen(times, values) == pytest.approx(oracle, abs=1e-12)


@pytest.mark.parametrize("values", [[], [1, 2]])
def test_fewer_than_three_points_make_no_trend(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least 3"):
        mann_kendall(values)
    with pytest.raises(ValueError, match="at least 3"):
        prewhitened(values)
    with pytest.raises(ValueError, match="at least 3"):
        theil_sen(values, values)


@pytest.mark.parametrize("wrong", [nan, inf])
def test_a_number_that_is_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        mann_kendall([1, 2, wrong])
    with pytest.raises(ValueError, match="finite"):
        theil_sen([1, 2, wrong], [1, 2, 3])


def test_a_slope_needs_as_many_times_as_values() -> None:
    with pytest.raises(ValueError, match="argument 2 is"):
        theil_sen([1, 2, 3, 4], [1, 2, 3])


def test_a_slope_needs_two_times() -> None:
    with pytest.raises(ValueError, match="one time"):
        theil_sen([4, 4, 4], [1, 2, 3])
