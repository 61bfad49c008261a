"""One of three answers, never blurred: the same, an exact earlier stop, or not told by the data."""

from typing import Any

import pytest

from controlplane import ControlPlane, rulebook
from controlplane.bucketing import bucket
from controlplane.errors import InvalidInput
from controlplane.plans import FOUR_WAVES
from controlplane.rehearsal.outcomes import Outcome
from events.timestamps import HOUR, MINUTE, SECOND, to_datetime
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Rolling, Service, batch
from tests.rehearsal.stories import broken_release, failing_criterion, frozen, only


def bound(share: float, **changes: Any) -> dict[str, Any]:
    """The built-in plan with another bound for the error rate."""
    plan = FOUR_WAVES.to_json() | changes
    for stage in (*plan["waves"], plan["soak"]):
        for criterion in stage["criteria"]:
            if criterion["kind"] == "rate_below":
                criterion["bound"] = share
    return plan


def first_wave(**changes: Any) -> dict[str, Any]:
    plan = FOUR_WAVES.to_json()
    plan["waves"][0] |= changes
    return plan


def outcome(rolling: Rolling, plan: Any = None, rules: Any = None, **what: Any) -> Outcome:
    return only(rolling.plane.rehearse(plan, rules, rollout=rolling.id, **what).outcomes)


def goes_bad(rolling: Rolling, *, failing: int, minutes: int = 180) -> None:
    """Ten batches a minute, and a look each minute; from the hour on, some of each forty fail."""
    clock, plane = rolling.service.clock, rolling.plane
    for minute in range(1, minutes + 1):
        clock.advance(MINUTE)
        bad = minute > 60 and minute % 4 == 0
        batches = [
            batch(failed=bad and n < failing, unit=f"u{minute}-{n}", audience="internal")
            for n in range(10)
        ]
        plane.executions.record(batches)
        if not rolling.now.is_active:
            return
        plane.rollouts.evaluate_all()


@pytest.fixture
def on_the_minute(clock: Clock) -> Clock:
    clock.now -= clock.now % MINUTE
    return clock


def begun(clock: Clock, plan: Any) -> Rolling:
    plane = ControlPlane("memory://", clock=clock)
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    started = plane.rollouts.start(plan, flag=FLAG, actor=ENGINEER)
    return Rolling(Service(plane, clock), started.id)


@pytest.mark.parametrize(("failing", "share"), [(2, 0.01), (3, 0.02), (4, 0.03), (8, 0.03)])
def test_it_stops_when_one_that_really_runs_would_stop(
    on_the_minute: Clock, failing: int, share: float
) -> None:
    began = on_the_minute.now
    recorded = begun(on_the_minute, bound(0.15))
    goes_bad(recorded, failing=failing)
    on_the_minute.now = began
    really = begun(on_the_minute, bound(share))
    goes_bad(really, failing=failing)
    assert really.now.phase == "rolling_back"
    found = outcome(recorded, bound(share))
    (stop,) = found.stops
    assert (found.answer, stop.kind) == ("exact", "rolled_back")
    assert (stop.at, stop.reason) == (really.now.rollback_at, really.now.reason)
    before = really.plane.metrics.total(FLAG, "on")
    after = recorded.plane.metrics.total(FLAG, "on")
    ran = 10 * (stop.at - began) // MINUTE
    assert found.saved.executions == after.executions - ran
    assert found.saved.failed == found.recorded_failed - before.failed
    assert found.saved.units == found.saved.failed, "each of them failed once"
    assert found.earlier_us == (
        recorded.now.rollback_at - stop.at if recorded.now.rollback_at else None
    )


def test_what_goes_further_than_the_record_is_not_told(rolling: Rolling) -> None:
    failing_criterion(rolling)
    found = outcome(rolling, bound(0.3))
    (back,) = rolling.plane.events(type="rollout.rollback_started")
    assert (found.answer, found.stops) == ("unknown", ())
    assert found.beyond is not None
    assert found.beyond.position < back.position
    assert found.saved.failed == 0


