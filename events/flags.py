"""What can happen to a flag. These names are stored: change one only with an upcast."""

from typing import Annotated, Any, Literal

import msgspec

from events.event import Event

Percentage = Annotated[float, msgspec.Meta(ge=0, le=100)]
"""0 to 100, in steps of 0.001."""

Text = Annotated[str, msgspec.Meta(max_length=2000)]
"""What people write: reasons, notes, descriptions."""

Operator = Literal[
    "equals", "not_equals", "in", "not_in", "prefix", "lt", "lte", "gt", "gte",
    "version_lt", "version_lte", "version_gt", "version_gte",
]  # fmt: skip

Scalar = str | int | float | bool


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test of one attribute. A missing attribute fails every test."""

    attribute: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]


class Audience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The units for which all conditions hold. No conditions: everyone."""

    name: str
    conditions: tuple[Condition, ...] = ()


EVERYONE = Audience("everyone")

NOBODY = "none"
"""What an execution tells for its audience where its unit is of none that the flag serves."""


FlagKind = Literal["boolean", "string", "number", "object"]
"""Of which kind all values of a flag are, for good while it is on."""

Value = bool | int | float | str | dict[str, Any]
"""What a client is told: any JSON but a list or null."""

VariantName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Weight = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the answers of a flag, and its weight among those for the units it serves."""

    name: VariantName
    value: Value
    weight: Weight = 1


ON_AND_OFF = (Variant("on", True, 1), Variant("off", False, 0))  # noqa: FBT003  why: the value
"""The variants of a flag that nobody has given any; `off` is its default."""


class FlagCreated(Event, frozen=True):
    """A flag came to be, off for everyone. How it buckets is settled here, for good."""

    TYPE = "flag.created"
    flag: str
    owner: Text
    description: Text
    algorithm: str
    salt: str


class FlagDescribed(Event, frozen=True):
    """Owner, description or tags changed."""

    TYPE = "flag.described"
    flag: str
    owner: Text
    description: Text
    tags: tuple[Text, ...]


class FlagEnabled(Event, frozen=True):
    """The flag was switched on."""

    TYPE = "flag.enabled"
    flag: str
    reason: Text


class ExposureChanged(Event, frozen=True):
    """The share of an audience that gets the new code moved."""

    TYPE = "flag.exposure_changed"
    flag: str
    audience: Audience
    before: Percentage
    after: Percentage
    reason: Text
    forced: bool = False
    """Whether one person alone raised it, past the rollout in charge: that grants nothing."""


class FlagDisabled(Event, frozen=True):
    """The flag was switched off: every audience is back at zero."""

    TYPE = "flag.disabled"
    flag: str
    reason: Text


class VariantsDefined(Event, frozen=True):
    """What the flag can answer was said anew, as a whole.

    The units it serves get a variant by weight, all others the default one.
    """

    TYPE = "flag.variants_defined"
    flag: str
    kind: FlagKind
    variants: tuple[Variant, ...]
    default: VariantName
    reason: Text


class FlagArchived(Event, frozen=True):
    """The flag was retired; it stays off for ever."""

    TYPE = "flag.archived"
    flag: str
    reason: Text


class RolloutAttached(Event, frozen=True):
    """A rollout took charge: it alone raises the exposure from here."""

    TYPE = "flag.rollout_attached"
    flag: str
    rollout: str


class RolloutDetached(Event, frozen=True):
    """The rollout in charge ended."""

    TYPE = "flag.rollout_detached"
    flag: str
    rollout: str


FlagEvent = (
    FlagCreated
    | FlagDescribed
    | FlagEnabled
    | ExposureChanged
    | FlagDisabled
    | VariantsDefined
    | FlagArchived
    | RolloutAttached
    | RolloutDetached
)


def flag_stream(flag: str) -> str:
    """The stream of one flag."""
    return f"flag-{flag}"
