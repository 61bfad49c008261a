"""Who is in an audience: every condition holds for the unit's attributes."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from operator import ge, gt, le, lt
from typing import Any

from controlplane.errors import InvalidInput
from events.flags import EVERYONE, NOBODY, Audience, Condition, Operator

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
_LONGEST_VERSION = 256
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")


def matches(audience: Audience, attributes: Mapping[str, object]) -> bool:
    """Whether all conditions hold. Attributes of the wrong kind do not match; nothing raises."""
    return all(holds(condition, attributes) for condition in audience.conditions)


def holds(condition: Condition, attributes: Mapping[str, object]) -> bool:
    """Whether one condition holds. A missing attribute fails it, `not_in` included."""
    found = attributes.get(condition.attribute)
    if found is None:
        return False
    wanted = condition.value
    match condition.operator:
        case "equals":
            return _same(found, wanted)
        case "not_equals":
            return not _same(found, wanted)
        case "in":
            return any(_same(found, one) for one in _several(wanted))
        case "not_in":
            return not any(_same(found, one) for one in _several(wanted))
        case "prefix":
            return isinstance(found, str) and found.startswith(str(wanted))
        case "lt" | "lte" | "gt" | "gte" as operator:
            return _is_number(found) and _is_number(wanted) and _COMPARE[operator](found, wanted)
        case operator:
            left, right = version_key(found), version_key(wanted)
            compare = _COMPARE[operator.removeprefix("version_")]
            return left is not None and right is not None and compare(left, right)


def check(audience: Audience) -> Audience:
    """Return the audience, or raise InvalidInput where a condition could never hold as meant."""
    if not audience.name.strip():
        raise InvalidInput(reason="an audience needs a name")
    if audience.name == NOBODY:
        raise InvalidInput(reason=f"{NOBODY} says that a unit is of no audience; name it otherwise")
    if audience.name == EVERYONE.name and audience.conditions:
        raise InvalidInput(reason="the audience everyone has no conditions; name yours otherwise")
    for condition in audience.conditions:
        if (problem := _problem(condition.operator, condition.value)) is not None:
            raise InvalidInput(
                reason=f"audience {audience.name}: {condition.attribute} "
                f"{condition.operator} needs {problem}, not {condition.value!r}"
            )
    return audience


def _problem(operator: Operator, value: object) -> str | None:
    """What the operator needs, where the value is not that."""
    if any(isinstance(one, float) and not isfinite(one) for one in _several(value)):
        return "finite numbers"
    if operator in ("in", "not_in"):
        return None if isinstance(value, tuple) and value else "a list of values"
    if isinstance(value, tuple):
        return "one value"
    if operator in _COMPARE:
        return None if _is_number(value) else "a number"
    if operator == "prefix":
        return None if isinstance(value, str) and value else "a text"
    if operator.startswith("version_"):
        return None if version_key(value) is not None else "a version as text, such as '2.10.1'"
    return None


def _same(found: object, wanted: object) -> bool:
    """Equality that does not take True for 1."""
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _several(wanted: object) -> tuple[object, ...]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_VersionKey = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


def version_key(value: object) -> _VersionKey | None:
    """A key that orders versions as Semantic Versioning 2.0 §11 does; None: not a version."""
    # Text only: YAML reads an unquoted 2.10 as 2.1. Short only: int() refuses endless digits.
    if not isinstance(value, str) or len(value) > _LONGEST_VERSION:
        return None
    found = _VERSION.fullmatch(value.strip())
    if found is None:
        return None
    numbers = [int(part) for part in found[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()  # 1.2 and 1.2.0 are the same version
    pre = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in (found[2] or "").split(".")
        if part
    )
    return tuple(numbers), not pre, pre
