"""How the new code of a flag is doing right now: what the alert rules look at."""

import msgspec

from events.event import Event, RecordedEvent
from events.executions import BatchExecuted
from events.flags import FlagEnabled
from events.timestamps import MINUTE, SECOND, Timestamp
from projections.projection import Projection

KEPT_MINUTES = 60
KEPT_INSTANCES = 32
KEPT_INVARIANTS = 8
"""A minute, by name."""
SLOW_US = 1 * SECOND
_BLOCKS = 32


class Minute(msgspec.Struct):
    """One minute of executions of the new code."""

    executions: int = 0
    failed: int = 0
    slow: int = 0
    """Longer than SLOW_US."""
    slowest_us: int = 0
    violations: int = 0
    broken: dict[str, int] = {}
    """Violations by the invariant's name; of the first few that were broken."""


class Block(msgspec.Struct):
    """A run of executions, and the least memory that was in use during it."""

    floor_bytes: int
    at: Timestamp


class Memory(msgspec.Struct):
    """The floor of memory use, at most 32 blocks, each of ever more executions.

    The floor, because what a garbage collector has yet to free is no leak. Blocks double when
    they are all used: the trend of a minute and that of a month take the same space.
    """

    blocks: list[Block] = []
    size: int = 4
    """Executions a block."""
    filled: int = 0
    """Executions in the last block."""

    def add(self, used_bytes: int, at: Timestamp) -> None:
        """Note what is in use. A fall to half is a restart: the trend begins anew."""
        if self.blocks and used_bytes < self.blocks[-1].floor_bytes // 2:
            self.blocks, self.size, self.filled = [], 4, 0
        if self.blocks and self.filled < self.size:
            last = self.blocks[-1]
            last.floor_bytes = min(last.floor_bytes, used_bytes)
            last.at = max(last.at, at)
            self.filled += 1
            return
        if len(self.blocks) == _BLOCKS:
            pairs = zip(self.blocks[::2], self.blocks[1::2], strict=True)
            self.blocks = [
                Block(min(a.floor_bytes, b.floor_bytes), max(a.at, b.at)) for a, b in pairs
            ]
            self.size *= 2
        self.blocks.append(Block(used_bytes, at))
        self.filled = 1


class Vitals(msgspec.Struct):
    """The last hour of the new code, since the flag was last switched on."""

    flag: str
    since: Timestamp = 0
    """When the flag was last switched on: what failed before was answered for then."""
    minutes: dict[int, Minute] = {}
    """By minutes since the epoch in which they were recorded: late news is news."""
    last_at: Timestamp = 0
    """When the latest execution happened."""
    memory: dict[str, Memory] = {}
    """By process: two of unlike size, seen as one, would look like a leak."""

    def window(self, now: Timestamp, minutes: int) -> Minute:
        """The last so many minutes in one."""
        first = now // MINUTE - minutes
        total = Minute()
        for number, minute in self.minutes.items():
            if number > first:
                total.executions += minute.executions
                total.failed += minute.failed
                total.slow += minute.slow
                total.slowest_us = max(total.slowest_us, minute.slowest_us)
                total.violations += minute.violations
                for name, count in minute.broken.items():
                    total.broken[name] = total.broken.get(name, 0) + count
        return total


def evolve(vitals: Vitals, recorded: RecordedEvent[BatchExecuted | FlagEnabled]) -> Vitals:
    """Return the vitals with one more event in them."""
    at = min(recorded.occurred_at, recorded.recorded_at)  # A clock may be ahead.
    match recorded.event:
        case FlagEnabled():
            return Vitals(vitals.flag, since=at)
        case BatchExecuted(cohort="on") as execution if (
            execution.outcome != "rejected" and at >= vitals.since
        ):
            _count(vitals, execution, recorded.recorded_at // MINUTE)
            vitals.last_at = max(vitals.last_at, at)
            _note_memory(vitals, execution, at)
        case _:
            pass
    return vitals


def _count(vitals: Vitals, execution: BatchExecuted, number: int) -> None:
    minute = vitals.minutes.get(number)
    if minute is None:
        kept = vitals.minutes.items()  # The time of recording never goes back.
        vitals.minutes = {n: m for n, m in kept if n > number - KEPT_MINUTES}
        minute = vitals.minutes[number] = Minute()
    minute.executions += 1
    minute.failed += execution.outcome == "failed"
    minute.slow += execution.duration_us > SLOW_US
    minute.slowest_us = max(minute.slowest_us, execution.duration_us)
    for name, count in execution.violations.items():
        minute.violations += count
        if name in minute.broken or len(minute.broken) < KEPT_INVARIANTS:
            minute.broken[name] = minute.broken.get(name, 0) + count


def _note_memory(vitals: Vitals, execution: BatchExecuted, at: Timestamp) -> None:
    """Follow each process that gives its name; the longest silent one makes room."""
    name = execution.instance
    if not name or not execution.memory_current_bytes:
        return
    if name not in vitals.memory and len(vitals.memory) >= KEPT_INSTANCES:
        silent = min(vitals.memory, key=lambda one: (vitals.memory[one].blocks[-1].at, one))
        del vitals.memory[silent]
    vitals.memory.setdefault(name, Memory()).add(execution.memory_current_bytes, at)


_EVENTS: frozenset[type[Event]] = frozenset({BatchExecuted, FlagEnabled})


def key(recorded: RecordedEvent[BatchExecuted | FlagEnabled]) -> str:
    """The flag."""
    return recorded.event.flag


VITALS = Projection("vitals", 1, Vitals, _EVENTS, key, Vitals, evolve)
