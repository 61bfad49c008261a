"""What is counted of executions that belong together."""

from zlib import crc32

import msgspec

from events.executions import BatchExecuted
from projections.histogram import Histogram
from projections.metrics import Rungs

_BITS = 8192
"""Units told apart in a split: beyond a few thousand the share is known well enough."""
_PERMILLE = 1000


class Arm(msgspec.Struct):
    """Executions that ran, of one path and audience."""

    executions: int = 0
    failed: int = 0
    rungs: Rungs = msgspec.field(default_factory=Rungs)
    durations: Histogram = msgspec.field(default_factory=Histogram)
    shares: dict[int, int] = {}
    """Batches by the share of their patches that failed, in permille, rounded up."""

    def add(self, execution: BatchExecuted) -> None:
        """Count one execution."""
        self.executions += 1
        self.failed += execution.outcome == "failed"
        self.rungs.add(execution.duration_us)
        self.durations.add(execution.duration_us)
        share = failed_permille(execution)
        self.shares[share] = self.shares.get(share, 0) + 1

    def merged(self, other: "Arm") -> "Arm":
        """Both together."""
        both = Arm(self.executions + other.executions, self.failed + other.failed)
        for arm in (self, other):
            both.rungs.merge(arm.rungs)
            both.durations.merge(arm.durations)
            for share, batches in arm.shares.items():
                both.shares[share] = both.shares.get(share, 0) + batches
        return both


def failed_permille(execution: BatchExecuted) -> int:
    """The share of a batch's patches that failed; all of them where a failed one tells of none."""
    if not execution.patches_failed:
        return _PERMILLE if execution.outcome == "failed" else 0
    total = execution.patches_applied + execution.patches_failed
    return -(-execution.patches_failed * _PERMILLE // total)


class Window(msgspec.Struct):
    """A stretch of a wave, of fixed width."""

    number: int
    """From 0, counted from when the wave began."""
    failed: int = 0
    rungs: Rungs = msgspec.field(default_factory=Rungs)

    @property
    def executions(self) -> int:
        """Those that ran in it."""
        return sum(self.rungs.counts)


class Split(msgspec.Struct):
    """Units on either path, each counted once, where it was first seen.

    Units, not executions: one unit's executions all take the same path. A unit is known again by
    its bit among 8,192; those that share a bit are not counted, whichever path they take.
    """

    on: int = 0
    off: int = 0
    seen: bytes = b""

    def add(self, unit: str, *, on: bool) -> None:
        """Count the unit, unless it, or one of the same bit, was counted before."""
        place = crc32(unit.encode("utf-8", "surrogatepass")) % _BITS
        byte, mask = place >> 3, 1 << (place & 7)
        seen = self.seen or bytes(_BITS // 8)
        if seen[byte] & mask:
            return
        self.seen = seen[:byte] + bytes((seen[byte] | mask,)) + seen[byte + 1 :]
        if on:
            self.on += 1
        else:
            self.off += 1
