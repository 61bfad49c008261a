"""What people may do to a rollout that runs, on real durations."""

from typing import Any

import pytest

from controlplane.errors import (
    InvalidInput,
    NotHeld,
    NotSignedOff,
    ProposalOutdated,
    RolloutNotRunning,
    SamePerson,
    WaveFailed,
    WrongState,
)
from events.timestamps import HOUR, MINUTE, to_iso
from tests.journeys.traffic import AN_HOUR, ENGINEER, FLAG, ON_CALL, Rolling, Service, plan

GUARD = {"kind": "rate_below", "bound": 0.05}


def started(service: Service, **changes: Any) -> Rolling:
    rollout = service.plane.rollouts.start({**plan(), **changes}, flag=FLAG, actor=ENGINEER)
    return Rolling(service, rollout.id)


def test_a_pause_stops_the_clock_and_loses_nothing(rolling: Rolling) -> None:
    rolling.hold(18, batches=6 * AN_HOUR)
    rolling.plane.rollouts.pause(rolling.id, actor=ON_CALL, reason="looking at a graph")
    rolling.hold(30, batches=6 * AN_HOUR)
    assert (rolling.now.state, rolling.now.proposal) == ("holding", None)
    assert rolling.now.reason == f"paused by {ON_CALL}: looking at a graph"
    rolling.plane.rollouts.resume(rolling.id, actor=ON_CALL)
    assert rolling.now.state == "observing"
    rolling.hold(5, step=1, batches=AN_HOUR)
    assert rolling.now.proposal is None, "the pause counted as watched"
    assert rolling.propose(1)


def test_a_pause_keeps_no_guardrail_from_rolling_back(rolling: Rolling) -> None:
    rolling.plane.rollouts.pause(rolling.id, actor=ON_CALL, reason="why not")
    rolling.service.runs(20, failed=20)
    rolling.plane.rollouts.evaluate_all()
    assert rolling.now.rollback_trigger == "criterion"
    assert rolling.service.share() == 0


def test_what_nobody_holds_nobody_resumes(rolling: Rolling) -> None:
    with pytest.raises(NotHeld):
        rolling.plane.rollouts.resume(rolling.id, actor=ON_CALL)


def test_an_extended_bake_takes_longer(rolling: Rolling) -> None:
    proposal = rolling.propose()
    rolling.plane.rollouts.extend_bake(rolling.id, "6h", actor=ON_CALL, reason="a graph")
    assert rolling.now.proposals[0].reason == "the bake was extended"
    assert rolling.now.state == "observing"
    rolling.hold(5, step=1, batches=AN_HOUR)
    assert rolling.now.proposal is None
    assert rolling.propose(1) != proposal


def test_an_override_stands_in_for_a_pass_once_a_second_person_agrees(service: Service) -> None:
    rolling = started(service)
    rolling.hold(1, step=1, batches=10)
    assert rolling.now.proposal is None
    rollouts = rolling.plane.rollouts
    rollouts.request_override(
        rolling.id, "error_rate", actor="ann", reason="ten a day is all there is", lasts="2h"
    )
    override = f"{rolling.id}-o1"
    rolling.hold(0.1, step=0.1, batches=1)
    assert rolling.now.proposal is None, "nobody agreed yet"
    for actor in ("ann", "ANN", ENGINEER):
        with pytest.raises(SamePerson):
            rollouts.approve_override(override, actor=actor)
    rollouts.approve_override(override, actor="bob")
    rolling.hold(0.1, step=0.1, batches=1)
    assert rolling.now.reason == "every criterion passes, error_rate overridden"
    proposal = rolling.now.proposal
    assert proposal is not None
    service.clock.advance(2 * HOUR)
    service.runs(1)
    with pytest.raises(ProposalOutdated, match="evidence lapsed: error_rate"):
        rollouts.approve(proposal.id, actor="bob")


def test_an_override_excuses_no_failure(service: Service) -> None:
    rolling = started(service)
    rollouts = rolling.plane.rollouts
    rollouts.request_override(rolling.id, "error_rate", actor="ann", reason="trust me")
    rollouts.approve_override(f"{rolling.id}-o1", actor="bob")
    service.runs(20, failed=20)
    rollouts.evaluate_all()
    assert rolling.now.state == "rolling_back"


