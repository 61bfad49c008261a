"""When a window is on: in local time, whatever the clocks do, however long ago it began."""

from datetime import datetime
from typing import Any

import pytest

from controlplane import calendars
from controlplane.calendars import FreezeWindow
from controlplane.errors import InvalidInput
from events.timestamps import Timestamp, parse, to_iso

FRIDAY = "2026-11-27T16:00"
"""A Friday; the rule of most examples begins here."""


def window(
    rrule: str | None = "FREQ=WEEKLY;BYDAY=FR",
    starts: str = FRIDAY,
    duration: str = "63h",
    timezone: str = "Europe/Berlin",
) -> FreezeWindow:
    return calendars.parse({
        "name": "weekend",
        "rrule": rrule,
        "starts": starts,
        "duration": duration,
        "timezone": timezone,
    })  # fmt: skip


def until(frozen: FreezeWindow, at: str) -> str | None:
    return _short(frozen.until(parse(at)))


def next_start(frozen: FreezeWindow, at: str) -> str | None:
    return _short(frozen.next_start(parse(at)))


def _short(moment: Timestamp | None) -> str | None:
    return None if moment is None else to_iso(moment)[:16] + "Z"


# A window


def test_it_is_on_from_its_begin_up_to_its_end() -> None:
    once = window(None)
    assert until(once, "2026-11-27T14:59:59Z") is None
    assert until(once, "2026-11-27T15:00Z") == "2026-11-30T06:00Z"
    assert until(once, "2026-11-30T05:59:59.999999Z") == "2026-11-30T06:00Z"
    assert until(once, "2026-11-30T06:00Z") is None


def test_once_it_begins_once() -> None:
    once = window(None)
    assert next_start(once, "2020-01-01T00:00Z") == "2026-11-27T15:00Z"
    assert next_start(once, "2026-11-27T15:00Z") is None


def test_a_rule_brings_it_back() -> None:
    weekly = window()
    assert until(weekly, "2026-12-05T12:00Z") == "2026-12-07T06:00Z"
    assert until(weekly, "2026-12-08T12:00Z") is None
    assert next_start(weekly, "2026-12-05T12:00Z") == "2026-12-11T15:00Z"


def test_nothing_is_frozen_before_its_first_begin() -> None:
    assert until(window(), "2026-11-21T12:00Z") is None


def test_windows_that_meet_are_one() -> None:
    days = window("FREQ=WEEKLY;BYDAY=FR,SA,SU", "2026-11-27T00:00", "24h")
    assert until(days, "2026-11-27T12:00Z") == "2026-11-29T23:00Z"
    assert next_start(days, "2026-11-27T12:00Z") == "2026-12-03T23:00Z"


def test_windows_that_overlap_are_one() -> None:
    assert until(window("FREQ=DAILY;COUNT=5", duration="30h"), FRIDAY + "Z") == "2026-12-02T21:00Z"


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("COUNT=2", "2026-12-04T15:00Z"),
        ("UNTIL=20261211", "2026-12-11T15:00Z"),
        ("UNTIL=20261210", "2026-12-04T15:00Z"),
        ("UNTIL=20261211T160000", "2026-12-11T15:00Z"),
        ("UNTIL=20261211T155959", "2026-12-04T15:00Z"),
        ("UNTIL=20261211T150000Z", "2026-12-11T15:00Z"),
        ("UNTIL=20261211T145959Z", "2026-12-04T15:00Z"),
    ],
)
def test_a_rule_may_end(end: str, last: str) -> None:
    ending = window(f"FREQ=WEEKLY;BYDAY=FR;{end}")
    assert next_start(ending, to_iso(parse(last) - 1)) == last
    assert next_start(ending, last) is None


# Clocks that change


def test_it_begins_and_ends_at_the_same_time_of_day_on_both_sides_of_a_change() -> None:
    weekly = window(starts="2026-03-20T16:00")
    assert next_start(weekly, "2026-03-26T00:00Z") == "2026-03-27T15:00Z"
    assert next_start(weekly, "2026-04-02T00:00Z") == "2026-04-03T14:00Z"
    assert until(weekly, "2026-03-28T12:00Z") == "2026-03-30T05:00Z", "an hour less, at 07:00"
    assert until(weekly, "2026-10-24T12:00Z") == "2026-10-26T06:00Z", "an hour more, at 07:00"


def test_a_time_that_the_clock_skips_is_the_moment_at_which_it_skips() -> None:
    skipped = "2026-03-29T01:00Z"
    assert next_start(window(None, "2026-03-29T02:30"), "2026-03-29T00:00Z") == skipped
    assert until(window(None, "2026-03-28T02:30", "24h"), "2026-03-29T00:00Z") == skipped


def test_what_falls_whole_into_the_skipped_hour_does_not_take_place() -> None:
    nightly = window("FREQ=DAILY", "2026-03-28T02:15", "30m")
    assert next_start(nightly, "2026-03-28T12:00Z") == "2026-03-30T00:15Z"
    assert until(nightly, "2026-03-29T01:00Z") is None


def test_of_two_times_the_clock_shows_twice_it_begins_at_the_first_and_ends_at_the_second() -> None:
    nightly = window("FREQ=DAILY", "2026-10-20T02:30", "15m")
    assert next_start(nightly, "2026-10-24T12:00Z") == "2026-10-25T00:30Z"
    assert until(nightly, "2026-10-25T01:00Z") == "2026-10-25T01:45Z"


