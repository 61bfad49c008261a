"""Proposals: asked for only when approval alone is missing, and good only while that holds."""

import pytest

from controlplane.errors import ProposalClosed, ProposalOutdated, RolloutEnded, SamePerson
from events.flags import Audience, Condition
from events.timestamps import HOUR, MINUTE
from tests.journeys.traffic import ENGINEER, ENOUGH, FLAG, ON_CALL, Rolling, Service, plan, types

INTERNAL = Audience("internal", (Condition("group", "equals", "internal"),))


def test_no_telemetry_never_promotes(rolling: Rolling) -> None:
    for _ in range(20):
        rolling.service.clock.advance(24 * HOUR)
        rolling.plane.tick()
    assert (rolling.now.state, rolling.now.verdict) == ("holding", "INCONCLUSIVE")
    assert "nobody reports the new code" in rolling.now.reason
    assert rolling.now.proposals == ()
    assert {alert.rule for alert in rolling.plane.alerts.open()} == {
        "TELEMETRY_STALE",
        "WAVE_STALLED",
    }


def test_little_telemetry_promotes_no_more_than_none(rolling: Rolling) -> None:
    rolling.hold(7 * 24, step=24, batches=1)
    assert (rolling.now.verdict, rolling.now.proposals) == ("INCONCLUSIVE", ())


def test_stale_evidence_lapses_a_proposal(rolling: Rolling) -> None:
    proposal = rolling.propose()
    rolling.service.clock.advance(16 * MINUTE)
    rolling.plane.tick()
    assert rolling.now.state == "evaluating"
    assert (rolling.now.proposals[0].state, rolling.now.proposal) == ("lapsed", None)
    assert "no execution for 16m" in rolling.now.proposals[0].reason
    with pytest.raises(ProposalClosed, match="is lapsed"):
        rolling.approve(proposal)


def test_what_no_longer_passes_cannot_be_approved_between_two_looks(rolling: Rolling) -> None:
    proposal = rolling.propose()
    rolling.service.runs(ENOUGH, failed=ENOUGH)
    with pytest.raises(ProposalOutdated, match="its evidence lapsed: error_rate"):
        rolling.approve(proposal)
    assert rolling.now.wave == 1


def test_what_went_silent_cannot_be_approved_between_two_looks(rolling: Rolling) -> None:
    proposal = rolling.propose()
    rolling.service.clock.advance(20 * MINUTE)
    with pytest.raises(ProposalOutdated, match="the evidence is stale"):
        rolling.approve(proposal)


def test_rejected_the_wave_is_held_until_another_than_its_asker_resumes_it(
    rolling: Rolling,
) -> None:
    first = rolling.propose()
    rolling.plane.rollouts.reject(first, actor=ON_CALL, reason="not on a Friday")
    rejected = rolling.now.proposals[0]
    assert (rejected.state, rejected.decided_by) == ("rejected", ON_CALL)
    with pytest.raises(ProposalClosed, match="not on a Friday"):
        rolling.approve(first)
    rolling.hold(48, step=12)
    assert (rolling.now.state, rolling.now.proposal) == ("holding", None)
    with pytest.raises(SamePerson):
        rolling.plane.rollouts.resume(rolling.id, actor=ENGINEER)
    rolling.plane.rollouts.resume(rolling.id, actor=ON_CALL, reason="it is Monday")
    second = rolling.propose(1)
    assert second == f"{rolling.id}-p2"
    assert rolling.approve(second).wave == 2


def test_an_expired_proposal_is_refused_and_replaced(rolling: Rolling) -> None:
    proposal = rolling.propose()
    rolling.service.clock.advance(24 * HOUR)
    rolling.service.runs(10)
    with pytest.raises(ProposalOutdated, match="it expired"):
        rolling.approve(proposal)
    rolling.plane.tick()
    assert rolling.now.proposals[0].reason == "it expired"
    rolling.plane.tick()
    assert rolling.now.proposal is not None
    assert rolling.now.proposal.id == f"{rolling.id}-p2"


