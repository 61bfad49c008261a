"""Plans: what is rolled out to whom, for how long, and what must be shown before it goes on."""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from controlplane import bucketing, strict_yaml
from controlplane.audiences import AudienceModel, PlanPart
from controlplane.calendars import FreezeWindow
from controlplane.checklists import Approvals, Item
from controlplane.criteria.bake_time import BAKE_TIME
from controlplane.criteria.catalog import AnyCriterion, unanswerable
from controlplane.durations import Duration, format_duration
from controlplane.errors import InvalidInput
from controlplane.known_fields import told
from events.timestamps import HOUR, MINUTE, SECOND

_ALL = 100
_MOST_WINDOWS = 300
SCHEMA: Literal[1] = 1
"""The version of the plan format."""


class _Stage(PlanPart):
    hold: Duration = Field(gt=0)
    """How long it lasts at least."""
    criteria: tuple[AnyCriterion, ...] = Field(min_length=1, max_length=50)
    max_wait: Duration | None = Field(default=None, gt=0)
    """How much longer than `hold` it may wait for evidence; then people are called."""
    on_timeout: Literal["escalate", "rollback"] = "escalate"
    """What happens then. It never passes by time alone."""
    requires: tuple[Item, ...] = Field(default=(), max_length=50)
    """What must be signed off before it is entered."""

    @model_validator(mode="after")
    def _names_differ(self) -> "_Stage":
        names = [BAKE_TIME.name, *(criterion.name for criterion in self.criteria)]
        if len(set(names)) < len(names):
            raise ValueError(
                f"criteria of one wave need names that differ, also from {BAKE_TIME.name}"
            )
        return self

    @model_validator(mode="after")
    def _asks_for_something(self) -> "_Stage":
        if all(criterion.on_fail == "warn" for criterion in self.criteria):
            raise ValueError("every criterion only warns: time alone would pass it")
        if self.on_timeout == "rollback" and self.max_wait is None:
            raise ValueError("on_timeout: rollback needs max_wait: until when is it to wait?")
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