def test_what_failed_cannot_be_overridden_or_skipped(service: Service) -> None:
    held = plan(criteria=[{**GUARD, "on_fail": "hold"}])
    rolling = Rolling(service, service.plane.rollouts.start(held, flag=FLAG, actor=ENGINEER).id)
    service.runs(20, failed=20)
    rolling.plane.rollouts.evaluate_all()
    rollouts = rolling.plane.rollouts
    with pytest.raises(WaveFailed):
        rollouts.request_override(rolling.id, "error_rate", actor="ann", reason="trust me")
    with pytest.raises(WaveFailed):
        rollouts.skip(rolling.id, actor="ann", reason="trust me")


def test_a_wave_is_skipped_by_two_people(rolling: Rolling) -> None:
    rolling.service.runs(10)
    rollouts = rolling.plane.rollouts
    skipping = rollouts.skip(rolling.id, actor="ann", reason="internal users are away").proposal
    assert skipping is not None
    assert (skipping.kind, skipping.proposed_by) == ("skip", "ann")
    rolling.plane.tick()
    assert rolling.now.proposal is not None, "a skip waits for no evidence"
    for actor in ("ann", ENGINEER):
        with pytest.raises(SamePerson):
            rollouts.approve(skipping.id, actor=actor)
    assert rollouts.approve(skipping.id, actor="bob").wave == 2


def test_a_proposal_to_skip_lapses_when_the_wave_fails(rolling: Rolling) -> None:
    rollouts = rolling.plane.rollouts
    rollouts.skip(rolling.id, actor="ann", reason="in a hurry")
    rolling.service.runs(20, failed=20)
    rollouts.evaluate_all()
    assert rolling.now.state == "rolling_back"
    assert rolling.now.proposals[0].state == "lapsed"


