"""An exponential histogram of durations: small, exactly mergeable, the same on every machine.

Bucket ``i`` holds the whole microseconds in ``(2**((i-1)/32), 2**(i/32)]``, the layout of a
Prometheus native histogram with schema 5; zero has a counter of its own. A histogram is a bag of
counts, so however values arrive and however parts are merged, the result is equal.
"""

from bisect import bisect_left, bisect_right
from fractions import Fraction
from math import ceil, isqrt
from typing import Annotated, Final

from msgspec import Meta, Struct, field

_BUCKETS_PER_OCTAVE: Final = 32
_OCTAVES: Final = 62  # 2**62 us is 146 000 years, and still a signed 64-bit integer


def _floor_of_power(index: int) -> int:
    """Return floor(2**(index/32)): a 32nd root is five square roots, and isqrt is exact."""
    root = 1 << index
    for _ in range(_BUCKETS_PER_OCTAVE.bit_length() - 1):
        root = isqrt(root)
    return root


# The largest integer each bucket may hold. A table, because log2 of a float may round a value on
# an edge into either bucket, and not alike on every platform.
_UPPER: Final = tuple(_floor_of_power(i) for i in range(_BUCKETS_PER_OCTAVE * _OCTAVES + 1))

LONGEST_US: Final = _UPPER[-1]
"""The longest duration a histogram accepts, in microseconds."""


def bounds(index: int) -> tuple[int, int]:
    """Return the lowest and the highest integer of a bucket, in microseconds, both inclusive.

    Below 46 us most buckets are narrower than one microsecond; those that can hold no integer have
    a lowest above their highest. Raise ValueError for an index that no value has.
    """
    if not 0 <= index < len(_UPPER):
        raise ValueError(f"bucket index {index} is outside 0..{len(_UPPER) - 1}")
    return (_UPPER[index - 1] + 1 if index else 1), _UPPER[index]


class Histogram(Struct, forbid_unknown_fields=True):
    """Counts of durations in whole microseconds: of those that are zero, and by bucket index."""

    zero: Annotated[int, Meta(ge=0)] = 0
    buckets: dict[
        Annotated[int, Meta(ge=0, lt=len(_UPPER))],
        Annotated[int, Meta(ge=1)],
    ] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many values were added."""
        return self.zero + sum(self.buckets.values())

    def add(self, value_us: int, count: int = 1) -> None:
        """Count a duration, in microseconds, `count` times.

        Raise ValueError when it is negative or above LONGEST_US, or when `count` is below one.
        """
        if not 0 <= value_us <= LONGEST_US:
            raise ValueError(f"a duration is 0..{LONGEST_US} us, not {value_us}")
        if count < 1:
            raise ValueError(f"a value is added at least once, not {count} times")
        if value_us == 0:
            self.zero += count
            return
        index = bisect_left(_UPPER, value_us)
        self.buckets[index] = self.buckets.get(index, 0) + count

    def merge(self, other: "Histogram") -> None:
        """Add all that the other histogram counted; the other stays as it is."""
        self.zero += other.zero
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count

    def quantile(self, q: float) -> int | None:
        """Return about the nearest-rank `q` quantile in microseconds, or None without values.

        The nearest rank is the smallest value with at least q * count values at or below it (the
        minimum for q = 0). The answer is within 1.1 % of it; below 1.4 ms, where two neighbours may
        share a bucket, within 1.1 % and half a microsecond; up to 46 us it is exact. Raise
        ValueError when q is outside 0..1.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile is between 0 and 1, not {q}")
        # By its decimal digits, q = 0.07 of 100 values is rank 7; the float product rounds up to 8.
        rank = max(1, ceil(Fraction(str(q)) * self.count))
        passed = self.zero
        if rank <= passed:
            return 0
        for index in sorted(self.buckets):
            passed += self.buckets[index]
            if rank <= passed:
                return _representative(index)
        return None

    def exceeding(self, threshold_us: int) -> tuple[int, int]:
        """Return how many values certainly, and how many possibly, exceed a threshold (value > it).

        Certain are the buckets wholly above the threshold; possible is also the one it cuts in two.
        A claim that few values exceed takes the second, a claim that many do takes the first.
        Raise ValueError when the threshold, in microseconds, is negative.
        """
        if threshold_us < 0:
            raise ValueError(f"a threshold is not negative: {threshold_us}")
        cut = bisect_right(_UPPER, threshold_us)  # the first bucket with room above the threshold
        possible = sum(count for index, count in self.buckets.items() if index >= cut)
        is_split = cut > 0 and _UPPER[cut - 1] < threshold_us
        return possible - (self.buckets.get(cut, 0) if is_split else 0), possible


def _representative(index: int) -> int:
    """Return the harmonic mean of a bucket's ends: equally wrong, relatively, at either of them."""
    lowest, highest = bounds(index)
    return round(Fraction(2 * lowest * highest, lowest + highest))
