"""Which parts of a record are decided again, from when on, and what counts as saved in each."""

from typing import Any

import pytest

from controlplane import ControlPlane, rulebook
from controlplane.bucketing import bucket
from controlplane.plans import FOUR_WAVES
from controlplane.rehearsal.outcomes import Outcome
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rules.catalog import WATCHED
from events.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Rolling, Service, batch, resolve_all
from tests.rehearsal.stories import completed, failing_criterion, only
from tests.rehearsal.test_answers import bound, first_wave

TIGHT = {"ERROR_RATE_CRITICAL": {"threshold": 0.02}}
AS_IT_WAS = Rulebook(name="as it was", rules=WATCHED)


@pytest.fixture
def by_hand(service: Service) -> Service:
    service.plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    return service


def goes_on(service: Service, minutes: int, failed: int = 0, *, look: bool = False) -> None:
    for _ in range(minutes):
        service.clock.advance(MINUTE)
        service.runs(10, failed=failed)
        if look:
            service.plane.tick()


def outcomes(plane: ControlPlane, **what: Any) -> tuple[Outcome, ...]:
    return plane.rehearse(rules=TIGHT, **what).outcomes


@pytest.mark.parametrize("silent", [5, 20, 200])
def test_after_a_silence_it_looks_as_often_as_before(by_hand: Service, silent: int) -> None:
    goes_on(by_hand, 3)
    by_hand.clock.advance(silent * MINUTE)
    began = by_hand.clock.now
    goes_on(by_hand, 30, failed=2)
    (stop,) = only(outcomes(by_hand.plane)).stops
    assert stop.at - began <= 5 * MINUTE


def test_an_incident_on_a_flag_served_by_hand_is_rehearsed_whole(by_hand: Service) -> None:
    goes_on(by_hand, 20)
    goes_on(by_hand, 20, failed=2, look=True)
    goes_on(by_hand, 5, failed=9, look=True)
    assert [one.id for one in by_hand.plane.incidents.all()] == ["INC-1"]
    found = only(outcomes(by_hand.plane, incident="INC-1"))
    assert found == only(outcomes(by_hand.plane))
    assert (found.answer, found.case.went_wrong) == ("exact", True)
    assert found.saved.failed > 20


def test_what_happened_before_it_began_is_not_of_it(by_hand: Service) -> None:
    plane, clock = by_hand.plane, by_hand.clock
    goes_on(by_hand, 5)
    before = clock.now
    plane.flags.disable(FLAG, actor=ENGINEER)
    clock.advance(DAY)
    rolling = Rolling(by_hand, plane.rollouts.start(flag=FLAG, actor=ENGINEER).id)
    goes_on(by_hand, 5, failed=1)
    late = [batch(failed=True, unit=f"late-{n}", occurred_at=before) for n in range(7)]
    plane.executions.record(late[:4])
    plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="enough")
    clock.advance(HOUR)
    plane.tick()
    plane.executions.record(late[4:])
    assert only(outcomes(plane, rollout=rolling.id)).recorded_failed == 5


def test_a_flag_that_stays_on_after_its_rollout_is_a_case_of_its_own(rolling: Rolling) -> None:
    completed(rolling)
    goes_on(rolling.service, 20, failed=2)
    rollout, after = outcomes(rolling.plane)
    assert (rollout.case.rollout, rollout.answer) == (rolling.id, "same")
    assert (after.case.rollout, after.answer) == ("", "exact")
    assert after.case.start == rollout.case.end
    assert after.case.began_at == rolling.now.ended_at


def test_the_record_stopped_when_the_rollout_did_not_while_it_was_a_draft(
    by_hand: Service,
) -> None:
    plane, clock = by_hand.plane, by_hand.clock
    drafted = plane.rollouts.draft(flag=FLAG, actor=ENGINEER)
    clock.advance(HOUR)
    plane.flags.disable(FLAG, actor=ENGINEER)
    clock.advance(HOUR)
    rolling = Rolling(by_hand, plane.rollouts.start(rollout=drafted.id, actor=ENGINEER).id)
    clock.advance(HOUR)
    failing_criterion(rolling)
    found = only(plane.rehearse(first_wave(percentage=5), rollout=rolling.id).outcomes)
    assert found.recorded_stop_at == rolling.now.rollback_at
    assert found.earlier_us == HOUR


