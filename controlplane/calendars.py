"""When a calendar freezes promotions. Pure: the moment is an argument.

A window is kept in local time. It begins at 16:00 on both sides of a change of the clocks, and
its end is a time of day as well: the begin plus the duration, as a clock on the wall counts.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from controlplane import recurrence
from controlplane.durations import Duration
from controlplane.errors import InvalidInput
from events.timestamps import DAY, SECOND, Timestamp, from_datetime, to_datetime

_LONGEST = 366 * DAY
_YEARS = range(1970, 3000)
_SHIFT = timedelta(days=2)
"""More than any clock was ever moved: across the date line it is a day."""


def _local(value: object) -> datetime:
    """A local time. Raises ValueError for one with an offset, or with fractions of a second."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"{value!r} is no local time; write 2026-11-27T16:00") from error
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001  why: local
    if not isinstance(moment, datetime) or moment.tzinfo is not None or moment.microsecond:
        raise ValueError(
            f"{value!s} is no local time in whole seconds; write 2026-11-27T16:00, "
            "and the time zone beside it"
        )
    if moment.year not in _YEARS:
        raise ValueError(f"{moment.year} is not from {_YEARS[0]} to {_YEARS[-1]}")
    return moment


LocalTime = Annotated[
    datetime,
    BeforeValidator(_local),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-11-27T16:00:00"]}),
]
"""What a clock on the wall shows: no offset."""


class FreezeWindow(BaseModel):
    """A time in which nothing is promoted, once or again and again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    rrule: str | None = Field(default=None, min_length=1, max_length=500)
    """When it comes back, after RFC 5545: `FREQ=WEEKLY;BYDAY=FR`. None: it does not."""
    starts: LocalTime
    """When it first begins; the rule counts from here."""
    duration: Duration = Field(gt=0)
    """How long, at most 366 days, also where windows meet."""
    timezone: str = Field(default="UTC", min_length=1, max_length=100)
    """Whose clock on the wall is meant: an IANA name, as in Europe/Berlin."""

    @model_validator(mode="after")
    def _can_be_followed(self) -> "FreezeWindow":
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(
                f"there is no time zone {self.timezone!r}; write an IANA name such as Europe/Berlin"
            ) from error
        try:
            begins = self._begins_since(self.starts)
            first = next(begins, None)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"rrule {self.rrule}: {error}") from error
        if first is None:
            raise ValueError(
                f"rrule {self.rrule}: there is no such day in {recurrence.SPARSEST} years"
            )
        end, longest = first + self._length, timedelta(microseconds=_LONGEST)
        while end - first <= longest:
            following = next(begins, None)
            if following is None or following > end:
                return self
            end = following + self._length
        raise ValueError(
            "it freezes for more than 366 days on end; declare a freeze until lifted instead"
        )

    def until(self, now: Timestamp) -> Timestamp | None:
        """When the freeze that is on at a moment ends; None where none is on.

        Occurrences that meet or overlap are one. A begin that the clock shows twice is the first
        time, an end the second: a freeze is never shorter than it says. What the clock skips is
        the moment at which it skips.
        """
        for begin, end in self._spans(now):
            if begin > now:
                return None
            if end > now:
                return end
        return None

    def next_start(self, now: Timestamp) -> Timestamp | None:
        """When the next freeze begins, after the one that may be on; None in 40 years."""
        return next((begin for begin, _ in self._spans(now) if begin > now), None)

    @property
    def _length(self) -> timedelta:
        return timedelta(microseconds=self.duration)

    def _begins_since(self, moment: datetime) -> Iterator[datetime]:
        if self.rrule is None:
            return iter([self.starts] if self.starts >= moment else [])
        return recurrence.read(self.rrule, self.starts, self.timezone).since(moment)

    def _spans(self, now: Timestamp) -> Iterator[tuple[Timestamp, Timestamp]]:
        """What is frozen from `now` on, and perhaps some of what was before, in order."""
        zone = ZoneInfo(self.timezone)
        local = to_datetime(now).astimezone(zone).replace(tzinfo=None)
        span: tuple[Timestamp, Timestamp] | None = None
        for wall in self._begins_since(local - self._length - _SHIFT):
            begin = _shown(wall, zone, fold=0)
            end = _shown(wall + self._length, zone, fold=1)
            if begin >= end:  # All of it falls into an hour that the clock skips.
                continue
            if span is not None and begin > span[1]:
                yield span
                span = None
            span = (span[0] if span else begin, end)
        if span is not None:
            yield span


def parse(data: object) -> FreezeWindow:
    """Check a window. Raises InvalidInput that names each wrong field."""
    try:
        return FreezeWindow.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            ": ".join([*map(str, one["loc"]), one["msg"].removeprefix("Value error, ")])
            for one in error.errors()
        )
        raise InvalidInput(reason=f"the freeze window is not valid: {problems}") from error


def _shown(wall: datetime, zone: ZoneInfo, *, fold: int) -> Timestamp:
    """When the clock on the wall shows a time, for the first (fold 0) or last (fold 1) time."""
    moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return from_datetime(moment)
    # The clock skips it. Read with the offset after the change it lies before the change (PEP 495).
    before = from_datetime(wall.replace(tzinfo=zone, fold=1)) // SECOND
    after = from_datetime(wall.replace(tzinfo=zone, fold=0)) // SECOND
    seconds = range(before, after + 1)
    old = _offset(before, zone)
    changed = bisect_left(seconds, True, key=lambda second: _offset(second, zone) != old)  # noqa: FBT003  why: the key's
    return seconds[changed] * SECOND


def _offset(second: int, zone: ZoneInfo) -> timedelta | None:
    return to_datetime(second * SECOND).astimezone(zone).utcoffset()
