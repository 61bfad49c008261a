"""The rule about memory that is never given back."""

from controlplane.criteria.trend import mann_kendall, theil_sen
from controlplane.rules.rule import NO_DATA, Finding, Rule, Watched
from events.timestamps import SECOND

GROWTH_BYTES = 32 * 2**20
_FEWEST_BLOCKS = 16
_ALPHA = 0.0001
_STEADY = 0.3


def _judge(watched: Watched) -> Finding:
    """Fire where the floor of memory use rises for certain, by much, and has not levelled off.

    For certain: Mann-Kendall. By much: Theil-Sen slope × time. A process that warms up levels
    off; a leak grows as fast in the later half as before.
    """
    blocks = watched.vitals.memory.blocks[:-1]  # The last one is still filling.
    if not watched.flag.enabled or len(blocks) < _FEWEST_BLOCKS:
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
        summary=f"memory floor moved by {growth / 2**20:+.1f} MiB in {seconds[-1]:.0f} s, "
        f"threshold {GROWTH_BYTES / 2**20:.0f} MiB and still rising",
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