def test_a_promotion_that_is_proposed_earlier_is_not_told(on_the_minute: Clock) -> None:
    rolling = begun(on_the_minute, FOUR_WAVES)
    for _ in range(26 * 6):
        on_the_minute.advance(10 * MINUTE)
        rolling.service.runs(20, over=10 * MINUTE, audience="internal")
        rolling.plane.rollouts.evaluate_all()
    assert rolling.now.proposal is not None
    found = outcome(rolling, first_wave(hold="12h"))
    assert found.answer == "unknown"
    assert found.beyond is not None
    assert found.beyond.at < rolling.now.proposal.proposed_at - 11 * HOUR
    assert outcome(rolling, first_wave(hold="25h")).answer == "same", "nothing was promoted yet"


def test_a_longer_hold_is_an_exact_stop_where_the_record_went_on(rolling: Rolling) -> None:
    broken_release(rolling)
    found = outcome(rolling, first_wave(hold="48h"))
    (promoted,) = rolling.plane.events(type="rollout.wave_promoted")
    assert found.answer == "exact"
    assert [(stop.kind, stop.wave) for stop in found.stops] == [("waited", 1)]
    assert found.stops[0].at == promoted.occurred_at
    assert "bake_time: 24h of 48h to go" in found.stops[0].reason
    assert found.saved.failed == found.recorded_failed == 80


def test_it_is_told_until_when_it_waits(rolling: Rolling) -> None:
    rolling.approve(rolling.propose())
    rolling.hold(48, step=6, batches=120)
    found = outcome(rolling, first_wave(hold="36h"))
    assert found.answer == "exact"
    assert found.beyond is None, "those of the earlier wave were no longer told of: it waits on"
    assert found.saved.executions == 8 * 120


def test_a_narrower_wave_saves_those_it_does_not_serve(on_the_minute: Clock) -> None:
    rolling = begun(on_the_minute, FOUR_WAVES)
    users = [f"user-{n}" for n in range(2000)]
    served = [user for user in users if bucket(FLAG, user) < 10_000]
    spared = [user for user in served if bucket(FLAG, user) >= 4_000]
    on_the_minute.advance(HOUR)
    batches = [
        batch(unit=user, audience="internal", failed=user == spared[3])
        for n, user in enumerate(served)
    ]
    rolling.plane.executions.record(batches)
    found = outcome(rolling, first_wave(percentage=4))
    assert (found.answer, found.stops[0].kind) == ("exact", "narrower")
    assert found.saved.executions == len(spared)
    assert found.saved.units == 1


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (first_wave(percentage=20), "it serves 20 % of internal, the record 10 %"),
        (first_wave(audience={"name": "all", "conditions": []}), "10 % of all"),
        (FOUR_WAVES.to_json() | {"start": {"needed": 1}}, "1 approval before it starts"),
        (FOUR_WAVES.to_json() | {"promotion": {"needed": 2}}, "it takes 2 approvals"),
        (
            first_wave(
                criteria=[
                    *FOUR_WAVES.to_json()["waves"][0]["criteria"],
                    {"kind": "manual", "name": "looked at", "role": "qa"},
                ]
            ),
            "nobody was asked",
        ),
    ],
)
def test_what_nobody_was_asked_or_served_is_not_told(
    rolling: Rolling, plan: dict[str, Any], why: str
) -> None:
    rolling.approve(rolling.propose())
    found = outcome(rolling, plan)
    assert (found.answer, found.stops) == ("unknown", ())
    assert found.beyond is not None
    assert why in found.beyond.reason


def test_a_calendar_that_was_not_there_holds_a_promotion(rolling: Rolling) -> None:
    rolling.approve(rolling.propose())
    rolling.hold(6)
    (promoted,) = rolling.plane.events(type="rollout.wave_promoted")
    day = to_datetime(promoted.occurred_at).strftime("%Y-%m-%d")
    window = {
        "name": "closed",
        "starts": f"{day}T00:00:00",
        "rrule": "FREQ=YEARLY",
        "duration": "24h",
    }
    found = outcome(rolling, FOUR_WAVES.to_json() | {"freezes": [window]})
    assert (found.answer, found.stops[0].kind, found.stops[0].at) == (
        "exact",
        "waited",
        promoted.occurred_at,
    )
    assert "closed (in the plan)" in found.stops[0].reason


def test_a_freeze_that_was_there_stays(rolling: Rolling) -> None:
    frozen(rolling)
    assert outcome(rolling, FOUR_WAVES.to_json() | {"version": "2"}).answer == "same"


