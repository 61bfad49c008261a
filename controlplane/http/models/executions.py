"""Executions, as they are told and as they are answered for."""

from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from events.executions import BatchExecuted


class Refusal(BaseModel):
    """An execution that was not recorded; the others were."""

    index: int = Field(ge=0, description="Its place in the body, from 0.", examples=[1])
    reason: str = Field(examples=["there is no flag 'checkout'"])


class Receipt(BaseModel):
    """What became of the executions. Look at `refused`: the status says nothing of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "accepted": 2,
                    "duplicates": 1,
                    "refused": [{"index": 1, "reason": "there is no flag 'checkout'"}],
                    "position": 4711,
                }
            ]
        }
    )

    accepted: int = Field(ge=0)
    duplicates: int = Field(
        ge=0, description="Of the accepted: those whose id was in the log already."
    )
    refused: list[Refusal]
    position: int = Field(
        ge=0, description="The log position of the last accepted one; 0 where none was."
    )


def _execution() -> dict[str, Any]:
    """The schema of one: the event's own, and what comes beside it."""
    _, schemas = msgspec.json.schema_components([BatchExecuted])
    schema: dict[str, Any] = schemas["BatchExecuted"]
    beside = {
        "id": {
            "type": "string",
            "format": "uuid",
            "description": "In lower case. Sent again, it changes nothing. Default: a new one.",
        },
        "occurred_at": {
            "type": ["string", "integer"],
            "description": "ISO 8601 with a zone, or microseconds since the epoch; at most 30 days "
            "ago and 5 minutes ahead. Default: now.",
        },
    }
    return schema | {"title": "Execution", "properties": schema["properties"] | beside}


EXECUTION = {
    "id": "01a2095d-dc8a-7f2f-bd13-7623c5e34cf1",
    "flag": "batch-patches-v1",
    "cohort": "on",
    "unit": "user-3",
    "outcome": "succeeded",
    "duration_us": 41_000,
    "occurred_at": "2026-11-18T14:05:00Z",
}

# What is no execution is refused by itself: as a part of the body, anything is allowed.
_ENTRIES = {"type": "array", "maxItems": 10_000, "items": {"anyOf": [_execution(), {}]}}
_BATCH = {
    "type": "object",
    "properties": {"executions": _ENTRIES},
    "required": ["executions"],
    "additionalProperties": False,
}
_ONE = {"type": "object", "not": {"required": ["executions"]}}

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [_ENTRIES, _BATCH, {"allOf": [_ONE, _ENTRIES["items"]]}]},
                "examples": {
                    "many": {"value": [EXECUTION]},
                    "named": {"value": {"executions": [EXECUTION]}},
                    "one": {"value": EXECUTION},
                },
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One execution a line."},
                "example": msgspec.json.encode(EXECUTION).decode() + "\n",
            },
        },
    }
}
