"""Judges the claim `the new share is worse than the old one by less than a margin`."""

from msgspec import Struct

from controlplane.criteria.samples import FAR, Numbers
from controlplane.statistics import difference

Counted = tuple[int, int]
"""Bad executions, and all of them."""


class Comparison(Struct, frozen=True):
    """Two shares, and by how much the new one may exceed the old one."""

    new: Counted
    old: Counted
    margin: float

    @property
    def estimate(self) -> float:
        """How much higher the new share is."""
        return share(self.new) - share(self.old)

    def log_e_pass(self) -> float:
        """Return ln E, the evidence that it is higher by less than the margin."""
        return difference.log_e_below(self.new, self.old, self.margin)

    def log_e_fail(self) -> float:
        """Return ln E, the evidence that it is higher by more."""
        return difference.log_e_above(self.new, self.old, self.margin)

    def upper_bound(self, alpha: float) -> float:
        """Return what the difference stays below, at every look, with probability 1 - alpha."""
        return difference.upper_bound(self.new, self.old, alpha)

    def lower_bound(self, alpha: float) -> float:
        """Return what the difference stays above, at every look, with probability 1 - alpha."""
        return difference.lower_bound(self.new, self.old, alpha)

    def needed_more(self, alpha: float, *, old_grows: bool) -> int | None:
        """About how many more new executions show it, at this rate; None where none would."""
        return difference.needed_more(
            self.new, self.old, self.margin, alpha, FAR, old_grows=old_grows
        )

    def numbers(self) -> Numbers:
        """Both counts and the difference."""
        return {
            "n": self.new[1],
            "k": self.new[0],
            "n_old": self.old[1],
            "k_old": self.old[0],
            "estimate": self.estimate,
            "threshold": self.margin,
        }


def share(counted: Counted) -> float:
    """The share that was bad."""
    bad, of = counted
    return bad / of


def points(difference_of_shares: float) -> str:
    """Percentage points, with their sign: `+0.4`."""
    return f"{difference_of_shares * 100:+.1f}"
