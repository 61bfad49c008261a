from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from controlplane import freezes
from controlplane.calendars import FreezeWindow, parse
from controlplane.errors import FreezeNotFound, InvalidInput
from controlplane.freezes import UNTIL_LIFTED, DeclareFreeze, LiftFreeze, frozen_by, in_effect
from events.freezes import FREEZE_STREAM, FreezeDeclared, FreezeLifted, Window
from events.timestamps import DAY, HOUR, SECOND, Timestamp, to_iso
from projections.freezes import FREEZES, Freezes
from tests.controlplane.decider import Decider
from tests.projections.recording import START, Told, told

given = Decider(FREEZES, FREEZE_STREAM, freezes.decide).given

WEEKEND = parse({
    "name": "weekend",
    "rrule": "FREQ=WEEKLY;BYDAY=FR",
    "starts": "2026-11-27T16:00",
    "duration": "63h",
    "timezone": "Europe/Berlin",
})  # fmt: skip
THE_FIRST = parse({"name": "new year", "starts": "2027-01-01", "duration": "2d"})
"""START is a Friday, 15 January 2027, 08:00 UTC."""
FRIDAY_EVENING = START + 8 * HOUR
KEPT = Window(
    rrule="FREQ=WEEKLY;BYDAY=FR",
    starts="2026-11-27T16:00:00",
    duration_us=63 * HOUR,
    timezone="Europe/Berlin",
)


def declared(number: int = 1, **facts: Any) -> FreezeDeclared:
    usual = {"name": "", "reason": "INC-7", "flags": (), "ends_at": None, "window": None}
    given_so: dict[str, Any] = {"freeze": f"freeze-{number}", "starts_at": START} | usual | facts
    return FreezeDeclared(**given_so)


def standing(*history: Told) -> Freezes:
    return FREEZES.fold(FREEZE_STREAM, told(*history))


lifted = FreezeLifted(freeze="freeze-1", reason="over")

# Declaring and lifting


def test_the_line_is_stopped_until_somebody_lifts_it() -> None:
    given().when(DeclareFreeze(reason="INC-7")).then(declared())


def test_it_may_end_by_itself_and_hold_some_flags_only() -> None:
    command = DeclareFreeze(reason="INC-7", ends_at=START + HOUR, flags=("b", "a", "b"))
    given().when(command).then(declared(ends_at=START + HOUR, flags=("a", "b")))


def test_it_may_follow_a_calendar_under_its_name() -> None:
    command = DeclareFreeze(reason="INC-7", window=WEEKEND)
    given().when(command).then(declared(name="weekend", window=KEPT))
    command = DeclareFreeze(reason="INC-7", window=WEEKEND, name="quiet")
    given().when(command).then(declared(name="quiet", window=KEPT))


def test_numbers_go_on_after_one_was_lifted() -> None:
    given(declared(), lifted).when(DeclareFreeze(reason="INC-7")).then(declared(2))


@pytest.mark.parametrize("reason", ["", " ", "\t\n"])
def test_who_stops_the_line_and_who_lets_it_go_on_says_why(reason: str) -> None:
    for command in (DeclareFreeze(reason=reason), LiftFreeze(freeze="freeze-1", reason=reason)):
        given(declared()).when(command).then_it_is_refused(InvalidInput, "say why")


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"ends_at": START}, "2027-01-15T08:00Z is past"),
        ({"ends_at": START - HOUR}, "a freeze ends after it begins"),
        ({"ends_at": START + HOUR, "window": WEEKEND}, "not both"),
        ({"window": THE_FIRST}, "window new year is past"),
    ],
)
def test_a_freeze_that_could_not_be_is_refused(facts: dict[str, Any], told: str) -> None:
    command = DeclareFreeze(reason="INC-7", **facts)
    given().when(command).then_it_is_refused(InvalidInput, told)


def test_it_is_lifted_once() -> None:
    lift = LiftFreeze(freeze="freeze-1", reason="over")
    given(declared()).when(lift).then(lifted)
    for history in ([], [declared(), lifted], [declared(2)]):
        given(*history).when(lift).then_it_is_refused(FreezeNotFound, "freeze-1 that stands")


def test_one_whose_end_has_passed_may_still_be_lifted() -> None:
    lift = LiftFreeze(freeze="freeze-1", reason="over")
    given(declared(ends_at=START + HOUR)).when(lift, after=DAY).then(lifted)


# In effect


def test_it_is_in_effect_up_to_its_end() -> None:
    frozen = standing(declared(ends_at=START + HOUR))
    assert in_effect(frozen, "checkout", START + HOUR - 1) == frozen.standing[0]
    assert in_effect(frozen, "checkout", START + HOUR) is None
    assert in_effect(standing(declared()), "checkout", START + 9999 * DAY) is not None


