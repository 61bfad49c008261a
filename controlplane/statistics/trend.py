"""Is a series going up or down, and how fast? Two rank methods that one outlier cannot fool.

Both look at all pairs of points. The test presumes independent points: on windows that resemble
their neighbours it claims a trend too often, so aggregate to coarse windows, and look seldom.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import erfc, isfinite, sqrt
from statistics import median
from typing import Final

_FEWEST_POINTS: Final = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """What the Mann-Kendall test found; each p is the chance of such a z, or beyond, in noise."""

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

    The normal approximation serves from about ten points. Raise ValueError for fewer than three
    points or a value that is not finite.
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
    return Trend(s, variance, z, erfc(z / sqrt(2)) / 2, erfc(-z / sqrt(2)) / 2)


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


def _check(numbers: Sequence[float]) -> None:
    if len(numbers) < _FEWEST_POINTS:
        raise ValueError(f"a trend needs at least {_FEWEST_POINTS} points, not {len(numbers)}")
    if not all(map(isfinite, numbers)):
        raise ValueError("a trend needs finite numbers")
