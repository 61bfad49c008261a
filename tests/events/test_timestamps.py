"""Moments are whole microseconds; text is how people meet them."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.timestamps import (
    DAY,
    HOUR,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    NEWEST,
    OLDEST,
    SECOND,
    from_datetime,
    parse,
    to_datetime,
    to_iso,
)

moments = st.integers(OLDEST, NEWEST)


@given(moments)
def test_a_moment_survives_the_way_through_datetime_and_text(moment: int) -> None:
    assert from_datetime(to_datetime(moment)) == parse(to_iso(moment)) == moment


@given(moments, moments)
def test_text_sorts_as_time_does(one: int, other: int) -> None:
    assert (to_iso(one) < to_iso(other)) == (one < other)


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.timezones()))  # noqa: DTZ001  why: bounds have none
def test_the_zone_does_not_change_the_moment(moment: datetime) -> None:
    assert from_datetime(moment) == from_datetime(moment.astimezone(UTC))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", MICROSECOND),
        ("1970-01-01T00:00:00.001+00:00", MILLISECOND),
        ("1970-01-02T01:01:01+01:00", DAY + MINUTE + SECOND),
        (" 1970-01-01T05:30+05:30\n", 0),
        ("1969-12-31T23:00:00Z", -HOUR),
        ("2026-11-20T14:05Z", 1_795_183_500 * SECOND),
    ],
)
def test_text_with_a_zone_is_a_moment(text: str, moment: int) -> None:
    assert parse(text) == moment


@pytest.mark.parametrize(
    "text", ["", "now", "14:05Z", "2026-11-20", "2026-11-20T14:05", "2026-02-30T00:00Z", "1790000"]
)
def test_text_without_a_zone_or_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


def test_a_datetime_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone; write it with Z or an offset"):
        from_datetime(datetime(2026, 11, 20))  # noqa: DTZ001  why: what is to be refused


class Nowhere(tzinfo):
    """A zone that does not know how far it is from UTC."""

    def utcoffset(self, _: datetime | None) -> None:
        return None


def test_a_zone_that_does_not_know_its_offset_is_none() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        from_datetime(datetime(2026, 11, 20, tzinfo=Nowhere()))


@pytest.mark.parametrize("text", ["0001-01-01T00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_what_has_no_text_in_utc_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="not within the years 1 to 9999"):
        parse(text)


def test_the_first_and_the_last_moment_have_a_text() -> None:
    assert to_iso(OLDEST) == "0001-01-01T00:00:00.000000Z"
    assert to_iso(NEWEST) == "9999-12-31T23:59:59.999999Z"


def test_half_an_hour_east_is_half_an_hour_earlier() -> None:
    east = datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=30)))
    assert from_datetime(east) == from_datetime(datetime(2026, 1, 1, tzinfo=UTC)) - 30 * MINUTE