@pytest.mark.parametrize("actor", [ENGINEER, f"  {ENGINEER} "])
def test_who_asked_for_the_rollout_cannot_approve_it(rolling: Rolling, actor: str) -> None:
    proposal = rolling.propose()
    with pytest.raises(SamePerson, match="A second person must"):
        rolling.plane.rollouts.approve(proposal, actor=actor)
    assert rolling.now.state == "proposed"


@pytest.mark.parametrize("proposal", ["", "x", f"{FLAG}-r1", f"{FLAG}-r1-p9", f"{FLAG}-r9-p1"])
def test_what_was_never_proposed_cannot_be_approved(rolling: Rolling, proposal: str) -> None:
    rolling.propose()
    with pytest.raises(Exception, match="There is no proposal"):
        rolling.approve(proposal)


def test_approved_twice_it_promotes_once(rolling: Rolling) -> None:
    proposal = rolling.propose()
    rolling.approve(proposal)
    with pytest.raises(ProposalClosed, match="is promoted"):
        rolling.approve(proposal)
    assert types(rolling.plane, type="rollout.wave_promoted") == ["rollout.wave_promoted"]


def observing(_: Rolling) -> None:
    """Just entered."""


def proposed(rolling: Rolling) -> None:
    rolling.propose()


def soaking(rolling: Rolling) -> None:
    rolling.advance_to(5)


def soak_proposed(rolling: Rolling) -> None:
    rolling.advance_to(5)
    rolling.propose(14 * 24)


@pytest.mark.parametrize("state", [observing, proposed, soaking, soak_proposed])
def test_it_can_be_aborted_from_every_state(rolling: Rolling, state: object) -> None:
    state(rolling)
    rolling.plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="enough")
    assert (rolling.now.state, rolling.now.reason) == ("rolling_back", "enough")
    assert rolling.now.proposal is None
    assert rolling.service.share() == 0
    assert not rolling.plane.flags.get(FLAG).enabled


def test_aborted_twice_it_ends_once(rolling: Rolling) -> None:
    rolling.plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="enough")
    head = rolling.plane.head()
    rolling.plane.rollouts.abort(rolling.id, actor=ENGINEER, reason="me too")
    assert rolling.plane.head() == head


def test_what_is_complete_can_no_longer_be_aborted(service: Service) -> None:
    rolling = Rolling(service, service.plane.rollouts.start(plan(), flag=FLAG, actor=ENGINEER).id)
    assert rolling.approve(rolling.propose(1)).state == "completed"
    for act in (
        lambda: service.plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="late"),
        lambda: service.plane.rollouts.evaluate(rolling.id),
    ):
        with pytest.raises(RolloutEnded, match="is completed"):
            act()
    assert service.plane.flags.get(FLAG).percentage == 50


def test_switching_the_flag_off_rolls_back(rolling: Rolling) -> None:
    rolling.plane.flags.disable(FLAG, actor=ON_CALL, reason="kill switch")
    assert (rolling.now.state, rolling.now.reason) == ("rolling_back", "kill switch")


def test_exposure_lowered_by_hand_holds_the_wave(rolling: Rolling) -> None:
    proposal = rolling.propose()
    rolling.plane.flags.set_percentage(FLAG, 4, audience=INTERNAL, actor=ON_CALL)
    with pytest.raises(ProposalOutdated, match="exposure was changed since"):
        rolling.approve(proposal)
    rolling.hold(48, step=12)
    assert (rolling.now.state, rolling.now.proposal) == ("holding", None)
    assert rolling.now.reason == "the flag serves 4 % of internal, not the planned 10 %"


def test_a_hold_on_fail_holds_for_good_and_does_not_roll_back(service: Service) -> None:
    holding = [{"kind": "rate_below", "bound": 0.05, "on_fail": "hold"}]
    started = service.plane.rollouts.start(plan(criteria=holding), flag=FLAG, actor=ENGINEER)
    rolling = Rolling(service, started.id)
    service.runs(50, failed=15)
    rolling.plane.rollouts.evaluate(started.id)
    rolling.hold(48, step=12, batches=500)
    assert (rolling.now.state, rolling.now.proposals) == ("holding", ())
    assert "a failure stands for the attempt" in rolling.now.reason
    assert service.plane.flags.get(FLAG).enabled
