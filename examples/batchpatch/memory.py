"""How much memory the process holds, from the system's own books."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

_STATM = Path("/proc/self/statm")


class Memory(NamedTuple):
    """Resident set size in bytes, now and at its highest; 0 where the system has no answer."""

    current: int
    peak: int


def read_memory() -> Memory:
    """Read the resident set size of this process."""
    peak = _peak_bytes()
    current = _current_bytes()
    # Without /proc the peak is the nearest truth there is; and the kernel updates the peak
    # lazily, so for a moment it may lie below the present.
    return Memory(peak if current is None else current, max(peak, current or 0))


def _current_bytes() -> int | None:
    try:
        resident_pages = int(_STATM.read_bytes().split()[1])
    except OSError:
        return None
    return resident_pages * os.sysconf("SC_PAGESIZE")


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415  why: the module does not exist on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
