"""Each way in which a rollout goes wrong, and what becomes of it then."""

import pytest

from controlplane.errors import FreezeOn, ProposalOutdated
from events.timestamps import DAY, HOUR, MINUTE, SECOND, to_iso
from tests.journeys.traffic import (
    AN_HOUR,
    ENGINEER,
    ENOUGH,
    FLAG,
    ON_CALL,
    Rolling,
    Service,
    batch,
    plan,
    types,
)


def in_wave_2(rolling: Rolling) -> Rolling:
    rolling.advance_to(2)
    rolling.hold(24, batches=6 * AN_HOUR)
    assert rolling.now.state == "observing"
    return rolling


def rolled_back(rolling: Rolling) -> bool:
    """At once, for everyone, and the history says so."""
    assert rolling.service.share() == 0
    assert rolling.now.state == "rolling_back"
    promoted = types(rolling.plane, type="rollout.wave_promoted")
    rolling.service.clock.advance(MINUTE)
    rolling.service.serves(50)
    rolling.plane.tick()
    assert rolling.now.state == "rolled_back"
    assert rolling.plane.rollouts.verify(rolling.id).identical
    return types(rolling.plane, type="rollout.wave_promoted") == promoted


def test_errors_roll_back(rolling: Rolling) -> None:
    in_wave_2(rolling).service.runs(ENOUGH, failed=ENOUGH // 2)
    rolling.plane.tick()
    assert rolled_back(rolling)
    assert "100 of 201 failed" in rolling.now.reason


def test_errors_just_above_the_bound_roll_back_on_enough_evidence(service: Service) -> None:
    rollout = service.plane.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    rolling = Rolling(service, rollout.id)
    for _ in range(40):
        service.clock.advance(5 * MINUTE)
        service.runs(50, failed=4, over=5 * MINUTE)  # 8 %
        service.plane.rollouts.evaluate_all()
    assert rolled_back(rolling)
    assert rolling.now.rollback_trigger == "criterion"


def test_slowness_rolls_back(rolling: Rolling) -> None:
    in_wave_2(rolling)
    for _ in range(60):
        rolling.service.clock.advance(MINUTE)
        rolling.service.runs(20, over=MINUTE, ms=800)
    rolling.plane.tick()
    assert rolled_back(rolling)
    assert rolling.now.reason.startswith("p95_latency: ")


def test_a_violation_rolls_back(rolling: Rolling) -> None:
    in_wave_2(rolling).service.runs(1, violations={"atomic": 1})
    rolling.plane.tick()
    assert rolled_back(rolling)


def test_a_leak_rolls_back(rolling: Rolling) -> None:
    in_wave_2(rolling)
    for block in range(21):
        rolling.service.clock.advance(SECOND)
        grown = (100 + 4 * block) * 2**20
        rolling.service.runs(4, instance="host:1", memory_current_bytes=grown)
    rolling.plane.tick()
    assert rolled_back(rolling)
    assert "MEMORY_LEAK_DETECTED" in rolling.now.reason


def test_without_telemetry_a_wave_is_held_and_never_passes(rolling: Rolling) -> None:
    in_wave_2(rolling)
    for _ in range(30):
        rolling.service.clock.advance(DAY)
        rolling.plane.tick()
    assert (rolling.now.wave, rolling.now.proposal, rolling.now.verdict) == (2, None, "NO_DATA")
    assert "the evidence is stale" in rolling.now.reason


@pytest.mark.parametrize("served", [0, 60, 95])
def test_a_wave_whose_share_is_not_what_clients_serve_is_held(
    rolling: Rolling, served: int
) -> None:
    """10 % of internal users are to have it; 0, 60 or 95 % do."""
    service = rolling.service
    service.clock.advance(HOUR)
    on = [n * 100 < served * 299 for n in range(299)] + [False]
    units = [
        batch("on" if new else "off", unit=f"unit-{n}", audience="internal")
        for n, new in enumerate(on)
    ]
    service.plane.executions.record(units)
    rolling.hold(24, batches=ENOUGH)
    assert (rolling.now.state, rolling.now.proposal) == ("holding", None)
    assert rolling.now.holds[0].kind == "split"
    judged = rolling.plane.events(type="rollout.held")
    assert "of 300 units on the new path" in judged[-1].event.reason


def test_a_freeze_holds_promotions_and_no_rollback(rolling: Rolling) -> None:
    freeze = rolling.plane.freezes.declare(reason="quarter end", actor=ON_CALL)
    rolling.hold(48, step=24, batches=24 * AN_HOUR)
    assert (rolling.now.state, rolling.now.proposal) == ("holding", None)
    assert "frozen" in rolling.now.reason
    rolling.plane.freezes.lift(freeze.id, actor=ON_CALL, reason="over")
    proposal = rolling.propose(1)
    frozen_again = rolling.plane.freezes.declare(reason="incident", actor=ON_CALL)
    assert rolling.approve(proposal).state == "promoting"
    assert rolling.now.wave == 1, "raised in a freeze"
    rolling.plane.tick()
    assert rolling.now.wave == 1
    rolling.plane.freezes.lift(frozen_again.id, actor=ON_CALL, reason="over")
    rolling.service.runs(5)
    rolling.plane.tick()
    assert rolling.now.wave == 2
    rolling.plane.freezes.declare(reason="again", actor=ON_CALL)
    rolling.plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="stop")
    assert rolling.service.share() == 0


