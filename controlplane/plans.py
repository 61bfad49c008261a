"""Plans: what is rolled out to whom, for how long, and what must be shown before it goes on."""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from controlplane import bucketing, strict_yaml, targeting
from controlplane.criteria.bake_time import BAKE_TIME
from controlplane.criteria.quantile_below import QuantileBelow
from controlplane.criteria.rate_below import RateBelow
from controlplane.criteria.zero_events import ZeroEvents
from controlplane.durations import Duration
from controlplane.errors import InvalidInput
from events import flags
from events.timestamps import HOUR, MINUTE

AnyCriterion = Annotated[RateBelow | QuantileBelow | ZeroEvents, Field(discriminator="kind")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class ConditionModel(_Model):
    """One test of one attribute of a unit."""

    attribute: str = Field(min_length=1, max_length=200)
    operator: flags.Operator
    value: Annotated[
        str | bool | int | float | tuple[str | bool | int | float, ...], BeforeValidator(_tuple)
    ]


class AudienceModel(_Model):
    """The units for which all conditions hold."""

    name: str = Field(default="everyone", min_length=1, max_length=100)
    conditions: tuple[ConditionModel, ...] = ()

    def to_audience(self) -> flags.Audience:
        """The audience as flags know it. Raises InvalidInput."""
        conditions = (flags.Condition(**condition.model_dump()) for condition in self.conditions)
        return targeting.check(flags.Audience(self.name, tuple(conditions)))


class _Stage(_Model):
    hold: Duration = Field(gt=0)
    """How long it lasts at least."""
    criteria: tuple[AnyCriterion, ...] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _names_differ(self) -> "_Stage":
        names = [BAKE_TIME.name, *(criterion.name for criterion in self.criteria)]
        if len(set(names)) < len(names):
            raise ValueError(
                f"criteria of one wave need names that differ, also from {BAKE_TIME.name}"
            )
        return self


class Wave(_Stage):
    """A percentage of an audience, held for a while."""

    name: str = Field(min_length=1, max_length=100)
    audience: AudienceModel = AudienceModel()
    percentage: float = Field(gt=0, le=100)

    @model_validator(mode="after")
    def _is_servable(self) -> "Wave":
        try:
            bucketing.threshold(self.percentage)
            self.audience.to_audience()
        except InvalidInput as error:
            raise ValueError(str(error)) from error
        return self


class Soak(_Stage):
    """Full exposure, watched for a long time, before the rollout counts as complete."""


class Plan(_Model):
    """Waves in order, then the soak."""

    name: str = Field(min_length=1, max_length=100)
    waves: tuple[Wave, ...] = Field(min_length=1, max_length=50)
    soak: Soak | None = None
    max_silence: Duration = Field(default=15 * MINUTE, gt=0)
    """Without an execution for this long, nothing passes: evidence must be fresh."""
    proposal_expires_after: Duration = Field(default=24 * HOUR, ge=MINUTE)
    propose_again_after: Duration = Field(default=24 * HOUR, gt=0)
    """After a rejection, nothing is proposed for so long."""

    @model_validator(mode="after")
    def _audiences_are_one_each(self) -> "Plan":
        known: dict[str, AudienceModel] = {}
        for wave in self.waves:
            if known.setdefault(wave.audience.name, wave.audience) != wave.audience:
                raise ValueError(
                    f"audience {wave.audience.name} has other conditions in {wave.name}: "
                    "its earlier members would lose the new code; give it another name"
                )
        return self

    def stage(self, wave: int) -> Wave | Soak:
        """Wave 1 … n, or the soak as n + 1."""
        if wave <= len(self.waves):
            return self.waves[wave - 1]
        if self.soak is None:
            raise InvalidInput(reason=f"plan {self.name} has no stage {wave}")
        return self.soak

    def after(self, wave: int) -> str:
        """The name of what follows a stage."""
        if wave < len(self.waves):
            return self.waves[wave].name
        return "soak" if wave == len(self.waves) and self.soak else "completed"

    def scaled(self, factor: float) -> "Plan":
        """The plan with its holds multiplied; only time changes, never what must be shown.

        Raises InvalidInput unless the factor is positive and finite.
        """
        if not 0 < factor < inf:
            raise InvalidInput(reason=f"holds are multiplied by a positive number, not {factor}")
        stages: dict[str, Any] = {
            "waves": tuple(
                wave.model_copy(update={"hold": max(1, round(wave.hold * factor))})
                for wave in self.waves
            )
        }
        if self.soak is not None:
            hold = max(1, round(self.soak.hold * factor))
            stages["soak"] = self.soak.model_copy(update={"hold": hold})
        return self.model_copy(update=stages)

    def to_json(self) -> dict[str, Any]:
        """The plan as it is recorded."""
        dumped: dict[str, Any] = self.model_dump(mode="json")
        return dumped

    def digest(self) -> str:
        """SHA-256 of the canonical JSON, hexadecimal."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()


def parse(data: object) -> Plan:
    """Check a plan. Raises InvalidInput that names each wrong field."""
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(reason=f"the plan is not valid: {_problems(error)}") from error


def _problems(error: ValidationError) -> str:
    """Each wrong field by name; not the wholes that are wrong only because a part of them is."""
    found = {tuple(map(str, one["loc"])): one["msg"] for one in error.errors()}
    own = {
        place: message.removeprefix("Value error, ")
        for place, message in found.items()
        if not any(other != place and other[: len(place)] == place for other in found)
    }
    return "; ".join(f"{'.'.join(place) or 'plan'}: {message}" for place, message in own.items())


def read(path: Path) -> Plan:
    """Read a plan from a YAML or JSON file. Raises InvalidInput."""
    try:
        return parse(strict_yaml.load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeError) as error:
        raise InvalidInput(reason=f"cannot read plan {path}: {error}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-30
        problem = " ".join(str(error).split())
        raise InvalidInput(reason=f"{path} is neither YAML nor JSON: {problem}") from error


@lru_cache(maxsize=256)
def _recorded(text: str) -> Plan:
    return parse(json.loads(text))


def recorded(plan: Mapping[str, Any]) -> Plan:
    """Return the plan that an event kept."""
    return _recorded(json.dumps(plan, sort_keys=True))


BUILT_IN = files("controlplane").joinpath("four-waves.yaml").read_text(encoding="utf-8")
"""The built-in plan as it is written, to copy from."""

FOUR_WAVES = parse(strict_yaml.load(BUILT_IN))
"""10 % of internal users for 24 h, 25 % of beta users, 50 % and 100 % of everyone for 48 h each,
then 14 stable days."""
