"""Flags, as they are sent and as they are told."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from controlplane.audiences import AudienceModel
from controlplane.http.models.form import Moment, Reason, Said, Shown
from events.flags import Operator

_FLAG: dict[str, Any] = {
    "name": "batch-patches-v1",
    "exists": True,
    "owner": "patch-team",
    "algorithm": "murmur3-32/multiply-shift-100000",
    "salt": "batch-patches-v1",
    "description": "three layers",
    "tags": [],
    "enabled": True,
    "archived": False,
    "percentage": 10,
    "exposures": [{"audience": {"name": "everyone", "conditions": []}, "percentage": 10}],
    "kind": "boolean",
    "variants": [
        {"name": "on", "value": True, "weight": 1},
        {"name": "off", "value": False, "weight": 0},
    ],
    "default": "off",
    "rollout": None,
    "granted": [],
    "rollouts": 0,
    "exposure_version": 3,
    "enabled_at": "2026-11-24T09:21:58.216144Z",
    "changed_at": "2026-11-24T09:21:58.216144Z",
    "position": 7,
}

Percentage = Annotated[float, Field(ge=0, le=100, description="In steps of 0.001.", examples=[25])]
Text = Annotated[str, Field(max_length=2000)]
Kind = Literal["boolean", "string", "number", "object"]


class Condition(Shown):
    """One test of one attribute of a unit."""

    attribute: str = Field(examples=["group"])
    operator: Operator
    value: Any = Field(examples=["internal"])


class AudienceShown(Shown):
    """The units for which all conditions hold."""

    name: str = Field(examples=["internal"])
    conditions: list[Condition]


class Exposure(Shown):
    """The share of one audience that gets the new code, in percent."""

    audience: AudienceShown
    percentage: float


class VariantShown(Shown):
    """One of the answers that a flag can give."""

    name: str = Field(examples=["on"])
    value: Any = Field(examples=[True])
    weight: int


class Creation(Said):
    """A flag that is to be, off for everyone."""

    name: str = Field(min_length=1, max_length=100, examples=["batch-patches-v1"])
    owner: Text = Field(examples=["patch-team"])
    description: Text = ""
    salt: Annotated[str, Field(max_length=200, description="Fixes the buckets.")] = ""


class Description(Said):
    """What is to change; what is left out stays."""

    owner: Text | None = None
    description: Text | None = None
    tags: Annotated[list[Text] | None, Field(max_length=50)] = None


class Exposing(Said):
    """Who is to be served: a percentage of an audience."""

    percentage: Percentage
    audience: AudienceModel = AudienceModel()
    reason: Reason = ""


class Reverting(Said):
    """To when, and why."""

    at: Annotated[int, Field(ge=1, le=2**63 - 1)] | Annotated[str, Field(max_length=40)] = Field(
        description="A log position, or a moment: ISO 8601 with a zone.",
        examples=["2026-11-20T14:05:00Z"],
    )
    reason: Reason


class GlassBreaking(Said):
    """A raise that cannot wait for a second person."""

    percentage: Percentage
    audience: AudienceModel = AudienceModel()
    reason: Reason


class VariantModel(Said):
    """One of the answers that a flag can give."""

    name: str = Field(max_length=200, examples=["blue"])
    value: Any = Field(examples=["#00f"])
    weight: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1


class Variants(Said):
    """Everything that a flag can answer, in the order in which weights are counted."""

    kind: Kind
    variants: list[VariantModel] = Field(min_length=1, max_length=50)
    default: str = Field(max_length=200, examples=["plain"])
    reason: Reason = ""


class Question(Said):
    """For whom an answer is wanted."""

    unit: str | None = Field(max_length=2000, examples=["user-17"])
    attributes: dict[str, Any] = Field(default={}, examples=[{"group": "internal"}])


class Flag(Shown):
    """A flag as it stands."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_FLAG]})

    name: str
    exists: Literal[True]
    owner: str
    description: str
    tags: list[str]
    algorithm: str
    salt: str
    enabled: bool
    archived: bool
    percentage: float = Field(description="The widest share that any audience is served at.")
    exposures: list[Exposure]
    kind: Kind
    variants: list[VariantShown]
    default: str = Field(description="The variant of units that are not served.")
    rollout: str | None = Field(description="The rollout in charge.")
    granted: list[Exposure] = Field(
        description="What the rollout in charge has raised each audience to."
    )
    rollouts: int = Field(description="How many it has had.")
    exposure_version: int = Field(description="The version at which the exposure last changed.")
    enabled_at: Moment | None
    changed_at: Moment
    position: int = Field(description="The log position of its last change.")


class Explained(Shown):
    """What a unit gets, and why."""

    flag: str
    unit: str | None
    enabled: bool
    reason: str = Field(examples=["SPLIT"])
    openfeature_reason: str = Field(examples=["SPLIT"])
    sentence: str = Field(examples=["bucket 25950 < 50000 (50 % of beta)"])
    kind: Kind
    variant: str | None
    value: Any
    audience: str | None
    percentage: float | None
    bucket: int | None
    threshold: int | None
    draw: int | None
    weights: int | None
    algorithm: str
    salt: str
    position: int
