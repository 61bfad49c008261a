"""Recurrence rules of RFC 5545 in local time: the days and hours, without clocks that change."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import MAXYEAR, datetime
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

SPARSEST = 40
"""Years. The fifth Monday of a February comes back after 40 at most."""
_DENSEST = 12
"""Occurrences a day."""
_MOST = 366
"""The largest INTERVAL and COUNT."""
_ONCE = 10_000
"""Years. With such an interval a rule goes through one period, and the calendar ends."""

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAYS = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY")
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_PLAIN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYDAY", *_TIMES}
_PARTS = {
    "DAILY": {*_PLAIN, "BYMONTHDAY"},
    "WEEKLY": _PLAIN,
    "MONTHLY": {*_PLAIN, "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": {*_PLAIN, "BYMONTHDAY", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"},
}
"""What may stand beside a frequency, after the table in RFC 5545 section 3.3.10."""
_RANGES = {
    "BYMONTH": (1, 12), "BYMONTHDAY": (-31, 31), "BYYEARDAY": (-366, 366), "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366), "BYHOUR": (0, 23), "BYMINUTE": (0, 59), "BYSECOND": (0, 59),
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}")
_DAY = re.compile(rf"([+-]?[1-9][0-9]?)?({'|'.join(_WEEKDAYS)})")
_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")


@dataclass(frozen=True)
class Rule:
    """A rule, with all that it takes from its first moment written out."""

    starts: datetime
    freq: str
    interval: int
    week_begins: int
    """0 is Monday."""
    by: str
    """What chooses days and times, as in `BYDAY=FR;BYHOUR=16;BYMINUTE=0;BYSECOND=0`."""
    last: datetime | None = None
    """Nothing begins later."""

    def since(self, moment: datetime) -> Iterator[datetime]:
        """What begins at a local moment or later, in order, until 40 years pass without."""
        first = max(moment, self.starts)
        year = latest = first.year
        while year <= min(latest + SPARSEST, MAXYEAR - 2):
            for begin in self._in(year):
                if self.last is not None and begin > self.last:
                    return
                if begin >= first:
                    latest = year
                    yield begin
            year += 1

    def _in(self, year: int) -> Iterator[datetime]:
        """What begins in one calendar year.

        Followed from its start, a rule takes longer every year, and one that never occurs takes
        for ever. A period at a time, it takes as long as the period.
        """
        match self.freq:
            case "YEARLY":
                if (year - self.starts.year) % self.interval == 0:
                    yield from self._period("YEARLY", year)
            case "MONTHLY":
                passed = (year - self.starts.year) * 12 - self.starts.month
                for month in range(1, 13):
                    if (passed + month) % self.interval == 0:
                        yield from self._period("MONTHLY", year, month)
            case _:
                yield from filter(self._is_due, self._period("YEARLY", year))

    def _period(self, freq: str, year: int, month: int = 1) -> Iterator[datetime]:
        once = _ONCE if freq == "YEARLY" else 12 * _ONCE
        text = f"FREQ={freq};INTERVAL={once};WKST={_WEEKDAYS[self.week_begins]};{self.by}"
        return iter(rrulestr(text, dtstart=datetime(year, month, 1)))  # noqa: DTZ001  why: local

    def _is_due(self, begin: datetime) -> bool:
        """Whether the interval comes round to this day, or its week."""
        days = begin.toordinal() - self.starts.toordinal()
        if self.freq == "DAILY":
            return days % self.interval == 0
        weeks = (days + (self.starts.weekday() - self.week_begins) % 7) // 7
        return weeks % self.interval == 0


@lru_cache(maxsize=256)
def read(text: str, starts: datetime, timezone: str) -> Rule:
    """Read a rule that counts from a local moment. Raises ValueError.

    A day in UNTIL is meant whole; what ends in Z is UTC, and anything else is local.
    """
    parts = _parts(text)
    freq = parts["FREQ"]
    chosen = _chosen(parts, starts)
    times = 1
    for name in _TIMES:
        times *= len(set(chosen[name].split(",")))
    if times > _DENSEST:
        raise ValueError(f"it begins {times} times a day; {_DENSEST} at most")
    rule = Rule(
        starts=starts,
        freq=freq,
        interval=_whole(parts, "INTERVAL"),
        week_begins=_WEEKDAYS.index(parts.get("WKST", "MO")),
        by=";".join(f"{name}={value}" for name, value in chosen.items()),
        last=_until(parts["UNTIL"], ZoneInfo(timezone)) if "UNTIL" in parts else None,
    )
    if "COUNT" in parts:
        last = next(islice(rule.since(starts), _whole(parts, "COUNT") - 1, None), None)
        return replace(rule, last=last)
    return rule


def _parts(text: str) -> dict[str, str]:
    """The parts by name, none of which dateutil would take for something else."""
    parts: dict[str, str] = {}
    for pair in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, _, value = pair.partition("=")
        if not value or name in parts:
            raise ValueError(f"{pair!r} is no part of a rule, or stands twice")
        parts[name] = value
    freq = parts.get("FREQ", "")
    if freq not in _PARTS:
        raise ValueError(
            f"FREQ={freq} is not one of {', '.join(_PARTS)}; "
            "several times a day is FREQ=DAILY with BYHOUR"
        )
    for name in parts:
        if name not in _PARTS[freq]:
            raise ValueError(f"{name} cannot stand beside FREQ={freq}")
    _check_numbers(parts)
    _check_days(parts, freq)
    if parts.get("WKST", "MO") not in _WEEKDAYS:
        raise ValueError(f"WKST={parts['WKST']} is no day")
    if {"COUNT", "UNTIL"} <= parts.keys():
        raise ValueError("COUNT and UNTIL exclude each other")
    return parts


def _check_numbers(parts: Mapping[str, str]) -> None:
    for name, (least, most) in _RANGES.items():
        for one in parts[name].split(",") if name in parts else ():
            number = int(one) if _NUMBER.fullmatch(one) else None
            # A zero among days that may be counted from the end is no day: dateutil drops it.
            if number is None or not least <= number <= most or (least < 0 and not number):
                raise ValueError(f"{name}={one} is not from {least} to {most}")


def _check_days(parts: Mapping[str, str], freq: str) -> None:
    if "BYDAY" not in parts:
        if "BYWEEKNO" in parts:  # dateutil takes the whole week, RFC 5545 the day of the start.
            raise ValueError("BYWEEKNO needs BYDAY: say which days of the week")
        return
    days = {one: _DAY.fullmatch(one) for one in parts["BYDAY"].split(",")}
    for one, found in days.items():
        if found is None or (found[1] and freq in {"DAILY", "WEEKLY"}):
            raise ValueError(f"BYDAY={one} is no day that FREQ={freq} can have")
    if len({bool(found and found[1]) for found in days.values()}) > 1:  # dateutil finds none.
        raise ValueError("BYDAY has days with a number and without; write two windows")


def _chosen(parts: Mapping[str, str], starts: datetime) -> dict[str, str]:
    """What chooses days and times; what is not said is as in the first moment."""
    chosen = {name: value for name, value in parts.items() if name.startswith("BY")}
    if not any(name in chosen for name in _DAYS):
        match parts["FREQ"]:
            case "DAILY":
                chosen["BYDAY"] = ",".join(_WEEKDAYS)
            case "WEEKLY":
                chosen["BYDAY"] = _WEEKDAYS[starts.weekday()]
            case "MONTHLY":
                chosen["BYMONTHDAY"] = str(starts.day)
            case _:
                chosen["BYMONTHDAY"] = str(starts.day)
                chosen.setdefault("BYMONTH", str(starts.month))
    clock = (starts.hour, starts.minute, starts.second)
    return {name: str(one) for name, one in zip(_TIMES, clock, strict=True)} | chosen


def _whole(parts: Mapping[str, str], name: str) -> int:
    text = parts.get(name, "1")
    number = int(text) if _NUMBER.fullmatch(text) else 0
    if not 1 <= number <= _MOST:
        raise ValueError(f"{name}={text} is not from 1 to {_MOST}")
    return number


def _until(text: str, zone: ZoneInfo) -> datetime:
    if not _UNTIL.fullmatch(text):
        raise ValueError(f"UNTIL={text} is neither 20261231 nor 20261231T235959Z")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        return moment.astimezone(zone).replace(tzinfo=None)
    if "T" not in text:
        return moment.replace(hour=23, minute=59, second=59)
    return moment
