from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.durations import by_the_second, format_duration, parse_duration, rough_duration
from events.timestamps import DAY, HOUR, MILLISECOND, MINUTE, SECOND


@pytest.mark.parametrize(
    ("text", "duration_us"),
    [
        ("0s", 0),
        ("7us", 7),
        ("500ms", 500 * MILLISECOND),
        ("90s", 90 * SECOND),
        ("15m", 15 * MINUTE),
        ("24h", 24 * HOUR),
        ("14d", 14 * DAY),
        ("1.5h", 90 * MINUTE),
        (" 2 h ", 2 * HOUR),
        ("36500d", 36_500 * DAY),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, duration_us: int) -> None:
    assert parse_duration(text) == duration_us


@pytest.mark.parametrize(
    "text", ["", "h", "5", 5, "5 weeks", "-5s", "1e3s", "5S", "1h30m", "nan s", None, True, "1.s"]
)
def test_anything_else_is_refused_with_examples(text: Any) -> None:
    with pytest.raises(ValueError, match="is no duration; write 90s, 15m, 24h or 14d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["36501d", "9" * 400 + "d"])
def test_more_than_a_hundred_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than 36500 days"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration_us", "text"),
    [
        (0, "0h"),
        (1, "1us"),
        (1500, "1500us"),
        (500 * MILLISECOND, "500ms"),
        (90 * SECOND, "90s"),
        (HOUR, "1h"),
        (48 * HOUR, "48h"),
        (72 * HOUR, "3d"),
        (14 * DAY, "14d"),
    ],
)
def test_it_is_written_in_its_largest_whole_unit_and_hours_up_to_two_days(
    duration_us: int, text: str
) -> None:
    assert format_duration(duration_us) == text


@pytest.mark.parametrize(
    ("duration_us", "text"),
    [
        (0, "0us"),
        (999_900, "1000ms"),
        (2_900 * MILLISECOND, "2.9s"),
        (119 * MINUTE, "119m"),
        (47 * HOUR, "47h"),
        (13 * DAY + HOUR, "13d"),
        (1000 * DAY, "1000d"),
    ],
)
def test_roughly_it_has_three_digits_and_no_exponent(duration_us: int, text: str) -> None:
    assert rough_duration(duration_us) == text


@given(st.integers(0, 36_500 * DAY))
def test_what_is_written_reads_the_same(duration_us: int) -> None:
    assert parse_duration(format_duration(duration_us)) == duration_us


@given(st.integers(0, 36_500).map(lambda days: days * DAY))
def test_whole_days_read_the_same(duration_us: int) -> None:
    assert parse_duration(format_duration(duration_us)) == duration_us


@pytest.mark.parametrize(
    ("duration_us", "text"),
    [
        (0, "0s"),
        (16_900_000, "16s"),
        (164_000_000, "2m 44s"),
        (3_603_000_000, "1h 00m 03s"),
        (25 * 3_600_000_000, "25h 00m 00s"),
    ],
)
def test_who_times_himself_is_told_to_the_second(duration_us: int, text: str) -> None:
    assert by_the_second(duration_us) == text
