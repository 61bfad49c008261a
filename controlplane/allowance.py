"""How much of something may be had in a time: a bucket that fills up again steadily."""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass
class Allowance:
    """`burst` at once, `per_second` in the long run. Time in seconds, by any clock that rises."""

    per_second: float
    burst: float
    left: float = -1.0
    at: float = 0.0

    def take(self, now: float, count: float = 1.0) -> float:
        """Take `count`; 0.0 where it was granted, else in how many seconds it would be."""
        if self.left < 0:
            self.left, self.at = self.burst, now
        self.left = min(self.burst, self.left + max(0.0, now - self.at) * self.per_second)
        self.at = max(now, self.at)
        if self.left >= count:
            self.left -= count
            return 0.0
        return (min(count, self.burst) - self.left) / self.per_second


class Allowances:
    """One allowance for each of many, of whom those who were not seen for longest are forgotten."""

    def __init__(self, per_second: float, burst: float, most: int = 10_000) -> None:
        self._per_second = per_second
        self._burst = burst
        self._most = most
        self._known: OrderedDict[str, Allowance] = OrderedDict()

    def take(self, who: str, now: float, count: float = 1.0) -> float:
        """See Allowance.take."""
        allowance = self._known.pop(who, None) or Allowance(self._per_second, self._burst)
        self._known[who] = allowance
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return allowance.take(now, count)
