"""Is a series going up or down, and how fast? Two rank methods that one outlier cannot fool.

Both look at all pairs of points. The test presumes independent points: on windows that resemble
their neighbours it claims a trend too often, so pre-whiten them. And it is good for one look only:
aggregate to coarse windows, and look seldom.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import erfc, factorial, isfinite, sqrt
from statistics import fmean, median
from typing import Final

_FEWEST_POINTS: Final = 3
_FEWEST_TO_WHITEN: Final = 5
_MOST_EXACT: Final = 10  # points; beyond, the normal approximation is good to 0.003
_NORMAL_95: Final = 1.645
_MOST_LAG_1: Final = 0.99  # at 1 the series would be a random walk


@dataclass(frozen=True, slots=True)
class Trend:
    """What the Mann-Kendall test found; each p is the chance of such an s, or beyond, in noise."""

    s: int
    """Rising pairs minus falling pairs."""
    variance: float
    """Of s, if there were no trend."""
    z: float
    """s in standard deviations, with continuity correction; 0 when all values are equal."""
    p_increasing: float
    """One-sided; small means the series rises."""
    p_decreasing: float
    """One-sided; small means the series falls."""


def mann_kendall(values: Sequence[float]) -> Trend:
    """Test a series, in order of time, for a monotone trend (Mann 1945; Kendall 1975, with ties).

    Up to ten points without ties the p-values are exact, otherwise of the normal approximation.
    Raise ValueError for fewer than three points or a value that is not finite.
    """
    _check(values)
    n = len(values)
    s = 0
    seen: list[float] = []
    for value in values:
        lower = bisect_left(seen, value)
        higher = len(seen) - bisect_right(seen, value)
        s += lower - higher
        insort(seen, value)
    ties = sum(t * (t - 1) * (2 * t + 5) for t in Counter(values).values())
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    continuity = (s > 0) - (s < 0)
    z = (s - continuity) / sqrt(variance) if variance else 0.0
    if n <= _MOST_EXACT and not ties:
        return Trend(s, variance, z, _exact_tail(s, n), _exact_tail(-s, n))
    return Trend(s, variance, z, erfc(z / sqrt(2)) / 2, erfc(-z / sqrt(2)) / 2)


def prewhitened(values: Sequence[float]) -> list[float]:
    """Return the series less what each value carries over from the one before (von Storch 1995).

    That is x(t) - r x(t-1), one point fewer, with the lag-1 autocorrelation r corrected for its
    bias in short series (Kendall 1954). Where r is not significantly positive (one-sided 5 %,
    Anderson 1942), or there are fewer than five points, it is the series as it was. Part of a trend
    goes with it; in return the Mann-Kendall test keeps its level. Raise ValueError as that does.
    """
    _check(values)
    n = len(values)
    if n < _FEWEST_TO_WHITEN or max(values) == min(values):
        return list(values)
    r = _lag_1(values)
    if r <= (_NORMAL_95 * sqrt(n - 2) - 1) / (n - 1):
        return list(values)
    r = min((n * r + 1) / (n - 4), _MOST_LAG_1)
    return [later - r * earlier for earlier, later in pairwise(values)]


def theil_sen(times: Sequence[float], values: Sequence[float]) -> float:
    """Return the median slope over all pairs of points, in units of value per unit of time.

    Pairs at one time have no slope and are left out (Theil 1950; Sen 1968). Raise ValueError for
    fewer than three points, unequal lengths, a number that is not finite, or a single time.
    """
    _check(times)
    _check(values)
    slopes = [
        (later - earlier) / (end - start)
        for (start, earlier), (end, later) in combinations(zip(times, values, strict=True), 2)
        if start != end
    ]
    if not slopes:
        raise ValueError("all points are at one time: there is no slope")
    return median(slopes)


def _lag_1(values: Sequence[float]) -> float:
    """Return the autocorrelation between neighbours, by the usual estimate with divisor n."""
    mean = fmean(values)
    around = [value - mean for value in values]
    carried = sum(earlier * later for earlier, later in pairwise(around))
    return carried / sum(value * value for value in around)


def _exact_tail(s: int, n: int) -> float:
    """Return P(S >= s) over all n! orders of n values without ties, by Kendall's recursion (1938).

    The k-th value has 0 to k - 1 of the earlier ones above it, all equally likely; pairs that fall
    are the sum of these, and s is all pairs less twice that sum.
    """
    falling = [1]
    for k in range(2, n + 1):
        longer = [0] * (len(falling) + k - 1)
        for shift in range(k):
            for at, ways in enumerate(falling):
                longer[at + shift] += ways
        falling = longer
    most = (n * (n - 1) // 2 - s) // 2
    return sum(falling[: most + 1]) / factorial(n)


def _check(numbers: Sequence[float]) -> None:
    if len(numbers) < _FEWEST_POINTS:
        raise ValueError(f"a trend needs at least {_FEWEST_POINTS} points, not {len(numbers)}")
    if not all(map(isfinite, numbers)):
        raise ValueError("a trend needs finite numbers")
