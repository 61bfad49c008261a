"""Telling of a field that there is not which ones there are."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails


def told(model: type[BaseModel], problem: ErrorDetails) -> str:
    """What is wrong with one field of what was given."""
    if problem["type"] != "extra_forbidden":
        return problem["msg"].removeprefix("Value error, ")
    there_are = dict.fromkeys(
        name for part in _parts(model, problem["loc"][:-1]) for name in part.model_fields
    )
    return f"there is no such field; there are {', '.join(there_are)}"


def _parts(model: type[BaseModel], place: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The models that may stand at a place; one, where its kind is told."""
    found = [model]
    for step in place:
        kinds = [one for one in found if len(found) > 1 and step in _kinds(one)]
        fields = [one.model_fields[str(step)] for one in found if step in one.model_fields]
        if kinds:
            found = kinds
        elif fields:
            found = [one for field in fields for one in _models(field.annotation)]
    return found


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    field = model.model_fields.get("kind")
    return () if field is None else get_args(field.annotation)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
