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
_MOST_EXACT: Final = 10  # points; beyond, a small normal p is off by 0.005 at most
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
    """Return the series, evenly spaced in time, less what each value carries over to the next.

    That is x(t) - r x(t-1), where r is the lag-1 autocorrelation around the Theil-Sen line: of the
    series itself, a trend would count as autocorrelation (Zhang et al. 2000; Wang & Swail 2001). It
    is corrected for its bias in short series (van Giersbergen 2005; Hamed 2009, eq. 24). The first
    value stays on the line, at sqrt(1 - r^2) of its distance (Prais & Winsten 1954). Nothing is
    added back, other than by Yue et al. (2002): with all of the trend but part of the noise, the
    Mann-Kendall test would claim too much. Where r is not positive, or there are fewer than five
    points, it is the series as it was. Raise ValueError as that test does.
    """
    _check(values)
    n = len(values)
    if n < _FEWEST_TO_WHITEN:
        return list(values)
    slope = theil_sen(range(n), values)
    level = median(value - slope * at for at, value in enumerate(values))
    around = [value - level - slope * at for at, value in enumerate(values)]
    r = min((n * _lag_1(around) + 2) / (n - 4), _MOST_LAG_1)
    if r <= 0:
        return list(values)
    first = (1 - r) * level + r * slope + sqrt(1 - r * r) * around[0]
    return [first, *(later - r * earlier for earlier, later in pairwise(values))]


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
    """Return the autocorrelation between neighbours, by the usual estimate with divisor n.

    Where all are equal it is -1: of those, nothing is to be taken off.
    """
    mean = fmean(values)
    around = [value - mean for value in values]
    spread = sum(value * value for value in around)
    carried = sum(earlier * later for earlier, later in pairwise(around))
    return carried / spread if spread else -1.0


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
