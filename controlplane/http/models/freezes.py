"""Freezes."""

from typing import Annotated, Any

from pydantic import Field

from controlplane.http.models.form import Moment, Reason, Said, Shown


class Calendar(Said):
    """When a freeze comes: in local time, once or again and again."""

    name: str | None = Field(default=None, min_length=1, max_length=100)
    starts: str = Field(
        max_length=64, description="Its first begin.", examples=["2026-11-27T16:00:00"]
    )
    duration: str = Field(max_length=64, examples=["63h"])
    rrule: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="When it comes back, after RFC 5545. Null: it does not.",
        examples=["FREQ=WEEKLY;BYDAY=FR"],
    )
    timezone: str = Field(default="UTC", min_length=1, max_length=100, examples=["Europe/Berlin"])

    def given(self) -> dict[str, Any]:
        """What calendars.parse takes."""
        return self.model_dump(exclude_none=True)


_Flag = Annotated[str, Field(min_length=1, max_length=100)]


class Declaration(Said):
    """Promote nothing: until a moment, in the windows of a calendar, or until it is lifted."""

    reason: Reason
    until: str | None = Field(
        default=None, max_length=64, description="ISO 8601 with a zone.", examples=[None]
    )
    flags: list[_Flag] = Field(
        default=[], max_length=1000, description="Whose promotions it holds; none: all."
    )
    window: Calendar | None = None
    name: str = Field(default="", max_length=100, examples=["peak season"])


class Window(Shown):
    """The calendar that a freeze follows."""

    rrule: str | None
    starts: str = Field(examples=["2026-11-27T16:00:00"])
    timezone: str
    duration: str = Field(examples=["63h"])


class Freeze(Shown):
    """A freeze, judged now."""

    id: str = Field(examples=["freeze-3"])
    name: str
    reason: str
    flags: list[str] = Field(description="Whose promotions it holds; none: all.")
    starts_at: Moment
    ends_at: Moment | None = Field(description="Null: it stands until somebody lifts it.")
    window: Window | None
    declared_by: str = Field(examples=["ben"])
    position: int = Field(ge=1, description="The log position at which it was declared.")
    in_effect: bool
    until: Moment | None = Field(description="Null where it is not in effect, or has no end.")
    next_start: Moment | None = Field(description="When its calendar begins next.")
