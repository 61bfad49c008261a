"""Who did what, when, on whose approval, and why: asked of the log, answered from it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.errors import FlagNotFound, InvalidInput, RolloutNotFound
from events.errors import EventNotFound
from events.timestamps import DAY, HOUR, to_iso
from projections.audit import Deed
from tests.events.builders import fact, uuid
from tests.journeys.traffic import FLAG, Clock
from tests.plane.audited import (
    ROLLOUT,
    Audited,
    audited,
    drafted,
    promoted,
    rolled_back,
)


@pytest.fixture
def story(plane: ControlPlane, clock: Clock) -> Audited:
    """A rollout from its draft to the end of its rollback."""
    told = audited(plane, clock)
    for part in (drafted, promoted, rolled_back):
        part(told)
    assert plane.rollouts.get(ROLLOUT).state == "rolled_back"
    return told


@pytest.fixture
def asked(clock: Clock) -> Iterator[Audited]:
    """The same, in memory, for questions whose answer does not hang on where the log is kept."""
    with ControlPlane("memory://", clock=clock) as plane:
        told = audited(plane, clock)
        for part in (drafted, promoted, rolled_back):
            part(told)
        yield told


def told(deed: Deed) -> tuple[str, str, str | None, tuple[str, ...], tuple[str, ...]]:
    token = deed.command.event.token if deed.command else None
    return deed.event.type, deed.event.actor.id, token, deed.behind.asked, deed.behind.agreed


def test_who_changed_a_flag_by_which_token_and_who_had_agreed(story: Audited) -> None:
    assert [told(deed) for deed in story.plane.audit.who_changed(FLAG)] == [
        ("flag.created", "ana", None, (), ()),
        ("flag.enabled", "ana", None, ("ana",), ("ben",)),
        ("flag.exposure_changed", "ana", None, ("ana",), ("ben",)),
        ("flag.exposure_changed", "ben", story.token, ("ana",), ("ben",)),
        ("flag.disabled", "alert-rules", None, (), ()),
    ]


def test_so_many_changes_are_told_as_were_asked_for(asked: Audited) -> None:
    audit = asked.plane.audit
    every = audit.who_changed(FLAG)
    for limit in range(1, len(every) + 2):
        assert audit.who_changed(FLAG, limit=limit) == every[:limit]
        assert audit.who_changed(FLAG, limit=limit, newest_first=True) == every[::-1][:limit]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"actr": "ana"}, "there is no condition actr; there are stream, slice, type, actor"),
        ({"txt": "x"}, "there is no condition txt"),
        ({"text": 3}, "text is a text, not 3"),
        ({"actor": b"x"}, "actor is a text"),
        ({"type": 3}, "type is a text or several, not 3"),
        ({"type": ["flag.*", 3]}, "type is a text or several"),
        ({"clock": ["recorded"]}, "clock is a text"),
        ({"limit": "5"}, "limit is a whole number"),
        ({"after": 1.5}, "after is a whole number"),
    ],
)
def test_a_misspelt_question_is_refused(
    plane: ControlPlane, asked: dict[str, Any], told: str
) -> None:
    plane.flags.create(FLAG, owner="ana", actor="ana")
    asks: list[Callable[..., object]] = [
        *(plane.events, plane.audit.events, plane.audit.count),
        *(plane.audit.denied, plane.audit.approvals, partial(plane.audit.who_changed, FLAG)),
    ]
    for ask in asks:
        with pytest.raises(InvalidInput, match=told):
            ask(**asked)


def test_what_else_is_asked_narrows_it(asked: Audited) -> None:
    audit = asked.plane.audit
    assert [d.event.type for d in audit.who_changed(FLAG, type="flag.e*", actor="ben")] == [
        "flag.exposure_changed"
    ]
    assert audit.who_changed(FLAG, type="flag.rollout_attached") == []
    assert audit.approvals(slice="flags") == audit.denied(type="flag.*") == []
    assert audit.approvals(slice="rollouts") == audit.approvals(ROLLOUT)


def test_what_people_agreed_to_and_who_had_asked(story: Audited) -> None:
    expected = [
        ("rollout.start_approved", "ben", story.token, ("ana",), ()),
        ("rollout.item_signed_off", "cleo", None, (), ()),
        ("rollout.proposal_approved", "ben", story.token, ("ana",), ()),
    ]
    assert [told(deed) for deed in story.plane.audit.approvals()] == expected
    assert [told(deed) for deed in story.plane.audit.approvals(ROLLOUT)] == expected


def test_what_was_refused_and_why(story: Audited) -> None:
    (denied,) = story.plane.audit.denied()
    assert (denied.type, denied.actor.id) == ("access.command_denied", "ben")
    assert story.plane.audit.denied(text="no proposal", actor="ben") == [denied]
    assert story.plane.audit.denied(text="no such words") == []
    assert story.plane.audit.denied(actor="ana") == []


def test_the_timeline_has_all_that_happened_in_the_order_of_the_log(story: Audited) -> None:
    lines = story.plane.audit.timeline(ROLLOUT)
    positions = [line.event.position for line in lines]
    assert positions == sorted(set(positions))
    types = [line.event.type for line in lines]
    assert types[0] == "rollout.drafted"
    assert types[-1] == "rollout.rolled_back"
    assert {
        *("access.command_accepted", "rollout.start_approved", "flag.exposure_changed"),
        *("rollout.held", "freeze.declared", "alert.raised", "flag.disabled", "alert.resolved"),
    } <= set(types)
    assert "execution.batch_executed" not in types
    looks = [line for line in lines if line.event.type == "rollout.wave_judged"]
    repeats = [repeat.position for line in looks for repeat in line.repeats]
    judged = story.plane.audit.count(type="rollout.wave_judged")[0].count
    assert len(looks) + len(repeats) == judged
    assert any(line.repeats for line in looks)
    assert not set(repeats) & set(positions)


def test_a_timeline_leaves_out_what_was_over_before_and_what_came_after(story: Audited) -> None:
    """But who answers for an alert of it does so later, as a rule."""
    plane, clock = story.plane, story.clock
    before = [line.event.position for line in plane.audit.timeline(ROLLOUT)]
    clock.advance(HOUR)
    plane.freezes.lift("freeze-1", reason="over", actor="cleo")
    for alert in plane.alerts.open():
        plane.alerts.resolve(alert.id, reason="mended", actor="cleo")
    plane.flags.enable(FLAG, percentage=5, actor="cleo", reason="by hand")
    since = [one.event for one in plane.audit.timeline(ROLLOUT)][len(before) :]
    assert {event.type for event in since} == {"alert.resolved"}
    second = plane.rollouts.draft(flag=FLAG, actor="ana").id
    assert [line.event.type for line in plane.audit.timeline(second)] == ["rollout.drafted"]


def test_why_goes_from_the_command_to_all_that_it_led_to(story: Audited) -> None:
    changed = story.plane.audit.who_changed(FLAG)[3].event
    found = story.plane.audit.why(changed.position)
    assert [one.type for one in found.causes] == [
        *("rollout.wave_judged", "rollout.promotion_proposed", "access.command_accepted"),
        *("rollout.proposal_approved", "rollout.wave_promoted", "rollout.wave_entered"),
    ]
    assert (found.event, found.effects, found.missing, found.more) == (changed, (), None, False)
    down = story.plane.audit.why(found.causes[2].position)
    assert down.causes == ()
    judged, approved = down.effects
    assert judged.event.type == "rollout.wave_judged"
    assert approved.event == found.causes[3]
    assert [one.event for one in approved.effects] == [found.causes[4]]


def test_why_an_alert_switched_off(story: Audited) -> None:
    (off,) = story.plane.events(type="flag.disabled")
    causes = story.plane.audit.why(off.position).causes
    assert [one.type for one in causes] == ["alert.raised", "rollout.rollback_started"]


QUESTIONS: list[tuple[dict[str, Any], int]] = [
    ({"slice": "freezes"}, 1),
    ({"slice": "webhooks"}, 0),
    ({"slice": "flags", "type": "flag.e*"}, 3),
    ({"slice": "flags", "type": ["flag.created", "rollout.*"]}, 1),
    ({"slice": "flags", "type": "rollout.*"}, 0),
    ({"slice": "flags", "type": "*"}, 7),
    ({"type": ["freeze.*", "flag.created"]}, 2),
    ({"kind": "token", "slice": "access"}, 3),
    ({"kind": "token", "actor": "ana"}, 0),
    ({"text": "ODD OUT"}, 1),
    ({"text": ""}, 1000),
    ({"correlation_id": ROLLOUT, "slice": "flags", "newest_first": True}, 6),
]


@pytest.mark.parametrize(("question", "count"), QUESTIONS)
def test_conditions_are_combined(asked: Audited, question: dict[str, Any], count: int) -> None:
    found = asked.plane.audit.events(**question)
    assert len(found) == min(count, asked.plane.head().position), [one.type for one in found]
    assert asked.plane.events(**question) == found


def test_either_clock_may_be_asked_by(asked: Audited) -> None:
    plane, now = asked.plane, asked.clock.now
    plane.executions.record({
        "flag": FLAG, "cohort": "on", "unit": "u", "outcome": "succeeded", "duration_us": 1,
        "occurred_at": to_iso(now - 10 * DAY),
    })  # fmt: skip
    week = {"since": to_iso(now - 11 * DAY), "until": to_iso(now - 9 * DAY)}
    assert len(plane.audit.events(**week)) == 1
    assert plane.audit.events(**week, clock="recorded") == []


def test_events_are_counted_by_what_they_have_in_common(asked: Audited) -> None:
    by_actor = asked.plane.audit.count(["actor"], slice="flags")
    assert [(one.values, one.count) for one in by_actor] == [
        (("ana",), 4), (("alert-rules",), 2), (("ben",), 1)
    ]  # fmt: skip
    by_both = asked.plane.audit.count(["type", "kind"], slice="freezes")
    assert [one.values for one in by_both] == [("freeze.declared", "person")]
    (day,) = asked.plane.audit.count(["day"])
    assert day.values == (to_iso(asked.clock.now)[:10],)
    hours = [one.values for one in asked.plane.audit.count(["type", "hour", "day"])]
    assert hours == sorted(hours, key=lambda values: values[1:])
    assert {values[1][:10] for values in hours} == {values[2] for values in hours}
    assert day.count == asked.plane.audit.count()[0].count == asked.plane.head().position


@pytest.mark.parametrize(
    "wrong",
    [{"slice": "nonsense"}, {"kind": "robot"}, {"clock": "wall"}, {"limit": 0}, {"since": "soon"}],
)
def test_a_question_that_makes_no_sense_is_refused(asked: Audited, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        asked.plane.audit.events(**wrong)


def test_what_is_not_there_is_said_to_be_missing(asked: Audited) -> None:
    audit = asked.plane.audit
    with pytest.raises(FlagNotFound):
        audit.who_changed("nonsense")
    for question in (audit.approvals, audit.timeline):
        with pytest.raises(RolloutNotFound):
            question("nonsense")
    for position in (0, -1, asked.plane.head().position + 1, 2**63):
        with pytest.raises(EventNotFound):
            audit.why(position)
    with pytest.raises(InvalidInput, match="there is no group year; there are actor, kind"):
        audit.count(["year"])


def test_a_review_is_an_agreement_too(asked: Audited) -> None:
    plane = asked.plane
    plane.flags.break_glass(FLAG, 60, reason="the old path is down", actor="dora")
    plane.access.close_review("review-1", note="it was, INC-9", actor="ben")
    reviewed = plane.audit.approvals(newest_first=True)[0]
    assert told(reviewed) == ("access.review_closed", "ben", None, ("dora",), ())


def test_a_cause_that_is_not_in_the_log_is_named(asked: Audited) -> None:
    (receipt,) = asked.plane.log.append([fact(5000, causation_id=uuid(4999))])
    found = asked.plane.audit.why(receipt.position)
    assert (found.causes, found.missing) == ((), uuid(4999))


def test_what_leads_to_itself_does_not_lead_round_for_ever(asked: Audited) -> None:
    log = asked.plane.log
    log.append([fact(5001, causation_id=uuid(5002)), fact(5002, causation_id=uuid(5001))])
    log.append([fact(5003, causation_id=uuid(5003))])
    last = asked.plane.head().position
    round_, alone = asked.plane.audit.why(last - 1), asked.plane.audit.why(last)
    assert [one.id for one in round_.causes] == [uuid(5001)]
    assert (alone.causes, alone.effects) == ((), ())
