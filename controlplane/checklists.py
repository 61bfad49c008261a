"""What people vouch for before a rollout goes on, and how many must agree."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from controlplane.people import plain
from projections.interventions import SignOff

Area = Literal["code", "infrastructure", "team", "stakeholders", "follow-up", "sign-off"]


class Item(BaseModel):
    """One item of a checklist: done when enough people in its role have signed it off."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(min_length=1, max_length=100)
    area: Area
    text: str = Field(default="", max_length=2000)
    """What must be so."""
    role: str = Field(default="", max_length=100)
    """Who may sign it; empty: anyone."""
    approvals: int = Field(default=1, ge=1, le=20)
    """How many different people must."""
    required: bool = True
    """Whether the rollout waits for it; otherwise it is a reminder."""


class Approvals(BaseModel):
    """n of m people."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    needed: int = Field(default=1, ge=0, le=20)
    """How many must agree, each once, none of them who asked for it."""
    of: tuple[str, ...] = Field(default=(), max_length=100)
    """Who may; empty: anyone else."""

    @model_validator(mode="after")
    def _are_enough(self) -> "Approvals":
        people = {plain(one) for one in self.of}
        if self.of and len(people) < self.needed:
            raise ValueError(f"{self.needed} must approve, but only {len(people)} may")
        return self


def signed(item: Item, sign_offs: Iterable[SignOff]) -> int:
    """How many different people signed it in its role."""
    valid = (one for one in sign_offs if one.item == item.name and item.role in ("", one.role))
    return len({plain(one.by) for one in valid})


def missing(items: Iterable[Item], sign_offs: tuple[SignOff, ...]) -> tuple[Item, ...]:
    """The required items that are not signed off yet."""
    return tuple(i for i in items if i.required and signed(i, sign_offs) < i.approvals)
