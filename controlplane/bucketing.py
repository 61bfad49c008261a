"""Who is in a percentage, and which variant they get.

`bucket = (murmur3_32(salt:unit) × 100000) >> 32`, from 0 to 99999, is fixed by flag and unit; a
unit is in when its bucket is below the threshold, percentage × 1000. So raising a percentage
never takes anyone out, and lowering it never brings anyone in. Multiply-shift spreads 32 bits of
hash over the buckets without the bias of a modulo (the scheme of flagd's `fractional`).

Who is in gets a variant by a draw of its own: `(murmur3_32(salt:unit, seed) × W) >> 32`, where W is
the sum of the weights; the first variant whose weight, added to those before it, is above the draw.
So no percentage moves anyone between variants.
"""

from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Literal

import msgspec
from mmh3 import mmh3_32_uintdigest as murmur3

from controlplane.errors import InvalidInput, UnitMissing
from controlplane.targeting import matches
from events.flags import Audience, FlagKind, Variant
from projections.flags import Exposure, Flag

ALGORITHM = "murmur3-32/multiply-shift-100000"
BUCKETS = 100_000
VARIANT_SEED = 0x76617269
"""`vari` in ASCII. The seed of buckets is 0: the two hashes know nothing of each other."""

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


def _key(salt: str, unit: str) -> bytes:
    """Encoded here, with lone surrogates: handed the text itself, the hash crashes on them."""
    return f"{salt}:{unit}".encode("utf-8", "surrogatepass")


def bucket(salt: str, unit: str) -> int:
    """The unit's place among the 100,000, for good."""
    return murmur3(_key(salt, unit)) * BUCKETS >> 32


def draw(salt: str, unit: str, weights: int) -> int:
    """The unit's place among so many weights."""
    return murmur3(_key(salt, unit), VARIANT_SEED) * weights >> 32


def drawn(variants: Sequence[Variant], place: int) -> Variant:
    """The variant that holds a place, in the order in which they are listed."""
    ends = list(accumulate(variant.weight for variant in variants))
    return variants[bisect(ends, place)]


def needs_unit(flag: Flag, attributes: Attributes = _NO_ATTRIBUTES) -> bool:
    """Whether the answer depends on who asks; without a unit it then cannot be given."""
    if not serves(flag):
        return False
    widest = max((e.percentage for e in _matching(flag, attributes)), default=0)
    limit = threshold(widest)
    return 0 < limit < BUCKETS or (limit == BUCKETS and len(flag.weighted) > 1)


def serves(flag: Flag) -> bool:
    """Whether it is on; to whom is another question."""
    return flag.exists and flag.enabled and not flag.archived


def _matching(flag: Flag, attributes: Attributes) -> list[Exposure]:
    return [e for e in flag.exposures if matches(e.audience, attributes)]


# Compiled


Evaluator = Callable[[str, Attributes], bool]


