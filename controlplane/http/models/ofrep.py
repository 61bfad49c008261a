"""OFREP 0.3, as this server speaks it.

The published schema is stricter than its own examples: a value that is text fits several of its
alternatives where exactly one may fit, and DEFAULT, which servers send, is none of its reasons.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

Metadata = dict[str, bool | str | int | float]


ASKED: dict[str, Any] = {
    "type": "object",
    "description": "Who asks. May be left out, as a whole or in part.",
    "properties": {
        "context": {
            "type": ["object", "null"],
            "description": "What is known about them: attributes of any kind.",
            "properties": {
                "targetingKey": {
                    "type": ["string", "null"],
                    "description": "The unit. Not needed where everybody gets the same.",
                }
            },
        }
    },
    "example": {"context": {"targetingKey": "user-17", "group": "beta"}},
}


class Evaluation(BaseModel):
    """What a flag answers."""

    key: str = Field(examples=["batch-patches-v1"])
    reason: Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"]
    variant: str = Field(examples=["on"])
    value: Any = Field(examples=[True])
    metadata: Metadata


class Failure(BaseModel):
    """Why a flag has no answer."""

    key: str
    errorCode: Literal[  # noqa: N815  why: OFREP's own name
        "PARSE_ERROR", "INVALID_CONTEXT", "TARGETING_KEY_MISSING", "FLAG_NOT_FOUND", "GENERAL"
    ]
    errorDetails: str  # noqa: N815  why: OFREP's own name


class BulkFailure(BaseModel):
    """Why nothing was evaluated."""

    errorCode: Literal["PARSE_ERROR", "INVALID_CONTEXT"]  # noqa: N815  why: OFREP's own name
    errorDetails: str  # noqa: N815  why: OFREP's own name


class Endpoint(BaseModel):
    """Where a stream is, on this server."""

    requestUri: str  # noqa: N815  why: OFREP's own name


class EventStreamAt(BaseModel):
    """A stream that tells when to ask again."""

    type: Literal["sse"]
    endpoint: Endpoint
    inactivityDelaySec: int  # noqa: N815  why: OFREP's own name


class Evaluations(BaseModel):
    """What all flags answer."""

    flags: list[Evaluation | Failure]
    eventStreams: list[EventStreamAt]  # noqa: N815  why: OFREP's own name
    metadata: Metadata
