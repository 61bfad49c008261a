"""Answers from history: what was done, by which command, on whose approval, and why."""

from typing import Any

from pydantic import Field

from controlplane.http.models.events import AS_BATCH, Recorded
from controlplane.http.models.form import Shown
from events.event import ActorKind

CSV, NDJSON = "text/csv", "application/x-ndjson"

_ROW = 'position,occurred_at,…,what,…\r\n4711,2026-11-20T14:05:00.000000Z,…,"batch-patches-v1 …",…'
_LINE = '{"position": 4711, "type": "flag.enabled", "what": "batch-patches-v1 switched on", …}\n'
_ANSWERS: dict[str, Any] = AS_BATCH[200]
_TEXT = {"schema": {"type": "string"}}
AS_WANTED: dict[int | str, dict[str, Any]] = {
    200: _ANSWERS
    | {
        "content": _ANSWERS["content"]
        | {CSV: _TEXT | {"example": _ROW}, NDJSON: _TEXT | {"example": _LINE}}
    }
}
"""As a page of JSON, a document a line, as CloudEvents, or for spreadsheets."""


class Told(Recorded):
    """An event, and in words what it says."""

    what: str = Field(examples=["batch-patches-v1: 10 % → 25 % of everyone: beta"])


class SentCommand(Shown):
    """What came over HTTP."""

    position: int = Field(ge=1, description="Of its event, `access.command_accepted`.")
    command: str = Field(examples=["approve_proposal"])
    token: str | None = Field(description="Its id; null where the server asked for none.")
    address: str = Field(examples=["10.0.0.7"])


class Deed(Told):
    """Something that was done, and who stands behind it."""

    command: SentCommand | None = Field(description="Null where it did not come over HTTP.")
    asked_by: list[str] = Field(examples=[["ana"]])
    agreed_by: list[str] = Field(examples=[["ben"]])


class Happening(Told):
    """A line of a timeline: an event, or the first of several looks that found the same."""

    repeats: list[int] = Field(description="The positions of the looks that found it again.")


class Effect(Told):
    """What something led to, and what that led to in turn."""

    effects: list["Effect"]


class Why(Shown):
    """An event between what led to it and what it led to."""

    causes: list[Told] = Field(description="The first cause first.")
    event: Told
    effects: list[Effect]
    missing_cause: str | None = Field(description="The id of a cause that is not in this log.")
    more_effects: bool = Field(description="Whether it led to more than is shown.")


class Count(Shown):
    """How many events have something in common; what was not counted by is left out."""

    actor: str = Field("", examples=["ben"])
    kind: ActorKind = "person"
    type: str = Field("", examples=["flag.enabled"])
    stream: str = Field("", examples=["flag-batch-patches-v1"])
    day: str = Field("", description="In UTC.", examples=["2026-11-20"])
    hour: str = Field("", description="In UTC.", examples=["2026-11-20T14:00Z"])
    count: int = Field(ge=0)


class Counts(Shown):
    """The most first; where they are counted by day or hour, in its order."""

    items: list[Count]
    groups: int = Field(ge=0, description="How many there are, shown or not.")
    events: int = Field(ge=0, description="In all of them.")
