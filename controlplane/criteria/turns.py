"""Executions since the start of a window: for a canary that turns bad in the middle of a wave."""

from collections.abc import Callable

from msgspec import Struct

from controlplane.criteria.samples import Executions
from projections.arms import Window
from projections.waves import WaveEvidence

_STARTS = (0, 1, 2, 3, 5, 8, 13, 21, 34)
"""How many windows before the latest one to count from: few enough to look at each time."""


class Turn(Struct, frozen=True):
    """What happened from the start of a window on."""

    number: int
    """Of the window, from 1."""
    ago_us: int
    """How long ago it began."""
    sample: Executions


def turns(wave: WaveEvidence, now: int, bad: Callable[[Window], int], did: str) -> tuple[Turn, ...]:
    """From where on the wave may have turned bad, the latest start first."""
    found: list[Turn] = []
    k = n = 0
    for back, window in enumerate(reversed(wave.windows)):
        k, n = k + bad(window), n + window.executions
        if back in _STARTS and window.number > 0:
            began_at = wave.entered_at + window.number * wave.window_us
            found.append(Turn(window.number, max(0, now - began_at), Executions(n, k, k, did)))
    return tuple(found)
