"""Who is in a percentage.

`bucket = (murmur3_32(salt:unit) × 100000) >> 32`, from 0 to 99999, is fixed by flag and unit; a
unit is in when its bucket is below the threshold, percentage × 1000. So raising a percentage
never takes anyone out, and lowering it never brings anyone in. Multiply-shift spreads 32 bits of
hash over the buckets without the bias of a modulo (the scheme of flagd's `fractional`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mmh3 import mmh3_32_uintdigest as murmur3

from controlplane.errors import InvalidInput
from controlplane.targeting import matches
from projections.flags import Flag

ALGORITHM = "murmur3-32/multiply-shift-100000"
BUCKETS = 100_000

Attributes = Mapping[str, object]
_NO_ATTRIBUTES: Attributes = {}


def threshold(percentage: float) -> int:
    """The number of buckets a percentage covers. Raises InvalidInput unless 0 to 100 by 0.001."""
    if isinstance(percentage, bool) or not isinstance(percentage, int | float):
        raise InvalidInput(reason=f"a percentage is a number, not {percentage!r}")
    if not 0 <= percentage <= 100:  # noqa: PLR2004  why: per cent  # also refuses NaN
        raise InvalidInput(reason=f"a percentage goes from 0 to 100, not {percentage!r}")
    scaled = round(percentage * 1000)
    if abs(scaled - percentage * 1000) > 1e-6:  # noqa: PLR2004  why: floating error of 0.001 steps
        raise InvalidInput(reason=f"percentages go in steps of 0.001, not {percentage!r}")
    return scaled


def bucket(salt: str, unit: str) -> int:
    """The unit's place among the 100,000, for good.

    Encoded here, with lone surrogates: handed the text itself, the hash crashes on them.
    """
    return murmur3(f"{salt}:{unit}".encode("utf-8", "surrogatepass")) * BUCKETS >> 32


Evaluator = Callable[[str, Attributes], bool]


def compile_flag(flag: Flag) -> Evaluator:
    """A function of (unit, attributes) that answers as `explain` does, without its words."""
    if flag.archived or not flag.enabled or not flag.exposures:
        return lambda _unit, _attributes: False
    prefix = flag.salt + ":"
    floor = threshold(
        max((e.percentage for e in flag.exposures if not e.audience.conditions), default=0)
    )
    narrow = [
        (e.audience, threshold(e.percentage))
        for e in flag.exposures
        if e.audience.conditions and threshold(e.percentage) > floor
    ]

    def everyone(unit: str, _attributes: Attributes) -> bool:
        key = f"{prefix}{unit}".encode("utf-8", "surrogatepass")
        return murmur3(key) * BUCKETS >> 32 < floor

    def by_audience(unit: str, attributes: Attributes) -> bool:
        place = murmur3(f"{prefix}{unit}".encode("utf-8", "surrogatepass")) * BUCKETS >> 32
        return place < floor or any(
            place < limit and matches(audience, attributes) for audience, limit in narrow
        )

    return by_audience if narrow else everyone


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a unit gets the new code, or does not."""

    flag: str
    unit: str
    enabled: bool
    reason: str
    """FLAG_NOT_FOUND, ARCHIVED, DISABLED, NO_AUDIENCE or SPLIT."""
    sentence: str
    audience: str | None = None
    percentage: float | None = None
    bucket: int | None = None
    threshold: int | None = None
    algorithm: str = ""
    salt: str = ""
    position: int = 0
    """The log position of the flag's last change: what this answer rests on."""


def explain(flag: Flag, unit: str, attributes: Attributes = _NO_ATTRIBUTES) -> Explanation:
    """Say the answer and every step that led to it."""
    known: dict[str, Any] = {"flag": flag.name, "unit": unit, "position": flag.position}
    if not flag.exists:
        return Explanation(
            **known,
            enabled=False,
            reason="FLAG_NOT_FOUND",
            sentence=f"there is no flag {flag.name}",
        )
    known |= {"algorithm": flag.algorithm, "salt": flag.salt}
    if flag.archived or not flag.enabled:
        reason = "ARCHIVED" if flag.archived else "DISABLED"
        return Explanation(
            **known, enabled=False, reason=reason, sentence=f"the flag is {reason.lower()}"
        )
    place = bucket(flag.salt, unit)
    matching = [e for e in flag.exposures if matches(e.audience, attributes)]
    if not matching:
        names = ", ".join(e.audience.name for e in flag.exposures) or "none"
        return Explanation(
            **known,
            enabled=False,
            reason="NO_AUDIENCE",
            sentence=f"the unit is in no audience that is served ({names})",
            bucket=place,
        )
    widest = max(matching, key=lambda e: e.percentage)
    limit = threshold(widest.percentage)
    enabled = place < limit
    return Explanation(
        **known,
        enabled=enabled,
        reason="SPLIT",
        sentence=f"bucket {place} {'<' if enabled else '>='} {limit} "
        f"({widest.percentage:g} % of {widest.audience.name})",
        audience=widest.audience.name,
        percentage=widest.percentage,
        bucket=place,
        threshold=limit,
    )
