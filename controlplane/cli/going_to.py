"""Where whoever watches a replay wants to go, as it is typed."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from controlplane.errors import InvalidInput
from events.timestamps import HOUR, MINUTE, SECOND, Timestamp, parse, to_iso

_SHOWN = re.compile(
    r"([+-])(?:(?:(\d{1,6}):)?(\d{1,6}):)?(\d{1,6})(?:\.(\d{1,6}))?", re.ASCII
)  # fmt: skip
_LONGEST = 40


class Place(Protocol):
    """An event, as far as finding it needs it."""

    @property
    def position(self) -> int:
        """Its log position."""

    @property
    def at(self) -> Timestamp:
        """When it was recorded."""


class Prompt:
    """What has been typed so far, and what is wrong with it."""

    def __init__(self) -> None:
        self.text = ""
        self.trouble = ""

    def press(self, key: str) -> None:
        """A character more, or one less."""
        self.trouble = ""
        typed = " " if key == "space" else key
        if key == "backspace":
            self.text = self.text[:-1]
        elif len(typed) == 1 and typed.isprintable():
            self.text = (self.text + typed)[:_LONGEST]


def number_of(text: str, stops: Sequence[Place], zero: Timestamp) -> int:
    """Which stop is meant: the last one at or before it. Raises InvalidInput."""
    text = text.strip()
    first, last = stops[0], stops[-1]
    if text.isascii() and text.isdecimal():
        position = int(text)
        if not first.position <= position <= last.position:
            raise InvalidInput(reason=f"there are positions {first.position} to {last.position}")
        return bisect_right(stops, position, key=lambda stop: stop.position) - 1
    when = _moment(text, zero)
    # Times are shown by the second: the first one shown lies a little before the first event.
    if not first.at // SECOND <= when // SECOND <= last.at // SECOND:
        raise InvalidInput(reason=f"it goes from {_shown(first.at)} to {_shown(last.at)}")
    return max(0, bisect_right(stops, when, key=lambda stop: stop.at) - 1)


def _moment(text: str, zero: Timestamp) -> Timestamp:
    found = _SHOWN.fullmatch(text)
    if found is not None:
        sign, hours, minutes, seconds, fraction = found.groups(default="0")
        away = int(hours) * HOUR + int(minutes) * MINUTE + int(seconds) * SECOND
        away += int(fraction.ljust(6, "0"))
        return zero - away if sign == "-" else zero + away
    try:
        return parse(text)
    except ValueError as error:
        reason = "type a log position, a moment (2026-11-20T14:05Z), or a time (+0:01:30)"
        raise InvalidInput(reason=reason) from error


def _shown(at: Timestamp) -> str:
    return f"{to_iso(at)[:19]}Z"