def cut(place: int, of: int) -> int:
    """Where a place begins among the hashes: `hash × of >> 32 < place` is `hash < cut`."""
    return -(-(place << 32) // of)


def cuts(flag: Flag) -> tuple[int, list[tuple[int, Audience]]]:
    """The hashes below which a unit is in: whoever it is; and more, where it is of an audience."""
    floor = max(
        (threshold(e.percentage) for e in flag.exposures if not e.audience.conditions), default=0
    )
    return cut(floor, BUCKETS), [
        (cut(threshold(e.percentage), BUCKETS), e.audience)
        for e in flag.exposures
        if e.audience.conditions and threshold(e.percentage) > floor
    ]


def compile_flag(flag: Flag) -> Evaluator:
    """A function of (unit, attributes) that answers as `explain` does, without its words."""
    if not serves(flag) or not flag.exposures:
        return lambda _unit, _attributes: False
    prefix = flag.salt + ":"
    floor, narrow = cuts(flag)

    def everyone(unit: str, _attributes: Attributes) -> bool:
        return murmur3(f"{prefix}{unit}".encode("utf-8", "surrogatepass")) < floor

    def by_audience(unit: str, attributes: Attributes) -> bool:
        place = murmur3(f"{prefix}{unit}".encode("utf-8", "surrogatepass"))
        if place < floor:
            return True
        for limit, audience in narrow:  # noqa: SIM110  why: a generator costs as much as the hash
            if place < limit and matches(audience, attributes):
                return True
        return False

    return by_audience if narrow else everyone


# Explained


OpenFeatureReason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT", "ERROR"]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a unit gets what it gets."""

    flag: str
    unit: str | None
    enabled: bool
    """Whether it gets the new code: it is served, and so has a variant by weight."""
    reason: str
    """FLAG_NOT_FOUND, ARCHIVED, DISABLED, NO_AUDIENCE or SPLIT."""
    openfeature_reason: OpenFeatureReason
    """STATIC: everybody gets it. TARGETING_MATCH: everybody in the audience does. SPLIT: a hash
    decided. DISABLED: off or archived. DEFAULT: served to no audience of it. ERROR: no flag."""
    sentence: str
    kind: FlagKind | None = None
    variant: str | None = None
    value: Any = None
    audience: str | None = None
    percentage: float | None = None
    bucket: int | None = None
    threshold: int | None = None
    draw: int | None = None
    """Its place among the weights, where more than one variant has some."""
    weights: int | None = None
    """Their sum."""
    algorithm: str = ""
    salt: str = ""
    position: int = 0
    """The log position of the flag's last change: what this answer rests on."""


def explain(flag: Flag, unit: str | None, attributes: Attributes = _NO_ATTRIBUTES) -> Explanation:
    """Say the answer and every step that led to it.

    Raises UnitMissing where no unit is given and the answer depends on it.
    """
    known: dict[str, Any] = {"flag": flag.name, "unit": unit, "position": flag.position}
    if not flag.exists:
        return Explanation(
            **known,
            enabled=False,
            reason="FLAG_NOT_FOUND",
            openfeature_reason="ERROR",
            sentence=f"there is no flag {flag.name}",
        )
    known |= {"algorithm": flag.algorithm, "salt": flag.salt, "kind": flag.kind}
    if not serves(flag):
        reason = "ARCHIVED" if flag.archived else "DISABLED"
        return Explanation(
            **known | _answer(flag.default_variant),
            enabled=False,
            reason=reason,
            openfeature_reason="DISABLED",
            sentence=f"the flag is {reason.lower()}",
        )
    if unit is None and needs_unit(flag, attributes):
        raise UnitMissing(flag=flag.name)
    place = None if unit is None else bucket(flag.salt, unit)
    known |= {"bucket": place}
    matching = _matching(flag, attributes)
    if not matching:
        names = ", ".join(e.audience.name for e in flag.exposures) or "none"
        return Explanation(
            **known | _answer(flag.default_variant),
            enabled=False,
            reason="NO_AUDIENCE",
            openfeature_reason="DEFAULT",
            sentence=f"the unit is in no audience that is served ({names})",
        )
    return Explanation(**known | _split(flag, unit, place, matching))


def _split(
    flag: Flag, unit: str | None, place: int | None, matching: list[Exposure]
) -> dict[str, Any]:
    """What the buckets say, and the weights, of a unit that is of an audience."""
    widest = max(matching, key=lambda e: e.percentage)
    limit = threshold(widest.percentage)
    enabled = limit > 0 if place is None else place < limit
    sentence = f"{widest.percentage:g} % of {widest.audience.name}"
    if place is not None:
        sentence = f"bucket {place} {'<' if enabled else '>='} {limit} ({sentence})"
    found: dict[str, Any] = {
        "enabled": enabled,
        "reason": "SPLIT",
        "openfeature_reason": _openfeature_reason(flag, matching, limit),
        "audience": widest.audience.name,
        "percentage": widest.percentage,
        "threshold": limit,
    }
    variant = flag.weighted[0] if enabled else flag.default_variant
    if enabled and unit is not None and len(flag.weighted) > 1:
        weights = sum(variant.weight for variant in flag.weighted)
        found |= {"draw": draw(flag.salt, unit, weights), "weights": weights}
        variant = drawn(flag.weighted, found["draw"])
        sentence += f", draw {found['draw']} of {weights}: {variant.name}"
    return found | _answer(variant) | {"sentence": sentence}


def _answer(variant: Variant) -> dict[str, Any]:
    value = variant.value
    if isinstance(value, dict):  # A copy: what is done to it is not done to the flag.
        value = msgspec.json.decode(msgspec.json.encode(value))
    return {"variant": variant.name, "value": value}


def _openfeature_reason(flag: Flag, matching: list[Exposure], limit: int) -> OpenFeatureReason:
    if limit == 0:
        return "DEFAULT"
    if limit < BUCKETS or len(flag.weighted) > 1:
        return "SPLIT"
    unconditional = (e for e in matching if not e.audience.conditions)
    everyone = any(threshold(e.percentage) == BUCKETS for e in unconditional)
    return "STATIC" if everyone else "TARGETING_MATCH"
