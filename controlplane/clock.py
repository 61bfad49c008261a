"""The edge: the only place that reads the clock or draws by chance."""

import secrets
import time
import uuid

from events.timestamps import Timestamp


def now() -> Timestamp:
    """Microseconds since the Unix epoch."""
    return time.time_ns() // 1_000


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then chance.

    They ascend with time, so that the log's index of ids grows at its end.
    """
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def chance(count: int) -> bytes:
    """So many bytes that nobody can guess."""
    return secrets.token_bytes(count)


def fraction() -> float:
    """A number from 0 up to, but not, 1: what spreads those who try again at the same moment."""
    return secrets.randbits(53) / (1 << 53)
