"""Audiences as plans write them."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from controlplane import targeting
from events import flags


class PlanPart(BaseModel):
    """Common to every part of a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class ConditionModel(PlanPart):
    """One test of one attribute of a unit."""

    attribute: str = Field(min_length=1, max_length=200)
    operator: flags.Operator
    value: Annotated[
        str | bool | int | float | tuple[str | bool | int | float, ...], BeforeValidator(_tuple)
    ]


class AudienceModel(PlanPart):
    """The units for which all conditions hold."""

    name: str = Field(default="everyone", min_length=1, max_length=100)
    conditions: tuple[ConditionModel, ...] = ()

    def to_audience(self) -> flags.Audience:
        """The audience as flags know it. Raises InvalidInput."""
        conditions = (flags.Condition(**condition.model_dump()) for condition in self.conditions)
        return targeting.check(flags.Audience(self.name, tuple(conditions)))