def test_a_plan_brings_its_own_freezes(service: Service) -> None:
    begins = to_iso(service.clock.now - DAY)[:19]
    window = {"name": "weekend", "starts": begins, "duration": "2d", "rrule": "FREQ=WEEKLY"}
    frozen = {**plan(), "freezes": [window]}
    with pytest.raises(FreezeOn, match="weekend"):
        service.plane.rollouts.start(frozen, flag=FLAG, actor=ENGINEER)
    assert service.plane.rollouts.all() == []
    service.clock.advance(DAY)
    assert service.plane.rollouts.start(frozen, flag=FLAG, actor=ENGINEER).wave == 1


def test_what_was_approved_in_time_waits_for_the_end_of_a_freeze(rolling: Rolling) -> None:
    proposal = rolling.propose()
    until = to_iso(rolling.service.clock.now + 3 * DAY)
    rolling.plane.freezes.declare(reason="holidays", until=until, actor=ON_CALL)
    rolling.approve(proposal)
    rolling.hold(2 * 24 + 1, step=1, batches=AN_HOUR)
    assert (rolling.now.state, rolling.now.wave) == ("promoting", 1)
    rolling.hold(24, step=1, batches=AN_HOUR)
    assert rolling.now.wave == 2


def test_what_no_longer_passes_when_a_freeze_ends_is_not_promoted(rolling: Rolling) -> None:
    proposal = rolling.propose()
    until = to_iso(rolling.service.clock.now + DAY)
    rolling.plane.freezes.declare(reason="holidays", until=until, actor=ON_CALL)
    rolling.approve(proposal)
    rolling.service.clock.advance(2 * DAY)
    rolling.plane.tick()
    assert (rolling.now.wave, rolling.now.proposals[0].state) == (1, "lapsed")


def test_after_downtime_one_tick_proposes_one_wave(rolling: Rolling) -> None:
    """Traffic went on for nine days while nothing looked."""
    for _ in range(9):
        rolling.service.clock.advance(DAY)
        rolling.service.runs(24 * AN_HOUR, over=DAY)
    rolling.plane.tick()
    assert (rolling.now.wave, rolling.now.state) == (1, "proposed")
    assert len(types(rolling.plane, type="rollout.promotion_proposed")) == 1
    assert len(types(rolling.plane, type="rollout.wave_judged")) == 1


def test_a_wave_that_waits_too_long_calls_people_and_passes_never(service: Service) -> None:
    short = {**plan(max_wait="2h")}
    rolling = Rolling(service, service.plane.rollouts.start(short, flag=FLAG, actor=ENGINEER).id)
    rolling.hold(6, step=1, batches=6)
    escalations = rolling.plane.events(type="rollout.wave_escalated")
    assert len(escalations) == 1
    assert "longer than the 3h its plan allows" in escalations[0].event.reason
    assert "WAVE_STALLED" in {alert.rule for alert in rolling.plane.alerts.open()}
    assert (rolling.now.wave, rolling.now.proposal) == (1, None)


def test_a_plan_may_roll_back_what_waits_too_long(service: Service) -> None:
    short = {**plan(max_wait="2h", on_timeout="rollback")}
    rolling = Rolling(service, service.plane.rollouts.start(short, flag=FLAG, actor=ENGINEER).id)
    rolling.hold(4, step=1, batches=6)
    assert rolling.now.rollback_trigger == "timeout"
    assert service.share() == 0


def test_low_traffic_says_when_the_evidence_will_do(service: Service) -> None:
    rolling = Rolling(service, service.plane.rollouts.start(plan(), flag=FLAG, actor=ENGINEER).id)
    rolling.hold(2, step=1, batches=10)
    look = rolling.plane.rollouts.status(rolling.id).assessment
    assert look is not None
    assert "more executions at this rate, " in look.reason
    assert look.ready_in_us == pytest.approx(6 * HOUR, rel=0.2)


def test_what_was_approved_by_one_of_two_waits_for_the_other(service: Service) -> None:
    two = {**plan(), "promotion": {"needed": 2, "of": ["ann", "bob", "cid"]}}
    rolling = Rolling(service, service.plane.rollouts.start(two, flag=FLAG, actor=ENGINEER).id)
    proposal = rolling.propose(1)
    approve = rolling.plane.rollouts.approve
    first = approve(proposal, actor="ann")
    assert first.state == "proposed"
    with pytest.raises(Exception, match=r"approved .* already"):
        approve(proposal, actor="ANN")
    with pytest.raises(Exception, match="not among those"):
        approve(proposal, actor="eve")
    service.clock.advance(20 * MINUTE)
    with pytest.raises(ProposalOutdated, match="stale"):
        approve(proposal, actor="bob")
    assert rolling.propose(1) == proposal, "nobody looked meanwhile"
    assert approve(proposal, actor="bob").state == "completed"
