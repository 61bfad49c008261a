"""How long to wait before trying again: twice as long each time, and by chance less."""

from collections.abc import Callable


class Backoff:
    """Delays from `first` seconds, doubling up to `longest`; each is drawn from its upper half.

    A thousand clients that lose the server at one moment so do not come back at one moment.
    `fraction` gives numbers from 0 to 1.
    """

    def __init__(self, first: float, longest: float, fraction: Callable[[], float]) -> None:
        self._first = first
        self._longest = longest
        self._fraction = fraction
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        # 2.0 ** 1024 is no number any more.
        delay = min(self._longest, self._first * 2.0 ** min(self._failures, 64))
        self._failures += 1
        return delay * (1 + self._fraction()) / 2

    def reset(self) -> None:
        """It worked: the next failure is a first one."""
        self._failures = 0