def test_tighter_alert_rules_take_it_off_earlier(rolling: Rolling) -> None:
    broken_release(rolling)
    rules = {"SLOW_BATCH_DETECTED": {"severity": "critical", "disables_flag": True}}
    found = outcome(rolling, rules=rules)
    raised = rolling.plane.events(type="alert.raised")[0]
    assert (found.answer, found.stops[0].kind) == ("exact", "rolled_back")
    assert found.stops[0].at == raised.occurred_at
    assert found.earlier_us == 2 * MINUTE
    assert found.saved.failed == 80


def test_failures_that_were_told_after_the_end_are_saved_too(rolling: Rolling) -> None:
    broken_release(rolling)
    rules = {"SLOW_BATCH_DETECTED": {"severity": "critical", "disables_flag": True}}
    before = outcome(rolling, rules=rules)
    back = rolling.now.rollback_at
    late = [
        batch(failed=True, unit=f"late-{n}", audience="beta", occurred_at=back - at)
        for n, at in enumerate((MINUTE, 90 * SECOND, 10 * MINUTE))
    ]
    rolling.service.clock.advance(HOUR)
    rolling.plane.executions.record(late)
    after = outcome(rolling, rules=rules)
    assert after.stops == before.stops, "nobody knew of them then"
    assert after.recorded_failed == before.recorded_failed + 3
    assert after.saved.failed == before.saved.failed + 2, "one had failed before the stop"


def test_a_rule_that_is_not_there_does_not_stop_it(rolling: Rolling) -> None:
    broken_release(rolling)
    found = outcome(rolling, rules={"ERROR_RATE_CRITICAL": {"enabled": False}})
    assert found.answer == "unknown"
    assert found.beyond is not None
    assert found.beyond.reason.startswith("ERROR_RATE_CRITICAL took the flag off; here it does not")


def test_another_rule_at_the_same_look_stops_it_at_the_same_place(rolling: Rolling) -> None:
    broken_release(rolling)
    rules = {"ERROR_RATE_WARNING": {"severity": "critical", "disables_flag": True}}
    found = outcome(rolling, rules=rules)
    assert (found.answer, found.stops, found.saved.failed) == ("same", (), 0)
    assert "ERROR_RATE_WARNING" in found.departures[0].rehearsed


def test_a_flag_served_by_hand_is_rehearsed_with_rules(service: Service) -> None:
    plane, clock = service.plane, service.clock
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    for minute in range(60):
        clock.advance(MINUTE)
        service.runs(10, failed=minute > 30)
    found = plane.rehearse(rules={"ERROR_RATE_CRITICAL": {"threshold": 0.01}})
    one = only(found.outcomes)
    assert (one.answer, one.case.rollout, one.case.went_wrong) == ("exact", "", False)
    assert one.saved.failed > 10
    with pytest.raises(InvalidInput, match="no rollout had started there"):
        plane.rehearse(FOUR_WAVES)


def test_both_errors_are_counted(on_the_minute: Clock) -> None:
    good = begun(on_the_minute, FOUR_WAVES)
    plane = good.plane
    good.hold(6)
    plane.rollouts.abort(good.id, actor=ON_CALL, reason="not today")
    for name in ("quiet", "loud"):
        plane.flags.create(name, owner="x", actor=ENGINEER)
        plane.rollouts.start(FOUR_WAVES, flag=name, actor=ENGINEER)
    for minute in range(40):
        on_the_minute.advance(MINUTE)
        for name, failed, most in (("quiet", minute == 20, 10), ("loud", minute > 20, 4)):
            batches = [
                batch(flag=name, failed=failed and n < most, unit=f"u{n}", audience="internal")
                for n in range(10)
            ]
            plane.executions.record(batches)
        plane.tick()
    books = [
        rulebook(rules={"ERROR_RATE_CRITICAL": {"threshold": 0.05}}, name="tight"),
        rulebook(rules={"ERROR_RATE_CRITICAL": {"threshold": 0.9}}, name="loose"),
    ]
    tight, loose = plane.rehearse(rulebooks=books).tallies
    assert (tight.wrong, tight.quiet) == (loose.wrong, loose.quiet) == (2, 1)
    assert (tight.caught_earlier, tight.false_alarms) == (1, 1)
    assert (loose.caught_earlier, loose.false_alarms) == (0, 0)
    assert tight.failed_saved > 0 == loose.failed_saved


def test_nothing_is_written(rolling: Rolling) -> None:
    broken_release(rolling)
    before = rolling.plane.head()
    outcome(rolling, bound(0.01))
    assert rolling.plane.head() == before
