"""What the service tells us: kept at once, refused one by one, and only counted once."""

from datetime import UTC, datetime
from itertools import repeat
from typing import Any
from uuid import UUID

import pytest

from controlplane import ControlPlane
from controlplane.errors import InvalidInput
from events import BatchExecuted
from events.timestamps import DAY, MINUTE, to_datetime, to_iso
from tests.journeys.traffic import FLAG, Clock, batch

ID = str(UUID(int=7))
OBJECT = BatchExecuted(flag=FLAG, cohort="on", unit="user-17", outcome="succeeded", duration_us=1)


def recorded(plane: ControlPlane) -> int:
    return len(plane.events(type=BatchExecuted.TYPE))


def test_some_are_refused_with_index_and_reason_and_the_others_kept(flagged: ControlPlane) -> None:
    answer = flagged.executions.record([
        batch(),
        batch(cohort="perhaps"),
        batch(),
        batch(flag="nonsense"),
        batch(duration_us=-1),
        batch(surprise=1),
        {},
    ])  # fmt: skip
    assert (answer.accepted, recorded(flagged)) == (2, 2)
    assert [refusal.index for refusal in answer.refused] == [1, 3, 4, 5, 6]
    reasons = " | ".join(refusal.reason for refusal in answer.refused)
    for told in ("cohort", "no flag 'nonsense'", "duration_us", "surprise", "`flag`"):
        assert told in reasons
    assert answer.position == flagged.head().position


def test_the_same_id_counts_once(flagged: ControlPlane) -> None:
    first = flagged.executions.record([batch(id=ID)])
    again = flagged.executions.record([batch(id=ID), batch(id=ID), batch()])
    assert (again.accepted, again.duplicates) == (3, 2)
    assert flagged.metrics.total(FLAG).executions == 2
    assert first.position == flagged.events(type=BatchExecuted.TYPE)[0].position


def test_an_id_that_another_event_has_is_no_duplicate_and_is_refused(
    flagged: ControlPlane,
) -> None:
    """Else what two services number alike would be half of it lost, unseen."""
    flagged.flags.create("checkout", owner="web", actor="ana")
    made = flagged.events(type="flag.created")[0].id
    flagged.executions.record([batch(id=ID)])
    answer = flagged.executions.record([
        batch(id=ID),
        batch(id=ID, flag="checkout"),
        batch(id=ID, unit="user-18"),
        batch(id=made),
        batch(id=str(UUID(int=8))),
        batch(id=str(UUID(int=8)), failed=True),
        batch(id=ID, occurred_at=to_iso(flagged.clock() - MINUTE)),
        {},
    ])  # fmt: skip
    assert (answer.accepted, answer.duplicates, recorded(flagged)) == (3, 2, 2)
    assert [refusal.index for refusal in answer.refused] == [1, 2, 3, 5, 7]
    assert "its id is that of another event" in answer.refused[0].reason
    assert answer.position == flagged.head().position


def test_a_uuid_object_is_an_id(flagged: ControlPlane) -> None:
    assert flagged.executions.record([batch(id=UUID(int=7))]).accepted == 1
    assert flagged.executions.record([batch(id=ID)]).duplicates == 1


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (batch(), 1),
        (OBJECT, 1),
        ([OBJECT, batch()], 2),
        ((batch(), batch()), 2),
        ((batch() for _ in range(10)), 10),
        ([], 0),
        (iter([]), 0),
    ],
    ids=["mapping", "object", "both", "tuple", "generator", "nothing", "empty generator"],
)
def test_executions_may_be_given_in_any_form(
    remembered: ControlPlane, given: Any, count: int
) -> None:
    answer = remembered.executions.record(given)
    assert (answer.accepted, answer.refused, recorded(remembered)) == (count, (), count)


def test_ten_thousand_at_once_and_no_more(flagged: ControlPlane) -> None:
    assert flagged.executions.record([batch()] * 10_000).accepted == 10_000
    head = flagged.head()
    with pytest.raises(InvalidInput, match="more than 10000 executions in one call"):
        flagged.executions.record([batch()] * 10_001)
    assert flagged.head() == head


@pytest.mark.timeout(20)
def test_a_generator_that_never_ends_is_refused(remembered: ControlPlane) -> None:
    with pytest.raises(InvalidInput, match="more than 10000"):
        remembered.executions.record(repeat(batch()))