def test_a_draft_is_approved_by_others_and_then_starts_in_its_time(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    rollouts = service.plane.rollouts
    wanted = {**plan(), "start": {"needed": 2}}
    with pytest.raises(InvalidInput, match="make a draft of it first"):
        rollouts.start(wanted, flag=FLAG, actor=ENGINEER)
    draft = rollouts.draft(wanted, flag=FLAG, actor=ENGINEER)
    with pytest.raises(RolloutNotRunning):
        rollouts.pause(draft.id, actor=ON_CALL, reason="x")
    at = to_iso(service.clock.now + HOUR)
    assert rollouts.submit(draft.id, actor=ENGINEER, start_at=at).state == "pending_approval"
    with pytest.raises(SamePerson):
        rollouts.approve_start(draft.id, actor=ENGINEER)
    rollouts.approve_start(draft.id, actor="ann")
    assert rollouts.revise(draft.id, {**wanted, "version": "2"}, actor="ann").state == "draft"
    rollouts.submit(draft.id, actor=ENGINEER, start_at=at)
    with pytest.raises(SamePerson):
        rollouts.approve_start(draft.id, actor="ann")
    rollouts.approve_start(draft.id, actor="bob")
    assert rollouts.approve_start(draft.id, actor="cid").state == "armed"
    service.plane.tick()
    assert rollouts.get(draft.id).state == "armed"
    assert [one for one in caplog.messages if draft.id in one] == [], "it only waits for its time"
    service.clock.advance(HOUR)
    service.plane.tick()
    assert rollouts.get(draft.id).state == "entering"
    assert service.plane.flags.get(FLAG).percentage == 50


def test_a_start_that_came_due_after_a_rollback_waits_for_a_person(service: Service) -> None:
    """It was armed for later; meanwhile somebody pulled the flag."""
    rollouts = service.plane.rollouts
    running = rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    draft = rollouts.draft(plan(), flag=FLAG, actor=ENGINEER)
    rollouts.submit(draft.id, actor=ENGINEER, start_at=to_iso(service.clock.now + HOUR))
    service.clock.advance(2 * HOUR)
    service.plane.tick()
    rollouts.abort(running.id, actor=ON_CALL, reason="corrupts data")
    for _ in range(3):
        service.clock.advance(MINUTE)
        service.plane.tick()
        assert not service.plane.flags.get(FLAG).enabled
    assert rollouts.get(draft.id).state == "armed"
    assert rollouts.start(rollout=draft.id, actor=ENGINEER).state == "entering"


def test_what_is_not_signed_off_does_not_start(service: Service) -> None:
    item = {"name": "code", "area": "code", "role": "development lead"}
    rollouts = service.plane.rollouts
    wanted = {**plan(), "before_start": [item]}
    with pytest.raises(InvalidInput, match="make a draft of it first"):
        rollouts.start(wanted, flag=FLAG, actor=ENGINEER)
    draft = rollouts.draft(wanted, flag=FLAG, actor=ENGINEER)
    with pytest.raises(InvalidInput, match="in the role development lead"):
        rollouts.sign_off(draft.id, "code", actor="ann", role="passer-by")
    with pytest.raises(NotSignedOff):
        rollouts.start(rollout=draft.id, actor=ENGINEER)
    rollouts.sign_off(draft.id, "code", actor="ann", role="development lead")
    assert rollouts.start(rollout=draft.id, actor=ENGINEER).state == "entering"


def test_what_a_plan_wants_signed_before_completion_keeps_it_from_being_proposed(
    service: Service,
) -> None:
    item = {"name": "product manager", "area": "sign-off", "role": "product manager"}
    rolling = started(service, before_completion=[item])
    rolling.hold(3, step=1, batches=AN_HOUR * 4)
    assert rolling.now.proposal is None
    assert rolling.now.reason == "waits for sign-off: product manager"
    rollouts = rolling.plane.rollouts
    rollouts.sign_off(rolling.id, "product manager", actor="pia", role="product manager")
    proposal = rolling.propose(1)
    rollouts.withdraw_sign_off(rolling.id, "product manager", actor="pia", reason="a doubt")
    with pytest.raises(ProposalOutdated, match="waits for sign-off"):
        rollouts.approve(proposal, actor=ON_CALL)


def test_a_manual_criterion_waits_for_its_people(service: Service) -> None:
    manual = {"kind": "manual", "name": "looks good", "role": "support", "approvals": 2}
    wanted = plan(criteria=[GUARD, manual])
    rolling = Rolling(service, service.plane.rollouts.start(wanted, flag=FLAG, actor=ENGINEER).id)
    rolling.hold(2, step=1, batches=AN_HOUR * 4)
    assert rolling.now.proposal is None
    for actor in ("ann", "ANN", "bob"):
        rolling.plane.rollouts.sign_off(rolling.id, "looks good", actor=actor, role="support")
    assert rolling.propose(1)


def test_a_second_attempt_carries_no_verdict_over(service: Service) -> None:
    rolling = started(service)
    service.runs(20, failed=20)
    with pytest.raises(WrongState, match="cannot be tried again"):
        service.plane.rollouts.retry(rolling.id, actor=ENGINEER)
    service.plane.rollouts.evaluate_all()
    service.clock.advance(MINUTE)
    again = service.plane.rollouts.retry(rolling.id, actor=ENGINEER)
    assert (again.attempt, again.retry_of, again.state) == (2, rolling.id, "entering")
    assert Rolling(service, again.id).propose(1)


def test_a_past_moment_can_be_explained(rolling: Rolling) -> None:
    rolling.hold(12, batches=20)
    then = to_iso(rolling.service.clock.now)
    rolling.hold(24, batches=6 * AN_HOUR)
    explain = rolling.plane.rollouts.explain
    past = explain(rolling.id, at=then)
    assert past.status.rollout.state == "observing"
    assert past.sentence.startswith("wave 1 at 10 % is not promoted: ")
    assert past.status.evidence.executions == 40
    assert "has 0 of 1 approvals" in explain(rolling.id).sentence
    by_position = explain(rolling.id, at=past.position)
    assert by_position.status.evidence == past.status.evidence
    assert "rollout.promotion_proposed" not in [event.type for event in past.history]
