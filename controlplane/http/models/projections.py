"""Read models, and who looks."""

from typing import Literal

from pydantic import Field

from controlplane.http.models.form import Moment, Shown


class Lag(Shown):
    """How far a read model is behind the log."""

    projection: str = Field(examples=["flags"])
    version: int
    position: int = Field(ge=0, description="Up to where the log is folded into it.")
    events: int = Field(ge=0, description="So many are not.")
    seconds: float = Field(ge=0, description="The age of the first of these.")


class Build(Shown):
    """One computation of a read model."""

    projection: str = Field(examples=["flags"])
    version: int
    position: int = Field(ge=0)


class Projections(Shown):
    """Every read model, and those that are being computed again."""

    items: list[Lag]
    next: None = None
    rebuilds: list[Build] = Field(description="Not in use yet: they run, or were killed.")


class ComparedModel(Shown):
    """What of one read model was held to the log."""

    projection: str = Field(examples=["flags"])
    version: int
    position: int = Field(description="Up to where the log is folded into it.")
    rows: int = Field(ge=0)
    marks: int = Field(ge=0, description="At so many its snapshots were compared.")


class RowDifference(Shown):
    """Something that is kept and is not what the log comes to, or is not kept and should be."""

    projection: str = Field(examples=["flags"])
    kept: Literal["row", "snapshot"]
    key: str = Field(description="Of the row; empty where it is all as of that position.")
    position: int = Field(description="As of which it is kept.")
    found: Literal["altered", "missing", "extra", "ahead", "twice"] = Field(
        description="`ahead`: beyond the log's end. `twice`: a second build is in use."
    )


class ComparedModels(Shown):
    """All that was compared, and where it differs."""

    identical: bool
    models: list[ComparedModel]
    differences: list[RowDifference]


class Schedule(Shown):
    """Which scheduler looks at alerts and rollouts; all but `held` null where none does."""

    held: bool
    holder: str | None = Field(examples=["web-1:4711"])
    token: int | None = Field(description="The fencing token.")
    taken_at: Moment | None
    expires_at: Moment | None = Field(description="When another one may take over.")
    evaluates_every_us: int | None
    next_look_at: Moment | None