@pytest.mark.parametrize("wrong", [None, 7, "abc", b"abc", ["x"], [None], [[]], [("a", 1)]])
def test_what_is_no_execution_is_refused(remembered: ControlPlane, wrong: Any) -> None:
    head = remembered.head()
    try:
        answer = remembered.executions.record(wrong)
    except TypeError:
        answer = None
    assert answer is None or (answer.accepted == 0 and answer.refused)
    assert remembered.head() == head


@pytest.mark.parametrize(
    "wrong",
    [
        {"flag": ["x"]},
        {"flag": "\ud800"},
        {"unit": 17},
        {"unit": ""},
        {"unit": "x" * 201},
        {"unit": "\ud800"},
        {"duration_us": 1.5},
        {"duration_us": 2**60},
        {"duration_us": True},
        {"violations": {"": 1}},
        {"violations": {"atomic": -1}},
        {"violations": ["atomic"]},
        {"error": "x" * 2001},
        {"outcome": None},
        {1: "key"},
        {"id": "nonsense"},
        {"id": "00000000-0000-0000-0000-00000000000A"},
        {"id": None},
    ],
)
def test_a_wrong_field_refuses_its_execution_alone(remembered: ControlPlane, wrong: Any) -> None:
    answer = remembered.executions.record([batch() | wrong, batch()])
    assert [refusal.index for refusal in answer.refused] == [0]
    assert (answer.accepted, recorded(remembered)) == (1, 1)


def test_an_object_made_wrong_is_refused(remembered: ControlPlane) -> None:
    wrong = BatchExecuted(flag=FLAG, cohort="perhaps", unit="u", outcome="succeeded", duration_us=1)
    assert remembered.executions.record(wrong).refused[0].index == 0


@pytest.mark.parametrize("form", [int, to_iso, to_datetime])
def test_it_may_have_happened_within_the_last_30_days(
    flagged: ControlPlane, clock: Clock, form: Any
) -> None:
    for then in (clock.now - 30 * DAY, clock.now, clock.now + 5 * MINUTE):
        assert flagged.executions.record(batch(occurred_at=form(then))).accepted == 1
        (latest,) = flagged.events(newest_first=True, limit=1)
        assert latest.occurred_at == then
    for then in (clock.now - 30 * DAY - 1, clock.now + 5 * MINUTE + 1):
        (refusal,) = flagged.executions.record(batch(occurred_at=form(then))).refused
        assert "more than 30 days ago or 5 minutes ahead" in refusal.reason


@pytest.mark.parametrize(
    "then",
    [10**30, -(10**30), 1.5, True, None, "yesterday", "2026-11-20", "", [], datetime(2026, 1, 1)],  # noqa: DTZ001  why: the point
)
def test_what_is_no_moment_refuses_its_execution_alone(remembered: ControlPlane, then: Any) -> None:
    answer = remembered.executions.record([batch(occurred_at=then), batch()])
    assert (answer.accepted, [refusal.index for refusal in answer.refused]) == (1, [0])
    assert "occurred_at" in answer.refused[0].reason


def test_the_ends_of_the_calendar_do_no_harm(remembered: ControlPlane) -> None:
    for then in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert remembered.executions.record(batch(occurred_at=then)).refused


def test_many_unknown_flags_cost_one_look(
    flagged: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    head = flagged.log.head
    monkeypatch.setattr(flagged.log, "head", lambda: (looks.append(1), head())[1])
    answer = flagged.executions.record([batch(flag=f"x{n}") for n in range(50)] + [batch()])
    assert (len(answer.refused), answer.accepted, len(looks)) == (50, 1, 1)


def test_a_flag_made_by_another_process_is_known_at_once(kept: ControlPlane) -> None:
    with ControlPlane(kept.url, clock=kept.clock) as other:
        other.flags.create("newer", owner="o", actor="a")
    assert kept.executions.record(batch(flag="newer")).accepted == 1


def test_nothing_is_kept_without_a_name(remembered: ControlPlane) -> None:
    with pytest.raises(InvalidInput, match="say who acts"):
        remembered.executions.record([batch()], actor="")
    assert recorded(remembered) == 0
