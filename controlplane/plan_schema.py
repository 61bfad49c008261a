"""The JSON Schema of plan files, for editors and other tools."""

from typing import Any

from controlplane.durations import format_duration
from controlplane.plans import Plan

_NOT_JSON_SCHEMA = ("gt", "ge", "lt", "le")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """What a plan file may say (JSON Schema 2020-12)."""
    schema = Plan.model_json_schema(mode="validation")
    return {"$schema": _DIALECT, **_as_written(schema), "title": "Plan"}


def _as_written(part: Any) -> Any:
    """Durations as `6h`, where the model has microseconds; the kind of a criterion is told."""
    if isinstance(part, list):
        return [_as_written(one) for one in part]
    if not isinstance(part, dict):
        return part
    part = {key: _as_written(value) for key, value in part.items()}
    default = part.get("default")
    if part.get("type") == "string" and isinstance(default, int):
        part["default"] = format_duration(default)
    if part.get("type") == "string":
        for keyword in _NOT_JSON_SCHEMA:  # Of microseconds; a duration is a string.
            part.pop(keyword, None)
    properties = part.get("properties")
    if isinstance(properties, dict) and "const" in properties.get("kind", {}):
        part["required"] = sorted({*part.get("required", ()), "kind"})
    return part
