"""What is taken for a moment: it has a place in the log, or is refused in a line."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane import ControlPlane
from controlplane.errors import FlagNotFound, FlagNotThere, InvalidInput
from events.timestamps import HOUR, from_datetime, to_datetime, to_iso
from tests.journeys.traffic import ENGINEER, FLAG, Clock


@pytest.fixture
def past(remembered: ControlPlane, clock: Clock) -> ControlPlane:
    """A flag, and an hour later its exposure."""
    clock.advance(HOUR)
    remembered.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    return remembered


ODD_MOMENTS: list[Any] = [
    *("", " ", "0", "-1", "1e3", "now", "2026-11-24", "2026-11-24T11:53", "2026-11-24T24:00Z"),
    *("0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "2026-11-24T11:53+25:00", "\x00"),
    *(None, 1.5, float("nan"), b"3", [1], date(2026, 11, 24), 2**63, -(2**63), 10**400, False),
]


@pytest.mark.parametrize("at", ODD_MOMENTS, ids=ascii)
def test_what_is_no_moment_is_refused_wherever_one_is_asked_for(
    past: ControlPlane, at: Any
) -> None:
    head = past.head()
    for ask in (
        lambda: past.as_of(at, known="now"),
        lambda: past.diff(at, 1),
        lambda: past.diff(1, at),
        lambda: past.flags.revert(FLAG, at, actor=ENGINEER, reason="x"),
        lambda: past.replay(since=at, until=at) if at is not None else past.as_of(at),
    ):
        with pytest.raises(InvalidInput):
            ask()
    assert past.head() == head


@given(moment=st.datetimes(timezones=st.timezones(), allow_imaginary=True))
def test_any_moment_of_any_zone_has_a_place_or_is_refused(moment: datetime) -> None:
    plane = ControlPlane("memory://")
    plane.flags.create(FLAG, owner="x", actor=ENGINEER)
    recorded = to_datetime(plane.log.read()[0].recorded_at)
    for form in (moment, moment.isoformat()):
        try:
            position = plane.as_of(form).position
        except InvalidInput:
            continue
        assert position == (recorded <= moment)


def test_the_hour_that_comes_twice_is_two_hours(plane: ControlPlane, clock: Clock) -> None:
    zone = ZoneInfo("Europe/Berlin")
    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    for moment in (first, second):
        clock.now = from_datetime(moment)
        plane.flags.create(f"flag-{moment.fold}", owner="x", actor=ENGINEER)
    assert [plane.as_of(moment).position for moment in (first, second)] == [1, 2]
    assert [plane.as_of(moment.isoformat()).position for moment in (first, second)] == [1, 2]


def test_what_was_recorded_before_the_clock_was_put_back_is_not_still_to_come(
    past: ControlPlane, clock: Clock
) -> None:
    last = clock.now
    clock.now -= HOUR
    assert past.as_of(to_iso(last)).position == past.head().position
    with pytest.raises(InvalidInput, match="still to come"):
        past.as_of(to_iso(last + 1))


def test_a_flag_that_was_not_there_yet_is_not_told_to_be_made(past: ControlPlane) -> None:
    told = f"There was no flag {FLAG} as of log position 0"
    with pytest.raises(FlagNotThere, match=told):
        past.as_of(0).flags.get(FLAG)
    with pytest.raises(FlagNotThere, match=told):
        past.flags.revert(FLAG, 0, actor=ENGINEER, reason="x")
    with pytest.raises(FlagNotFound, match="Create it, or see"):
        past.flags.revert("nonsense", 0, actor=ENGINEER, reason="x")
