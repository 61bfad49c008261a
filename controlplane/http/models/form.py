"""What is said and what is shown have the same form everywhere."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")

Moment = Annotated[
    str,
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-18T14:05:00Z"]),
]
"""ISO 8601, in UTC."""
Reason = Annotated[str, Field(max_length=2000, examples=["INC-7: the normalizer drops rows"])]


class Said(BaseModel):
    """What a request may say: these fields and no others, of these types and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Because(Said):
    """Why."""

    reason: Reason


class PerhapsBecause(Said):
    """Why, if there is something to say."""

    reason: Reason = ""


NOTHING_SAID = PerhapsBecause()


class Shown(BaseModel):
    """What an answer shows: a view that grew a field must be described, or it is not answered."""

    model_config = ConfigDict(extra="forbid")


class Page(Shown, Generic[T]):
    """Things in the order in which they last changed."""

    items: list[T]
    next: int | None = Field(
        description="Where to go on: pass it as `after`. Null: there is no more at present.",
        examples=[4711],
    )


def everything(items: list[Any]) -> dict[str, Any]:
    """A page of all there are, where there are few."""
    return {"items": items, "next": None}
