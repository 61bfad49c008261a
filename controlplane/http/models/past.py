"""The past: which moment is spoken of, and what changed."""

from typing import Any, Literal

from pydantic import Field

from controlplane.http.models.form import Moment, Shown

AS_OF: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "As-Of": {
                "description": "The log position of the moment.",
                "schema": {"type": "integer", "minimum": 0},
            }
        }
    }
}


class PastShown(Shown):
    """A moment."""

    position: int = Field(ge=0, description="The last log position recorded by then.")
    moment: Moment | None = Field(description="Null: before the first event.")
    known: Literal["then", "now"]


class Change(Shown):
    """One fact as it was and as it was later; null where there was no such fact."""

    projection: str = Field(examples=["flags"])
    key: str = Field(examples=["batch-patches-v1"])
    fact: str = Field(examples=["percentage of everyone"])
    before: Any = Field(examples=[10])
    after: Any = Field(examples=[25])


class Differences(Shown):
    """What changed from one moment to another."""

    before: PastShown
    after: PastShown
    changes: list[Change]
