"""When a trend may be looked for, and what was found then.

A test for a trend is good for as many looks as were planned: whoever looks every hour for two weeks
finds a fall in every second series that has none. So there are three looks at most, at times fixed
beforehand, each with its part of alpha. In between, the latest one counts.
"""

from collections.abc import Callable

from msgspec import Struct

from controlplane.criteria.samples import Numbers
from controlplane.criteria.verdict import Seen
from controlplane.statistics import trend
from events.timestamps import DAY
from projections.arms import Window


class Look(Struct, frozen=True, kw_only=True):
    """What was found at a look."""

    number: int
    """From 1."""
    windows: int
    """Those that were over by then and in which something ran."""
    p_falling: float | None = None
    """The chance of such a fall, or a clearer one, without a trend; None with too few windows."""
    p_rising: float | None = None
    slope_per_day: float = 0.0
    """By how much the share changes (Theil-Sen)."""

    def falls(self, alpha: float) -> bool:
        """Whether a fall is shown at that level."""
        return self.p_falling is not None and self.p_falling <= alpha and self.slope_per_day < 0

    def rises(self, alpha: float) -> bool:
        """Whether a rise is shown at that level."""
        return self.p_rising is not None and self.p_rising <= alpha and self.slope_per_day > 0

    def numbers(self) -> Numbers:
        """What it found, by name."""
        return {
            "look": self.number,
            "windows": self.windows,
            "p_falling": self.p_falling,
            "p_rising": self.p_rising,
            "slope_per_day": self.slope_per_day,
        }


def due_us(hold_us: int, number: int) -> int:
    """How long after the wave began a look is due: after the hold, then after each half of it.

    By the clock on the wall, which nothing stops: so it is known beforehand.
    """
    return hold_us + (number - 1) * hold_us // 2


def latest_look(
    seen: Seen, bad: Callable[[Window], int], looks: int, min_windows: int
) -> Look | None:
    """The latest look that is due; None before the first. It sees windows over by then.

    Mann-Kendall on the pre-whitened shares says whether there is a trend, the Theil-Sen slope of
    the shares themselves which way it goes, and how fast.
    """
    wave = seen.wave
    elapsed_us = seen.now - wave.entered_at
    due = [number for number in range(1, looks + 1) if due_us(seen.fixed_us, number) <= elapsed_us]
    if not due:
        return None
    until_us = due_us(seen.fixed_us, due[-1])
    windows = [one for one in wave.windows if (one.number + 1) * wave.window_us <= until_us]
    if len(windows) < min_windows:
        return Look(number=due[-1], windows=len(windows))
    shares = [bad(one) / one.executions for one in windows]
    days = [one.number * wave.window_us / DAY for one in windows]
    found = trend.mann_kendall(trend.prewhitened(shares))
    return Look(
        number=due[-1],
        windows=len(windows),
        p_falling=found.p_decreasing,
        p_rising=found.p_increasing,
        slope_per_day=trend.theil_sen(days, shares),
    )