class Plan(PlanPart):
    """Waves in order, then the soak."""

    schema_version: Literal[1] = SCHEMA
    name: str = Field(min_length=1, max_length=100)
    version: str = Field(default="1", min_length=1, max_length=100)
    """Of this plan, as its authors count. What binds is the hash of all of it."""
    waves: tuple[Wave, ...] = Field(min_length=1, max_length=50)
    soak: Soak | None = None
    before_start: tuple[Item, ...] = Field(default=(), max_length=50)
    """Must be signed off before wave 1."""
    before_completion: tuple[Item, ...] = Field(default=(), max_length=50)
    """Must be signed off before the rollout counts as complete."""
    start: Approvals = Approvals(needed=0)
    """Who must agree to the start."""
    promotion: Approvals = Approvals(needed=1)
    """Who must agree to each promotion."""
    freezes: tuple[FreezeWindow, ...] = Field(default=(), max_length=50)
    """When nothing is promoted."""
    window: Duration = Field(default=6 * HOUR, gt=0)
    """How wide the windows are in which a trend is looked for."""
    settle: Duration = Field(default=30 * SECOND, gt=0)
    """How long clients may take to follow the flag."""
    confirm_within: Duration = Field(default=30 * MINUTE, gt=0)
    """When nobody reports the new code so long after a wave began, the wave is held."""
    max_silence: Duration = Field(default=15 * MINUTE, gt=0)
    """Without an execution for this long, nothing passes: evidence must be fresh."""
    proposal_expires_after: Duration = Field(default=24 * HOUR, ge=MINUTE)

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

    @model_validator(mode="after")
    def _goes_forward(self) -> "Plan":
        names = [wave.name for wave in self.waves]
        if len(set(names)) < len(names):
            raise ValueError("waves need names that differ")
        widest: dict[str, float] = {}
        for wave in self.waves:
            before = widest.get(wave.audience.name, 0.0)
            if wave.percentage < before:
                raise ValueError(
                    f"{wave.name} serves {wave.percentage:g} % of {wave.audience.name} after "
                    f"{before:g} %: a plan goes forward; to go back, roll back"
                )
            widest[wave.audience.name] = wave.percentage
        return self

    @model_validator(mode="after")
    def _can_be_judged(self) -> "Plan":
        for number in range(1, self.stages + 1):
            for criterion in self.stage(number).criteria:
                problem = unanswerable(
                    criterion,
                    first=number == 1,
                    everyone=self.waves[min(number, len(self.waves)) - 1].percentage == _ALL,
                    windows=self.stage(number).hold // self.window,
                )
                if problem is not None:
                    raise ValueError(f"stage {number}: {criterion.name} {problem}")
        return self

    @model_validator(mode="after")
    def _windows_are_few(self) -> "Plan":
        longest = max(stage.hold for stage in (*self.waves, *((self.soak,) if self.soak else ())))
        if longest > self.window * _MOST_WINDOWS:
            raise ValueError(
                f"window {format_duration(self.window)} is too narrow: "
                f"{format_duration(longest)} would have more than {_MOST_WINDOWS} of them"
            )
        return self

    @model_validator(mode="after")
    def _items_differ(self) -> "Plan":
        names = [item.name for item in self.items()]
        stages = (*self.waves, self.soak) if self.soak else self.waves
        names += {c.name for stage in stages for c in stage.criteria if c.kind == "manual"}
        if len(set(names)) < len(names):
            raise ValueError("items of checklists and manual criteria need names that differ")
        return self

    @model_validator(mode="after")
    def _promotions_are_approved(self) -> "Plan":
        if not self.promotion.needed:
            raise ValueError("promotion.needed starts at 1: people promote, time does not")
        return self

    def items(self) -> tuple[Item, ...]:
        """Everything that may be signed off on a checklist."""
        stages = (*self.waves, self.soak) if self.soak else self.waves
        asked = tuple(item for stage in stages for item in stage.requires)
        return (*self.before_start, *asked, *self.before_completion)

    def required_after(self, wave: int) -> tuple[Item, ...]:
        """What must be signed off before what follows a stage; `wave` 0: before the start."""
        if wave == 0:
            return (*self.before_start, *self.waves[0].requires)
        if wave >= self.stages:
            return self.before_completion
        return self.stage(wave + 1).requires

    def stage(self, wave: int) -> Wave | Soak:
        """Wave 1 … n, or the soak as n + 1."""
        if wave <= len(self.waves):
            return self.waves[wave - 1]
        if self.soak is None:
            raise InvalidInput(reason=f"plan {self.name} has no stage {wave}")
        return self.soak

    @property
    def stages(self) -> int:
        """How many stages there are: the waves, and the soak."""
        return len(self.waves) + (self.soak is not None)

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
            "waves": tuple(_scaled(wave, factor) for wave in self.waves),
            "window": _times(self.window, factor),
        }
        if self.soak is not None:
            stages["soak"] = _scaled(self.soak, factor)
        return self.model_copy(update=stages)

    def to_json(self) -> dict[str, Any]:
        """The plan as it is recorded."""
        dumped: dict[str, Any] = self.model_dump(mode="json")
        return dumped

    def digest(self) -> str:
        """SHA-256 of the canonical JSON, hexadecimal."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()


_S = TypeVar("_S", bound=_Stage)


def _scaled(stage: _S, factor: float) -> _S:
    changes = {
        "hold": _times(stage.hold, factor),
        "criteria": tuple(criterion.scaled(factor) for criterion in stage.criteria),
        "max_wait": None if stage.max_wait is None else _times(stage.max_wait, factor),
    }
    return stage.model_copy(update=changes)


def _times(duration_us: int, factor: float) -> int:
    return max(1, round(duration_us * factor))


def parse(data: object) -> Plan:
    """Check a plan. Raises InvalidInput that names each wrong field."""
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(reason=f"the plan is not valid: {_problems(error)}") from error


def _problems(error: ValidationError) -> str:
    """Each wrong field by name; not the wholes that are wrong only because a part of them is."""
    found = {tuple(map(str, one["loc"])): told(Plan, one) for one in error.errors()}
    own = {
        place: message
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
