"""Executions, some of them bad: what a claim about a share is judged on."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from controlplane.statistics import betting, sequential

FAR = 1_000_000
"""Executions further away than this are not worth promising."""
_PERMILLE = 1000

Numbers = dict[str, float | int | None]


class Sample(Protocol):
    """Executions, and the evidence in them about the share p of what is bad."""

    @property
    def n(self) -> int:
        """How many there are."""

    @property
    def share(self) -> float:
        """What certainly was bad, of all; 0 where there are none."""

    def numbers(self) -> Numbers:
        """How many there are, how many were bad, and their share."""

    def text(self, *, certain: bool) -> str:
        """For a sentence: what certainly was bad, or what possibly was. Not for none."""

    def log_e_below(self, p0: float) -> float:
        """Return ln E, the evidence that p < p0."""

    def log_e_above(self, p0: float) -> float:
        """Return ln E, the evidence that p > p0."""

    def upper_bound(self, alpha: float) -> float:
        """Return what p stays below, at every look at once, with probability 1 - alpha."""

    def needed_at_least(self, p0: float, alpha: float) -> str:
        """How many it takes to show p < p0 when nothing is bad, for a sentence."""

    def needed_more(self, p0: float, alpha: float) -> int | None:
        """About how many more, at this rate, show p < p0; None where none would."""


class Executions(Struct, frozen=True):
    """Each is bad or not. `certain` <= the truth <= `possible`: equal where counted exactly."""

    n: int
    certain: int
    possible: int
    bad: str
    """What the bad ones did: `failed`."""

    @property
    def share(self) -> float:
        """See Sample."""
        return self.certain / self.n if self.n else 0.0

    def numbers(self) -> Numbers:
        """See Sample; k is what possibly was bad."""
        estimate = self.possible / self.n if self.n else None
        return {"n": self.n, "k": self.possible, "certain": self.certain, "estimate": estimate}

    def text(self, *, certain: bool) -> str:
        """See Sample."""
        bad = self.certain if certain else self.possible
        return f"{bad} of {self.n} {self.bad} = {bad / self.n:.1%}"

    def log_e_below(self, p0: float) -> float:
        """See Sample."""
        return sequential.log_e_below(self.possible, self.n, p0)

    def log_e_above(self, p0: float) -> float:
        """See Sample."""
        return sequential.log_e_above(self.certain, self.n, p0)

    def upper_bound(self, alpha: float) -> float:
        """See Sample."""
        return sequential.upper_bound(self.possible, self.n, alpha)

    def needed_at_least(self, p0: float, alpha: float) -> str:
        """See Sample."""
        return f"{sequential.needed_without_failures(p0, alpha)} executions"

    def needed_more(self, p0: float, alpha: float) -> int | None:
        """See Sample."""
        return sequential.needed_more(self.possible, self.n, p0, alpha, FAR)


class Batches(Struct, frozen=True):
    """Each has a share of failed patches; the mean of the shares is claimed.

    The patches of one batch may well fail together.
    """

    shares: Mapping[int, int]
    """Batches by their share in permille, rounded up."""

    @property
    def n(self) -> int:
        """See Sample."""
        return sum(self.shares.values())

    @property
    def share(self) -> float:
        """See Sample."""
        total = sum(share * batches for share, batches in self.shares.items())
        return total / (_PERMILLE * self.n) if self.n else 0.0

    def numbers(self) -> Numbers:
        """See Sample; k is how many had a failed patch at all."""
        bad = self.n - self.shares.get(0, 0)
        return {"n": self.n, "k": bad, "estimate": self.share if self.n else None}

    def text(self, *, certain: bool) -> str:  # noqa: ARG002  why: all that is known is certain
        """See Sample."""
        return f"{self.share:.1%} of patches failed, on average over {self.n} batches"

    def log_e_below(self, p0: float) -> float:
        """See Sample."""
        return betting.log_e_below(self.shares, p0)

    def log_e_above(self, p0: float) -> float:
        """See Sample."""
        return betting.log_e_above(self.shares, p0)

    def upper_bound(self, alpha: float) -> float:
        """See Sample."""
        return betting.upper_bound(self.shares, alpha)

    def needed_at_least(self, p0: float, alpha: float) -> str:
        """See Sample."""
        return f"{betting.needed_without_failures(p0, alpha)} batches"

    def needed_more(self, p0: float, alpha: float) -> int | None:
        """See Sample."""
        return betting.needed_more(self.shares, p0, alpha, FAR)