def test_a_rule_that_takes_it_off_again_is_decided_again(by_hand: Service) -> None:
    plane = by_hand.plane
    goes_on(by_hand, 5)
    goes_on(by_hand, 5, failed=9, look=True)
    assert not plane.flags.get(FLAG).enabled
    plane.flags.break_glass(FLAG, 10, actor=ON_CALL, reason="the queue is full")
    goes_on(by_hand, 10, failed=9, look=True)
    assert not plane.flags.get(FLAG).enabled
    assert len(plane.events(type="flag.disabled")) == 2
    first, second = plane.rehearse(rulebooks=[AS_IT_WAS]).outcomes
    assert (first.answer, second.answer) == ("same", "same")
    deaf = {"ERROR_RATE_CRITICAL": {"enabled": False}}
    first, second = plane.rehearse(rules=deaf).outcomes
    assert (first.answer, second.answer) == ("unknown", "unknown")


def test_a_start_that_a_calendar_holds_up_is_told_until_it_may_start(rolling: Rolling) -> None:
    rolling.service.runs(10, over=MINUTE)
    began = rolling.now.started_at
    for _ in range(30):
        rolling.service.clock.advance(10 * MINUTE)
        rolling.service.runs(10, over=10 * MINUTE)
    start = to_datetime(began - HOUR)
    window = {
        "name": "closed",
        "starts": start.strftime("%Y-%m-%dT%H:%M:%S"),
        "rrule": "FREQ=YEARLY",
        "duration": "3h",
    }
    plan = FOUR_WAVES.to_json() | {"freezes": [window]}
    found = only(rolling.plane.rehearse(plan, rollout=rolling.id).outcomes)
    assert (found.answer, found.stops[0].kind, found.stops[0].at) == ("exact", "waited", began)
    assert found.beyond is not None
    assert 0 <= found.beyond.at - began - 2 * HOUR <= 2 * MINUTE
    assert found.saved.bound
    assert 120 <= found.saved.executions <= 140


def test_late_failures_are_held_to_who_was_served_when_they_happened(rolling: Rolling) -> None:
    """Served to fewer, then off: what happened in between belongs to the first."""
    clock, service, plane = rolling.service.clock, rolling.service, rolling.plane
    clock.advance(10 * MINUTE)
    between = clock.now
    for _ in range(12):
        clock.advance(MINUTE)
        service.runs(20, failed=3, unit="user-3", audience="internal")
    plan = first_wave(percentage=4)
    rules = {"ERROR_RATE_CRITICAL": {"threshold": 0.05}}
    before = only(plane.rehearse(plan, rules, rollout=rolling.id).outcomes)
    assert [stop.kind for stop in before.stops] == ["narrower"], "user-3 is not among the 4 %"
    told = [
        batch(failed=True, unit=unit, audience="internal", occurred_at=between)
        for unit in ("user-3", "user-17")
    ]
    plane.executions.record(told)
    after = only(plane.rehearse(plan, rules, rollout=rolling.id).outcomes)
    assert after.saved.failed == before.saved.failed + 2


def test_an_alert_that_the_record_raised_too_is_not_counted(rolling: Rolling) -> None:
    clock, service, plane = rolling.service.clock, rolling.service, rolling.plane
    clock.advance(MINUTE)
    service.runs(30, ms=1500, unit="user-23", audience="internal")
    clock.advance(5 * SECOND)
    plane.tick()
    for _ in range(20):
        clock.advance(MINUTE)
        service.runs(5, unit="user-23", audience="internal")
    assert [one.rule for one in plane.alerts.all()] == ["SLOW_BATCH_DETECTED"]
    found = only(plane.rehearse(first_wave(percentage=9), TIGHT, rollout=rolling.id).outcomes)
    assert (found.answer, found.alerts) == ("exact", 0)


