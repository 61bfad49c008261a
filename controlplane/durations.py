"""Durations as people write them: `90s`, `15m`, `24h`, `14d`."""

import re
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from events.timestamps import DAY, HOUR, MILLISECOND, MINUTE, SECOND

_UNITS = {"us": 1, "ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_LONGEST = 36_500 * DAY
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)")


def parse_duration(text: object) -> int:
    """Microseconds. Raises ValueError for anything but a number and a unit."""
    found = _FORM.fullmatch(str(text).strip())
    if found is None:
        raise ValueError(f"{text!r} is no duration; write 90s, 15m, 24h or 14d")
    duration_us = round(Fraction(found[1]) * _UNITS[found[2]])
    if duration_us > _LONGEST:
        raise ValueError(f"{text!r} is longer than {_LONGEST // DAY} days")
    return duration_us


def format_duration(duration_us: int) -> str:
    """The shortest exact form: `24h`, not `86400s`, and `1d` only above 48 hours."""
    for unit, size in reversed(_UNITS.items()):
        if duration_us % size == 0 and (unit != "d" or duration_us > 2 * DAY):
            return f"{duration_us // size}{unit}"
    return f"{duration_us}us"


def rough_duration(duration_us: int) -> str:
    """For people: two or three digits, as in `2.9s`, `47h`, `13d`."""
    for unit, size in reversed(_UNITS.items()):
        if duration_us >= size * (3 if unit in ("d", "h") else 1):
            number = duration_us / size
            return f"{number:.3g}{unit}" if number < 999.5 else f"{number:.0f}{unit}"  # noqa: PLR2004  why: .3g writes 1e+03
    return f"{duration_us}us"


def by_the_second(duration_us: int) -> str:
    """For people who time themselves: `16s`, `2m 44s`, `1h 02m 03s`."""
    seconds = duration_us // SECOND
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}h {minutes:02}m {seconds % 60:02}s"
    return f"{minutes}m {seconds % 60:02}s" if minutes else f"{seconds}s"


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": rf"^{_FORM.pattern}$", "examples": ["90s", "24h", "14d"]}
    ),
]
"""Microseconds inside; `24h` in files, events and JSON."""
