"""The rule about memory that is never given back."""

from controlplane.rules.rule import NO_DATA, Finding, Rule, Watched
from controlplane.statistics.trend import mann_kendall, theil_sen
from events.timestamps import MINUTE, SECOND
from projections.vitals import Memory

GROWTH_BYTES = 32 * 2**20
_FEWEST_BLOCKS = 16
_ALPHA = 0.0001
_STEADY = 0.3
_GONE_US = 15 * MINUTE
"""A process that says nothing for so long is taken for ended: what it leaked is free again."""


def _judge(watched: Watched) -> Finding:
    """Fire where one process leaks for certain; fine where none of them does."""
    found = [
        _of_one(name, memory)
        for name, memory in sorted(watched.vitals.memory.items())
        if watched.now - memory.blocks[-1].at <= _GONE_US
    ]
    told = [finding for finding in found if finding.state != "no_data"]
    if not watched.flag.enabled or not told:
        return NO_DATA
    return max(told, key=lambda finding: (finding.state == "firing", finding.value))


def _of_one(name: str, memory: Memory) -> Finding:
    """Fire where the floor of memory use rises for certain, by much, and has not levelled off.

    For certain: Mann-Kendall. By much: Theil-Sen slope × time. A process that warms up levels
    off; a leak grows as fast in the later half as before.
    """
    blocks = memory.blocks[:-1]  # The last one is still filling.
    if len(blocks) < _FEWEST_BLOCKS:
        return NO_DATA
    floors = [float(block.floor_bytes) for block in blocks]
    seconds = [(block.at - blocks[0].at) / SECOND for block in blocks]
    if seconds[-1] <= 0:
        return NO_DATA
    growth = theil_sen(seconds, floors) * seconds[-1]
    half = len(blocks) // 2
    later = floors[-1] - floors[half]
    rises = mann_kendall(floors).p_increasing < _ALPHA and later > _STEADY * growth
    return Finding(
        state="firing" if rises and growth > GROWTH_BYTES else "ok",
        value=growth,
        threshold=float(GROWTH_BYTES),
        unit="bytes",
        sample=len(blocks),
        summary=f"memory floor of {name} moved by {growth / 2**20:+.1f} MiB in "
        f"{seconds[-1]:.0f} s, threshold {GROWTH_BYTES / 2**20:.0f} MiB and still rising",
    )


MEMORY_LEAK_DETECTED = Rule(
    name="MEMORY_LEAK_DETECTED",
    severity="critical",
    condition="the floor of memory use rises steadily, by more than 32 MiB",
    judge=_judge,
    playbook=(
        "Profile memory of a process that runs the new code (tracemalloc, memray).",
        "Fix what holds on to batches or documents.",
        "Restart the processes that leaked; resolve the alert; start again from wave 1.",
    ),
)