def test_it_is_in_effect_even_where_the_clock_lags_behind_whoever_declared_it() -> None:
    assert in_effect(standing(declared()), "checkout", START - SECOND) is not None


def test_a_calendar_is_in_effect_in_its_windows() -> None:
    frozen = standing(declared(window=KEPT))
    assert in_effect(frozen, "checkout", START) is None
    assert in_effect(frozen, "checkout", FRIDAY_EVENING) is not None
    assert freezes.next_start(frozen.standing[0], START) == START + 7 * HOUR
    assert freezes.next_start(standing(declared()).standing[0], START) is None


def test_what_is_recorded_of_a_window_is_all_of_it() -> None:
    frozen = standing(declared(name="weekend", window=KEPT))
    assert freezes.window_of(frozen.standing[0]) == WEEKEND
    assert freezes.window_of(standing(declared()).standing[0]) is None


def test_it_holds_the_flags_it_names_and_all_where_it_names_none() -> None:
    some = standing(declared(flags=("a", "b")))
    assert in_effect(some, "a", START) is not None
    assert in_effect(some, "c", START) is None
    assert in_effect(some, None, START) is not None, "some flag's"
    assert in_effect(standing(declared()), "c", START) is not None


# The sentence


def test_of_several_the_one_that_ends_last_speaks() -> None:
    hour, day = (declared(n, ends_at=START + end) for n, end in ((1, HOUR), (2, DAY)))
    for history in ([hour, day], [day, hour]):
        assert frozen_by(standing(*history), (), "a", START) == (
            "frozen until 2027-01-16T08:00Z by freeze-2 (INC-7)"
        )
    assert frozen_by(standing(day, declared(3)), (), "a", START) == (
        "frozen until lifted by freeze-3 (INC-7)"
    )


def test_a_calendar_speaks_by_its_name() -> None:
    frozen = standing(declared(name="weekend", window=KEPT, reason="Friday release freeze"))
    assert frozen_by(frozen, (), "a", FRIDAY_EVENING) == (
        "frozen until 2027-01-18T06:00Z by weekend (Friday release freeze)"
    )


def test_a_plan_may_bring_windows_of_its_own() -> None:
    said = "frozen until 2027-01-18T06:00Z by weekend (in the plan)"
    assert frozen_by(standing(), (THE_FIRST, WEEKEND), "a", FRIDAY_EVENING) == said
    assert frozen_by(standing(), (THE_FIRST, WEEKEND), "a", START) is None
    shorter = declared(ends_at=FRIDAY_EVENING + HOUR)
    assert frozen_by(standing(shorter), (WEEKEND,), "a", FRIDAY_EVENING) == said


def test_an_end_between_minutes_is_told_to_the_second() -> None:
    frozen = standing(declared(ends_at=START + 90 * SECOND))
    assert "until 2027-01-15T08:01:30Z by" in str(frozen_by(frozen, (), "a", START))


def test_a_sentence_is_short_enough_to_be_a_reason_itself() -> None:
    frozen = standing(declared(name="n" * 100, reason="r" * 2000))
    assert len(str(frozen_by(frozen, (), "a", START))) < 700


freeze_events = st.builds(
    declared,
    st.integers(1, 5),
    flags=st.sampled_from([(), ("a",), ("a", "b")]),
    ends_at=st.none() | st.integers(START - DAY, START + 4 * DAY),
    window=st.none() | st.just(KEPT),
)


@for_all(
    st.lists(freeze_events | st.just(lifted), max_size=6),
    st.sampled_from([(), (WEEKEND,)]),
    st.sampled_from(["a", "b", "c"]),
    st.integers(START - DAY, START + 5 * DAY),
)
def test_a_sentence_is_said_exactly_while_something_holds_and_names_the_last_end(
    history: list[Any], windows: tuple[FreezeWindow, ...], flag: str, now: Timestamp
) -> None:
    frozen = standing(*history)
    mine = [one for one in frozen.standing if not one.flags or flag in one.flags]
    ends = [end for one in mine if (end := freezes.until(one, now)) is not None]
    longest = in_effect(frozen, flag, now)
    assert (longest is not None) == bool(ends)
    assert longest is None or freezes.until(longest, now) == max(ends)
    ends += [end for window in windows if (end := window.until(now)) is not None]
    said = frozen_by(frozen, windows, flag, now)
    assert all(end > now for end in ends)
    if not ends:
        assert said is None
        return
    told_end = "lifted" if max(ends) == UNTIL_LIFTED else to_iso(max(ends))[:16]
    assert str(said).startswith(f"frozen until {told_end}")