def test_each_way_to_end_has_a_column(service: Service, clock: Clock) -> None:
    plane = service.plane
    failing_criterion(Rolling(service, plane.rollouts.start(flag=FLAG, actor=ENGINEER).id))
    clock.advance(HOUR)
    resolve_all(plane)
    for incident in plane.incidents.open():
        plane.incidents.close(incident.id, actor=ON_CALL, reason="mended")
    looser = bound(0.5)
    looser["waves"][0]["percentage"] = 9
    books = [
        rulebook(FOUR_WAVES, name="alike"),
        rulebook(bound(0.5), name="looser"),
        rulebook(looser, name="looser and narrower"),
        rulebook(first_wave(hold="48h"), name="patient"),
    ]
    tallies = {one.rulebook: one for one in plane.rehearse(rulebooks=books).tallies}
    ends = {
        name: (one.caught_earlier, one.caught_alike, one.not_told, one.held_up)
        for name, one in tallies.items()
    }
    assert ends == {
        "alike": (0, 1, 0, 0),
        "looser": (0, 0, 1, 0),
        "looser and narrower": (0, 0, 1, 0),
        "patient": (0, 1, 0, 0),
    }
    assert {one.failed for one in tallies.values()} == {36}


def test_what_would_be_promoted_later_is_delayed_and_no_false_alarm(rolling: Rolling) -> None:
    rolling.advance_to(3)
    (tally,) = rolling.plane.rehearse(first_wave(hold="48h"), rollout=rolling.id).tallies
    assert (tally.quiet, tally.delayed, tally.false_alarms) == (1, 1, 0)


def test_an_alert_between_looks_is_raised_once_and_is_over_when_it_is(rolling: Rolling) -> None:
    clock, service, plane = rolling.service.clock, rolling.service, rolling.plane
    for minute in range(120):
        clock.advance(MINUTE)
        service.runs(20, failed=1 if 10 <= minute < 25 else 0)
        plane.rollouts.evaluate_all()
    rules = {"ERROR_RATE_WARNING": {"threshold": 0.01}}
    found = only(plane.rehearse(rules=rules, rollout=rolling.id).outcomes)
    assert (found.answer, found.alerts) == ("same", 1)
    said = [one.rehearsed for one in found.departures]
    assert said == ["ERROR_RATE_WARNING raised"]


def test_a_comparison_with_the_old_code_decides_nothing_where_fewer_are_served(
    service: Service,
) -> None:
    """Who is not served would have run the old code, and what they met is in no record."""
    clock, plane = service.clock, service.plane
    rolling = Rolling(service, plane.rollouts.start(bound(0.5), flag=FLAG, actor=ENGINEER).id)
    users = [f"user-{number}" for number in range(400)]
    few = [user for user in users if bucket(FLAG, user) < 9_000]
    ran = [
        batch(unit=user, audience="internal", failed=n % 4 == 0) for n, user in enumerate(few)
    ] + [batch("off", unit=user, audience="internal") for user in users[:40]]
    for _ in range(60):
        clock.advance(MINUTE)
        plane.executions.record(ran)
    plan = first_wave(percentage=9)
    plan["waves"][0]["criteria"] = [
        {"kind": "not_worse_than", "margin": 0.05, "on_fail": "rollback"}
    ]
    found = only(plane.rehearse(plan, rollout=rolling.id).outcomes)
    assert [stop.kind for stop in found.stops] == ["narrower"]
    assert found.beyond is not None
    assert "compares with the old code" in found.beyond.reason


def test_lowered_by_hand_it_serves_no_more_than_it_did(rolling: Rolling) -> None:
    rolling.approve(rolling.propose())
    rolling.service.clock.advance(MINUTE)
    plan = first_wave(hold="48h")
    before = only(rolling.plane.rehearse(plan, rollout=rolling.id).outcomes)
    beta = FOUR_WAVES.waves[1].audience.to_audience()
    rolling.plane.flags.set_percentage(FLAG, 20, audience=beta, actor=ON_CALL)
    rolling.service.runs(100, over=MINUTE, audience="beta", unit="user-23")
    after = only(rolling.plane.rehearse(plan, rollout=rolling.id).outcomes)
    assert after.saved.executions == before.saved.executions + 100


def test_rules_are_silent_before_the_rollout_starts(by_hand: Service) -> None:
    plane = by_hand.plane
    drafted = plane.rollouts.draft(flag=FLAG, actor=ENGINEER)
    goes_on(by_hand, 10, failed=2)
    plane.flags.disable(FLAG, actor=ENGINEER)
    rolling = Rolling(by_hand, plane.rollouts.start(rollout=drafted.id, actor=ENGINEER).id)
    goes_on(by_hand, 10)
    assert only(outcomes(plane, rollout=rolling.id)).answer == "same"
