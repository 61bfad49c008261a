"""The users of the service: made up, but the same ones every time."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from types import MappingProxyType

DEFAULT_SHARES: Mapping[str, float] = MappingProxyType(
    {"internal": 0.4, "beta": 0.3, "public": 0.3}
)
"""Share of each group in the population."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody whose requests take the one path or the other."""

    id: str
    attributes: Mapping[str, object]


def population(
    count: int, seed: int = 0, shares: Mapping[str, float] = DEFAULT_SHARES
) -> list[User]:
    """Return user-0 ... user-<count - 1>, each with a `group`.

    A user's group depends on the seed and the user alone, never on the count. The shares are
    weights: they need not add up to 1.
    """
    return [
        User(f"user-{index}", {"group": _group(f"{seed}:{index}", shares)})
        for index in range(count)
    ]


def _group(key: str, shares: Mapping[str, float]) -> str:
    # A hash rather than a generator: no state, so no order in which users must be made.
    point = int.from_bytes(sha256(key.encode()).digest()[:8]) / 2**64 * sum(shares.values())
    last = len(shares) - 1  # rounding may put a point just past the last share
    return list(shares)[min(bisect_right(list(accumulate(shares.values())), point), last)]
