"""What may be done to the variants of a flag."""

import re
import reprlib
from dataclasses import dataclass
from math import isfinite
from typing import get_args

import msgspec
from msgspec.structs import replace

from controlplane.errors import FlagIsOn, InvalidInput, RolloutInCharge
from events.flags import FlagKind, Value, Variant, VariantsDefined
from projections.flags import Flag

MOST_VARIANTS = 50
MOST_BYTES = 8192
MOST_WEIGHT = 2**31 - 1
DEEPEST = 32
LARGEST_INTEGER = 2**53 - 1
"""Beyond it, a client that keeps numbers as JavaScript does would be told another one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Value)


@dataclass(frozen=True, kw_only=True)
class DefineVariants:
    """Say anew what the flag can answer, by which weights, and what to whom it does not serve."""

    kind: FlagKind
    variants: tuple[Variant, ...]
    default: str
    reason: str = ""


def define(flag: Flag, command: DefineVariants) -> list[VariantsDefined]:
    """The event it leads to; none where nothing changes. Raises a refusal.

    While a rollout is in charge, what it judges stays what it is.
    """
    found = check(command.kind, command.variants)
    if command.default not in [variant.name for variant in found]:
        raise InvalidInput(reason=f"the default {_shown(command.default)} is none of the variants")
    if _text(command.kind, found, command.default) == _text(flag.kind, flag.variants, flag.default):
        return []
    if flag.rollout is not None:
        raise RolloutInCharge(flag=flag.name, rollout=flag.rollout)
    if flag.enabled and command.kind != flag.kind:
        raise FlagIsOn(flag=flag.name, kind=flag.kind)
    return [
        VariantsDefined(
            flag=flag.name,
            kind=command.kind,
            variants=found,
            default=command.default,
            reason=command.reason,
        )
    ]


def _text(*definition: object) -> bytes:
    """What tells two definitions apart: to Python, 1, 1.0 and True are equal."""
    return _ENCODER.encode(definition)


def check(kind: FlagKind, variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """The variants as the log keeps them. Raises InvalidInput where a client could not be told."""
    if kind not in get_args(FlagKind):
        raise InvalidInput(reason=f"{_shown(kind)} is no kind: {', '.join(get_args(FlagKind))}")
    if len(variants) > MOST_VARIANTS:
        raise InvalidInput(reason=f"{len(variants)} variants: a flag has {MOST_VARIANTS} at most")
    for variant in variants:
        _check_name_and_weight(variant)
    names = [variant.name for variant in variants]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(reason=f"variant {twice} is there twice")
    total = sum(variant.weight for variant in variants)
    if not total:
        raise InvalidInput(reason="a flag needs a variant with a weight: it must answer something")
    if total > MOST_WEIGHT:
        raise InvalidInput(reason=f"the weights sum up to more than {MOST_WEIGHT}")
    found = tuple(replace(v, value=_value(kind, v)) for v in variants)
    if any(isinstance(variant.value, float) for variant in found):
        # A client that expects a float takes 1 for an integer, and refuses it.
        return tuple(replace(v, value=float(v.value)) for v in found)  # type: ignore[arg-type]  # why: numbers
    return found


def _check_name_and_weight(variant: object) -> None:
    if not isinstance(variant, Variant):
        raise InvalidInput(reason=f"{_shown(variant)} is no Variant(name, value, weight)")
    name, weight = variant.name, variant.weight
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(
            reason=f"variant name {_shown(name)}: use up to 100 letters, digits, dots, dashes and "
            "underscores, beginning with a letter or digit"
        )
    if isinstance(weight, bool) or not isinstance(weight, int) or weight < 0:
        raise InvalidInput(reason=f"variant {name}: a weight is 0, 1, 2 …, not {_shown(weight)}")


def _value(kind: FlagKind, variant: Variant) -> Value:
    """A copy of the value, as JSON has it; nobody else can change it."""
    of = f"variant {variant.name}"
    if not _is_a(kind, variant.value):
        raise InvalidInput(reason=f"{of}: the flag answers {kind}s, not {_shown(variant.value)}")
    if (problem := _problem(variant.value)) is not None:
        raise InvalidInput(reason=f"{of}: {problem}")
    try:
        text = _ENCODER.encode(variant.value)
    except UnicodeEncodeError:
        raise InvalidInput(reason=f"{of}: its text is no Unicode, it has lone surrogates") from None
    except TypeError as error:
        raise InvalidInput(reason=f"{of}: {error}") from error
    if len(text) > MOST_BYTES:
        raise InvalidInput(reason=f"{of}: {len(text)} bytes of JSON, more than {MOST_BYTES}")
    value: Value = _DECODER.decode(text)
    return value


def _is_a(kind: FlagKind, value: object) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "object":
            return isinstance(value, dict)


def _problem(value: object, depth: int = 0) -> str | None:
    """Why a client could not be told the value, or would be told another one."""
    if depth > DEEPEST:
        return f"it is nested more than {DEEPEST} deep"
    match value:
        case None | bool() | str():
            return None
        case int():
            large = abs(value) > LARGEST_INTEGER
            return "integers beyond 2^53 - 1 are not the same everywhere: use text" * large or None
        case float():
            return None if isfinite(value) else f"{value} is no number that JSON has"
        case list() | tuple():
            inner: list[object] = list(value)
        case dict():
            if odd := [key for key in value if not isinstance(key, str)]:
                return f"the names in an object are text, not {_shown(odd[0])}"
            inner = list(value.values())
        case _:
            return f"{_shown(value)} is no JSON"
    return next((found for one in inner if (found := _problem(one, depth + 1))), None)


def _shown(value: object) -> str:
    """What somebody gave, cut to what an error can carry."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no integer of more than some thousand digits.
        return "a number of thousands of digits"
