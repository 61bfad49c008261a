"""The laws of calendars: they agree with dateutil, asked for the whole rule, in any time zone."""

from datetime import datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, reject
from hypothesis import strategies as st

from controlplane import calendars
from controlplane.calendars import FreezeWindow
from controlplane.errors import InvalidInput
from events.timestamps import DAY, MINUTE, SECOND, Timestamp, from_datetime, parse, to_datetime


def window(rrule: str, starts: str, duration: str, timezone: str = "UTC") -> FreezeWindow:
    return calendars.parse({
        "name": "weekend",
        "rrule": rrule,
        "starts": starts,
        "duration": duration,
        "timezone": timezone,
    })  # fmt: skip


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
days = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1).map(
    ",".join
)
month_days = st.integers(1, 31) | st.integers(-31, -1)
rules = st.builds(
    "{};INTERVAL={}{}".format,
    st.one_of(
        st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY"]),
        st.builds("FREQ=DAILY;BYHOUR={},{}".format, st.integers(0, 23), st.integers(0, 23)),
        st.builds("FREQ=DAILY;BYMONTH={};BYDAY={}".format, st.integers(1, 12), days),
        st.builds("FREQ=WEEKLY;BYDAY={};WKST={}".format, days, st.sampled_from(["MO", "SU", "TH"])),
        st.builds("FREQ=MONTHLY;BYMONTHDAY={}".format, month_days),
        st.builds("FREQ=MONTHLY;BYDAY={}FR".format, st.integers(1, 5) | st.integers(-5, -1)),
        st.builds("FREQ=MONTHLY;BYDAY={};BYSETPOS={}".format, days, st.sampled_from([1, 2, -1])),
        st.builds("FREQ=YEARLY;BYMONTH={};BYMONTHDAY={}".format, st.integers(1, 12), month_days),
        st.builds("FREQ=YEARLY;BYWEEKNO={};BYDAY={}".format, st.integers(1, 53), days),
        st.builds("FREQ=YEARLY;BYYEARDAY={}".format, st.integers(-366, -1) | st.integers(1, 366)),
    ),
    st.integers(1, 5),
    st.just("")
    | st.builds(";COUNT={}".format, st.integers(1, 99))
    | st.just(";UNTIL=20270329T023000"),
)
starts = st.datetimes(datetime(2016, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001  why: local times have no zone
    lambda moment: moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
)
durations = st.sampled_from(["15m", "1h", "5h", "24h", "63h", "10d"])
moments = st.integers(parse("2025-12-01T00:00Z"), parse("2028-01-01T00:00Z"))
edges = st.sampled_from(["2026-03-29T01:00Z", "2026-10-25T00:30Z", "2026-04-04T15:00Z"]).map(parse)


def shown(wall: datetime, zone: ZoneInfo, *, last: bool) -> Timestamp:
    """When a clock on the wall shows a time, looked up minute by minute where it changes."""
    simple = from_datetime(wall.replace(tzinfo=zone))
    if from_datetime(wall.replace(tzinfo=zone, fold=1)) == simple:
        return simple
    minutes = range(simple - 4 * 60 * MINUTE, simple + 4 * 60 * MINUTE, MINUTE)
    told = {at: to_datetime(at).astimezone(zone).replace(tzinfo=None) for at in minutes}
    exact = [at for at in minutes if told[at] == wall]
    return exact[-1 if last else 0] if exact else min(at for at in minutes if told[at] > wall)


def spans(frozen: FreezeWindow, now: Timestamp) -> list[list[Timestamp]]:
    """What is frozen from a month before to two years after, as dateutil expands the whole rule."""
    zone, length = ZoneInfo(frozen.timezone), timedelta(microseconds=frozen.duration)
    wall = to_datetime(now).replace(tzinfo=None)
    merged: list[list[Timestamp]] = []
    whole = rrulestr(frozen.rrule or "", dtstart=frozen.starts)
    for begin in whole.between(wall - timedelta(days=30), wall + timedelta(days=730), inc=True):
        first, last = shown(begin, zone, last=False), shown(begin + length, zone, last=True)
        if merged and first <= merged[-1][1]:
            merged[-1][1] = last
        elif first < last:
            merged.append([first, last])
    return merged


@given(rules, starts, durations, st.sampled_from(ZONES), moments | edges)
def test_it_agrees_with_the_whole_rule_expanded(
    rrule: str, starts: datetime, duration: str, zone: str, now: Timestamp
) -> None:
    try:
        frozen = window(rrule, starts.isoformat(), duration, zone)
    except InvalidInput:
        reject()
    expanded = spans(frozen, now)
    assert frozen.until(now) == next((end for begin, end in expanded if begin <= now < end), None)
    following = next((begin for begin, _ in expanded if begin > now), None)
    found = frozen.next_start(now)
    assert found == following or (
        following is None and found is not None and found > now + 700 * DAY
    )


@given(st.sampled_from(ZONES), moments)
def test_a_freeze_ends_later_than_it_is_asked_for_and_not_a_moment_earlier(
    zone: str, now: Timestamp
) -> None:
    weekly = window("FREQ=WEEKLY;BYDAY=FR", "2020-01-03T16:00", "63h", zone)
    begin = weekly.next_start(now)
    assert begin is not None
    assert begin > now
    local = to_datetime(begin).astimezone(ZoneInfo(zone))
    assert (local.weekday(), local.hour, local.minute) == (4, 16, 0)
    end = weekly.until(begin)
    assert end is not None
    assert weekly.until(end - 1) == end
    assert weekly.until(end) is None


@pytest.mark.parametrize("rrule", ["FREQ=WEEKLY;BYDAY=FR,SA,SU", "FREQ=DAILY;BYHOUR=1,5,9"])
def test_a_rule_that_began_long_ago_is_answered_at_once(rrule: str) -> None:
    old = window(rrule, "1970-01-01T00:00", "2h")
    took = []
    for day in range(10):
        began = perf_counter()
        old.until(parse("2026-11-27T12:00Z") + day * DAY + SECOND)
        took.append(perf_counter() - began)
    assert min(took) < 0.005
