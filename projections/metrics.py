"""What was measured: a tally per flag × cohort × minute, and one per flag × cohort in all."""

from bisect import bisect_left

import msgspec

from events.event import Event, RecordedEvent
from events.executions import LAYERS, BatchExecuted
from events.timestamps import MINUTE, Timestamp
from projections.histogram import Histogram
from projections.projection import Projection

LADDER_US = (
    1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    400_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
)  # fmt: skip
"""Bounds over which exceedances are counted exactly, in microseconds. Changing them needs a new
version of every projection that tallies."""

_PPM = 1_000_000
_MOST_NAMES = 100
"""Names of invariants come from outside: beyond so many, a tally counts them as `other`."""


class Rungs(msgspec.Struct):
    """Durations counted between the bounds of the ladder."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(LADDER_US) + 1))
    """counts[i]: LADDER_US[i-1] < duration <= LADDER_US[i]; the last one is unbounded."""
    sum_us: int = 0

    def add(self, duration_us: int) -> None:
        """Count one duration."""
        self.counts[bisect_left(LADDER_US, duration_us)] += 1
        self.sum_us += duration_us

    def merge(self, other: "Rungs") -> None:
        """Count all that another one counted."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.sum_us += other.sum_us

    def over(self, bound_us: int) -> int:
        """How many were longer than a bound of the ladder. Raises ValueError for another one."""
        return sum(self.counts[LADDER_US.index(bound_us) + 1 :])


class Moments(msgspec.Struct):
    """Moments of the share of patches that failed per batch, in parts per million.

    Integers, so that the order of adding does not matter.
    """

    batches: int = 0
    sum_ppm: int = 0
    sum_ppm_squared: int = 0

    def add(self, failed: int, total: int) -> None:
        """Count one batch."""
        share = failed * _PPM // total
        self.batches += 1
        self.sum_ppm += share
        self.sum_ppm_squared += share * share

    def merge(self, other: "Moments") -> None:
        """Count all that another one counted."""
        self.batches += other.batches
        self.sum_ppm += other.sum_ppm
        self.sum_ppm_squared += other.sum_ppm_squared


class Tally(msgspec.Struct):
    """Counts and durations of batch executions. Adding is commutative."""

    succeeded: int = 0
    failed: int = 0
    rejected: int = 0
    replace: int = 0
    insert: int = 0
    delete: int = 0
    patches_applied: int = 0
    patches_failed: int = 0
    violations: dict[str, int] = {}
    durations: Histogram = msgspec.field(default_factory=Histogram)
    rungs: Rungs = msgspec.field(default_factory=Rungs)
    layers: dict[str, Rungs] = msgspec.field(
        default_factory=lambda: {layer: Rungs() for layer in LAYERS}
    )
    shares: Moments = msgspec.field(default_factory=Moments)
    memory_at: Timestamp = 0
    memory_current_bytes: int = 0
    """What was in use at `memory_at`, the latest time that told."""
    memory_peak_bytes: int = 0
    last_at: Timestamp = 0

    @property
    def executions(self) -> int:
        """Those that ran: rejected ones did not."""
        return self.succeeded + self.failed

    @property
    def error_rate(self) -> float | None:
        """Failed share of those that ran; None where none did."""
        return self.failed / self.executions if self.executions else None

    def add(self, event: BatchExecuted, at: Timestamp) -> None:
        """Count one execution."""
        self.last_at = max(self.last_at, at)
        self._note_memory(event.memory_current_bytes, event.memory_peak_bytes, at)
        if event.outcome == "rejected":
            self.rejected += 1
            return
        if event.outcome == "failed":
            self.failed += 1
        else:
            self.succeeded += 1
        self.replace += event.replace
        self.insert += event.insert
        self.delete += event.delete
        self.patches_applied += event.patches_applied
        self.patches_failed += event.patches_failed
        for name, count in event.violations.items():
            self._violated(name, count)
        self.durations.add(event.duration_us)
        self.rungs.add(event.duration_us)
        layers = self.layers
        layers["semantics"].add(event.semantics_us)
        layers["normalizer"].add(event.normalizer_us)
        layers["executor"].add(event.executor_us)
        if patches := event.patches_applied + event.patches_failed:
            self.shares.add(event.patches_failed, patches)

    def _violated(self, name: str, count: int) -> None:
        known = name in self.violations or len(self.violations) < _MOST_NAMES
        name = name if known else "other"
        self.violations[name] = self.violations.get(name, 0) + count

    def _note_memory(self, current_bytes: int, peak_bytes: int, at: Timestamp) -> None:
        if current_bytes and (at, current_bytes) > (self.memory_at, self.memory_current_bytes):
            self.memory_at, self.memory_current_bytes = at, current_bytes
        self.memory_peak_bytes = max(self.memory_peak_bytes, peak_bytes)

    def merge(self, other: "Tally") -> None:
        """Count all that another one counted."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, count in other.violations.items():
            self._violated(name, count)
        self.durations.merge(other.durations)
        self.rungs.merge(other.rungs)
        for layer, rungs in other.layers.items():
            self.layers[layer].merge(rungs)
        self.shares.merge(other.shares)
        self.last_at = max(self.last_at, other.last_at)
        self._note_memory(other.memory_current_bytes, other.memory_peak_bytes, other.memory_at)


_COUNTS = (
    "succeeded", "failed", "rejected", "replace", "insert", "delete",
    "patches_applied", "patches_failed",
)  # fmt: skip


def evolve(tally: Tally, recorded: RecordedEvent[BatchExecuted]) -> Tally:
    """Return the tally with one more execution in it."""
    tally.add(recorded.event, recorded.occurred_at)
    return tally


def minute_key(flag: str, cohort: str, at: Timestamp) -> str:
    """Sorts by time within a flag and cohort. Minutes are counted from the epoch."""
    return f"{flag}/{cohort}/{at // MINUTE:012d}"


def key_by_minute(recorded: RecordedEvent[BatchExecuted]) -> str:
    """Flag, cohort and minute of an execution."""
    event = recorded.event
    return minute_key(event.flag, event.cohort, recorded.occurred_at)


def key_in_all(recorded: RecordedEvent[BatchExecuted]) -> str:
    """Flag and cohort of an execution."""
    return f"{recorded.event.flag}/{recorded.event.cohort}"


def _nothing(_key: str) -> Tally:
    return Tally()


_EVENTS: frozenset[type[Event]] = frozenset({BatchExecuted})
METRICS = Projection("metrics", 1, Tally, _EVENTS, key_by_minute, _nothing, evolve)
TOTALS = Projection("totals", 1, Tally, _EVENTS, key_in_all, _nothing, evolve)