def test_a_day_that_a_zone_skipped_was_never_frozen() -> None:
    samoa = window("FREQ=DAILY", "2011-12-28T09:00", "2h", "Pacific/Apia")
    assert next_start(samoa, "2011-12-29T20:00Z") == "2011-12-30T19:00Z"


# What is refused


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"rrule": "FREQ=SECONDLY"}, "FREQ=SECONDLY is not one of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ({"rrule": "FREQ=MINUTELY"}, "several times a day is FREQ=DAILY with BYHOUR"),
        ({"rrule": "FREQ=HOURLY"}, "FREQ=HOURLY"),
        ({"rrule": "BYDAY=FR"}, "FREQ= is not one of"),
        ({"rrule": "every friday"}, "'EVERY FRIDAY' is no part of a rule"),
        ({"rrule": "FREQ=WEEKLY;"}, "'' is no part"),
        ({"rrule": "FREQ=WEEKLY;FREQ=DAILY"}, "stands twice"),
        ({"rrule": "FREQ=WEEKLY\nEXDATE:20261127"}, "is not one of"),
        ({"rrule": "FREQ=WEEKLY;BYEASTER=1"}, "BYEASTER cannot stand beside FREQ=WEEKLY"),
        ({"rrule": "FREQ=WEEKLY;BYMONTHDAY=1"}, "BYMONTHDAY cannot stand"),
        ({"rrule": "FREQ=MONTHLY;BYMONTHDAY=0"}, "BYMONTHDAY=0 is not from -31 to 31"),
        ({"rrule": "FREQ=DAILY;BYHOUR=24"}, "BYHOUR=24 is not from 0 to 23"),
        ({"rrule": "FREQ=DAILY;BYHOUR=x"}, "BYHOUR=x"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=XX"}, "BYDAY=XX"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=1FR"}, "BYDAY=1FR is no day that FREQ=WEEKLY can have"),
        ({"rrule": "FREQ=MONTHLY;BYDAY=1FR,SA"}, "write two windows"),
        ({"rrule": "FREQ=YEARLY;BYWEEKNO=51"}, "BYWEEKNO needs BYDAY"),
        ({"rrule": "FREQ=WEEKLY;WKST=1"}, "WKST=1 is no day"),
        ({"rrule": "FREQ=WEEKLY;INTERVAL=0"}, "INTERVAL=0 is not from 1 to 366"),
        ({"rrule": "FREQ=WEEKLY;COUNT=-1"}, "COUNT=-1 is not from 1 to 366"),
        ({"rrule": "FREQ=WEEKLY;COUNT=1;UNTIL=20270101"}, "exclude each other"),
        ({"rrule": "FREQ=WEEKLY;UNTIL=tomorrow"}, "UNTIL=TOMORROW is neither"),
        ({"rrule": "FREQ=WEEKLY;UNTIL=20260230"}, "day is out of range"),
        ({"rrule": "FREQ=DAILY;BYHOUR=1,2,3,4;BYMINUTE=0,10,20,30"}, "begins 16 times a day"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "no such day in 40 years"),
        ({"rrule": "FREQ=WEEKLY;UNTIL=20200101"}, "no such day"),
        ({"rrule": "FREQ=DAILY;INTERVAL=7;BYDAY=MO"}, "no such day"),
        ({"rrule": "FREQ=DAILY", "duration": "24h"}, "more than 366 days on end"),
        ({"rrule": None, "duration": "367d"}, "more than 366 days on end"),
        ({"duration": "0s"}, "duration: Input should be greater than 0"),
        ({"duration": "a while"}, "is no duration"),
        ({"timezone": "Middle-earth/Shire"}, "there is no time zone 'Middle-earth/Shire'"),
        ({"timezone": "../etc/passwd"}, "there is no time zone"),
        ({"timezone": "Europe"}, "there is no time zone"),
        ({"starts": "2026-11-27T16:00+01:00"}, "and the time zone beside it"),
        ({"starts": "2026-11-27T16:00:00.5"}, "whole seconds"),
        ({"starts": "on Friday"}, "is no local time"),
        ({"starts": 1_790_000_000}, "is no local time"),
        ({"starts": "1066-10-14T09:00"}, "1066 is not from 1970"),
        ({"name": ""}, "name: "),
        ({"surprise": 1}, "surprise: "),
    ],
)  # fmt: skip
def test_what_is_no_window_is_refused_with_the_reason(wrong: dict[str, Any], told: str) -> None:
    right = {"name": "weekend", "rrule": "FREQ=WEEKLY", "starts": FRIDAY, "duration": "63h"}
    assert calendars.parse(right).timezone == "UTC"
    with pytest.raises(InvalidInput) as refusal:
        calendars.parse(right | wrong)
    assert told in str(refusal.value)


def test_a_window_is_the_same_after_a_round_through_json() -> None:
    for one in (window(), window(None, "2026-12-20")):
        data = one.model_dump(mode="json")
        assert (data["starts"][10:], data["duration"]) in [
            ("T16:00:00", "63h"),
            ("T00:00:00", "63h"),
        ]
        assert calendars.parse(data) == one
        assert FreezeWindow.model_validate_json(one.model_dump_json()) == one


def test_a_date_is_its_first_moment_and_yaml_may_read_it_as_such() -> None:
    midnight = datetime.fromisoformat("2026-12-20")
    for form in ("2026-12-20", midnight.date(), midnight, "2026-12-20T00:00:00"):
        given_so = {"name": "n", "starts": form, "duration": "14d"}
        assert calendars.parse(given_so).starts == midnight
