"""Events, as the log has them."""

from typing import Any, Literal

from pydantic import Field

from controlplane.http.models.form import Moment, Shown
from events.event import ActorKind

BATCH = "application/cloudevents-batch+json"
ONE = "application/cloudevents+json"

Format = Literal["json", "cloudevents"]


class Actor(Shown):
    """Who did it."""

    kind: ActorKind
    id: str = Field(examples=["ben"])
    name: str = Field(examples=["Ben"])


class Recorded(Shown):
    """An event with its envelope. What `data` holds, by type, is in docs/events.md."""

    environment: str = Field(examples=["production"])
    position: int = Field(ge=1, description="Its place in the log.", examples=[4711])
    id: str = Field(examples=["01a2095d-dc8a-7f2f-bd13-7623c5e34cf1"])
    stream: str = Field(examples=["flag-batch-patches-v1"])
    version: int = Field(ge=1, description="Its place in its stream.")
    type: str = Field(examples=["flag.enabled"])
    schema_version: int = Field(ge=1)
    occurred_at: Moment
    recorded_at: Moment
    actor: Actor
    correlation_id: str | None = Field(examples=["batch-patches-v1-r1"])
    causation_id: str | None
    data: dict[str, Any]
    hash: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256, of all before it too.")


class Head(Shown):
    """The end of the log. Keep it elsewhere: it vouches for all before it."""

    position: int = Field(ge=0, examples=[4711])
    hash: str = Field(pattern="^[0-9a-f]{64}$")
    recorded_at: Moment | None


class Witness(Shown):
    """The whole log was read, and is as it was recorded."""

    intact: Literal[True]
    position: int = Field(ge=0)
    hash: str = Field(pattern="^[0-9a-f]{64}$")


_CLOUDEVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
    "properties": {"specversion": {"const": "1.0"}},
}
_NEXT = {
    "Link": {
        "description": 'Where to go on, `rel="next"`: with CloudEvents, whose batches hold nothing '
        "else.",
        "schema": {"type": "string"},
    }
}

AS_BATCH: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": _NEXT,
        "content": {BATCH: {"schema": {"type": "array", "items": _CLOUDEVENT}}},
    }
}
AS_ONE: dict[int | str, dict[str, Any]] = {200: {"content": {ONE: {"schema": _CLOUDEVENT}}}}
