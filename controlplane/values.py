"""The value that a flag has for a unit, compiled: what `value` answers from."""

from bisect import bisect
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

import msgspec
from mmh3 import mmh3_32_uintdigest as murmur3

from controlplane.bucketing import VARIANT_SEED, Attributes, cut, cuts, explain, serves
from controlplane.targeting import matches
from projections.flags import Flag

Valuer = Callable[[str | None, Attributes], Any]


def compile_value(flag: Flag) -> Valuer:
    """A function of (unit, attributes) that gives the value `explain` gives, and raises as it."""
    if flag.kind != "object":
        return _compile_value(flag, {v.name: v.value for v in flag.variants})
    # Decoded anew for each caller: what one does to its object, no other sees.
    texts = {v.name: msgspec.json.encode(v.value) for v in flag.variants}
    text = _compile_value(flag, texts)
    decode = msgspec.json.Decoder().decode
    return lambda unit, attributes: decode(text(unit, attributes))


def _compile_value(flag: Flag, values: Mapping[str, Any]) -> Valuer:
    default, given = values[flag.default], [values[variant.name] for variant in flag.weighted]
    if not serves(flag) or not flag.exposures:
        return lambda _unit, _attributes: default
    first, several = given[0], len(given) > 1
    prefix = flag.salt + ":"
    ends = list(accumulate(variant.weight for variant in flag.weighted))
    ends = [cut(end, ends[-1]) for end in ends[:-1]]
    floor, narrow = cuts(flag)

    def of(unit: str | None, attributes: Attributes) -> Any:
        if unit is None:
            return values[str(explain(flag, None, attributes).variant)]
        key = f"{prefix}{unit}".encode("utf-8", "surrogatepass")
        place = murmur3(key)
        if place >= floor:
            for limit, audience in narrow:
                if place < limit and matches(audience, attributes):
                    break
            else:
                return default
        return given[bisect(ends, murmur3(key, VARIANT_SEED))] if several else first

    def of_everyone(unit: str | None, attributes: Attributes) -> Any:
        if unit is None:
            return of(None, attributes)
        key = f"{prefix}{unit}".encode("utf-8", "surrogatepass")
        return given[bisect(ends, murmur3(key, VARIANT_SEED))]

    if floor < 1 << 32:
        return of
    return of_everyone if several else lambda _unit, _attributes: first
