"""Asking the log, and holding it to what was noted earlier."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.errors import InvalidInput
from events.errors import ChainBroken
from events.timestamps import HOUR, to_datetime, to_iso
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Clock, batch


@pytest.fixture
def past(plane: ControlPlane, clock: Clock) -> ControlPlane:
    """Four events, an hour apart: created, enabled and exposed, recorded, disabled."""
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    clock.advance(HOUR)
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    clock.advance(HOUR)
    plane.executions.record([batch()])
    clock.advance(HOUR)
    plane.flags.disable(FLAG, actor=ON_CALL)
    return plane


ALL = [
    "flag.created",
    "flag.enabled",
    "flag.exposure_changed",
    "execution.batch_executed",
    "flag.disabled",
]


QUESTIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ALL),
    ({"type": "flag.*"}, [name for name in ALL if name.startswith("flag.")]),
    ({"type": "*"}, ALL),
    ({"type": "flag.disabled"}, ["flag.disabled"]),
    ({"type": "flag"}, []),
    ({"stream": f"executions-{FLAG}"}, ["execution.batch_executed"]),
    ({"stream": ""}, []),
    ({"actor": ON_CALL}, ["flag.disabled"]),
    ({"actor": ENGINEER, "type": "flag.e*"}, ["flag.enabled", "flag.exposure_changed"]),
    ({"actor": "' OR 1=1 --"}, []),
    ({"actor": "\x00"}, []),
    ({"after": 3}, ALL[3:]),
    ({"after": 99}, []),
    ({"newest_first": True}, ALL[::-1]),
    ({"newest_first": True, "limit": 1}, ["flag.disabled"]),
    ({"limit": 2}, ALL[:2]),
    ({"correlation_id": "x"}, []),
]


def test_events_that_meet_all_conditions(past: ControlPlane) -> None:
    for question, answer in QUESTIONS:
        assert [event.type for event in past.events(**question)] == answer, question


@pytest.mark.parametrize("form", [to_iso, to_datetime])
def test_since_is_inclusive_and_until_exclusive(
    past: ControlPlane, clock: Clock, form: Any
) -> None:
    since, until = form(clock.now - 2 * HOUR), form(clock.now)
    assert [e.type for e in past.events(since=since, until=until)] == ALL[1:4]


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": 10**30},
        {"after": -1},
        {"after": 10**30},
        {"since": "yesterday"},
        {"since": "2026-11-20"},
        {"until": datetime(2026, 11, 20)},  # noqa: DTZ001  why: the point
        {"until": date(2026, 11, 20)},
        {"since": 1_790_000_000_000_000},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(remembered: ControlPlane, wrong: Any) -> None:
    with pytest.raises(InvalidInput):
        remembered.events(**wrong)


def test_the_history_of_a_flag_is_all_that_happened_to_it(past: ControlPlane) -> None:
    assert [event.type for event in past.flags.history(FLAG)] == ALL[:3] + ALL[4:]
    with pytest.raises(Exception, match="There is no flag nonsense"):
        past.flags.history("nonsense")


def test_the_log_holds_to_what_was_noted_earlier(past: ControlPlane) -> None:
    head = past.head()
    noted = f"{head.position}:{head.hash.hex()}"
    past.flags.archive(FLAG, actor=ENGINEER)
    assert past.verify(expect=noted).position == head.position + 1
    assert past.verify(expect=f" {noted.replace(':', ' ')}\n") == past.head()


def test_another_hash_than_noted_is_told(past: ControlPlane) -> None:
    with pytest.raises(ChainBroken, match="at position 2: its hash is not the one noted earlier"):
        past.verify(expect=f"2:{'ab' * 32}")


def test_events_that_were_cut_off_are_told(past: ControlPlane) -> None:
    with pytest.raises(ChainBroken, match="position 99 was noted earlier"):
        past.verify(expect=f"99:{'ab' * 32}")


@pytest.mark.parametrize(
    "noted",
    [
        "",
        "5",
        "5:",
        "x:" + "ab" * 32,
        "5:xyz",
        "5:abcd",
        "-1:" + "ab" * 32,
        "0:" + "ab" * 32,
        "ab" * 32,
    ],
)
def test_what_could_hold_the_log_to_nothing_is_refused(
    remembered: ControlPlane, noted: str
) -> None:
    with pytest.raises(InvalidInput, match="is not POSITION:HASH"):
        remembered.verify(expect=noted or " ")


def test_the_head_of_an_empty_log_may_be_noted(plane: ControlPlane) -> None:
    head = plane.head()
    noted = f"{head.position}:{head.hash.hex()}"
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    assert plane.verify(expect=noted).position == 1


def test_moments_in_the_log_are_those_of_the_clock(past: ControlPlane, clock: Clock) -> None:
    last = past.events(newest_first=True, limit=1)[0]
    assert last.occurred_at == last.recorded_at == clock.now
    assert to_datetime(last.occurred_at).tzinfo is UTC
