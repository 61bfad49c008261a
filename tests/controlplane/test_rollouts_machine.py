"""Whatever is commanded in whatever order: what a rollout may never do, it does not do."""

from typing import Any

from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from controlplane import rollouts
from controlplane.assessment import assess, digest
from controlplane.commands import Abort
from events.codec import encode
from events.judgements import WaveJudged
from events.promotions import PromotionProposed
from events.rollouts import RollbackStarted, RolloutCancelled
from projections.evidence import EVIDENCE
from projections.rollouts import BEFORE_START, ROLLOUTS
from tests.controlplane.rollout_laws import BY_PEOPLE
from tests.controlplane.rollout_machine import RolloutMachine
from tests.controlplane.rollout_stories import failing
from tests.controlplane.stage import Folded

abort = Abort(reason="why", aborted_by="bob")


class LawfulMachine(RolloutMachine):
    """The ledger holds each decision to the law; here is what holds between them."""

    def decided(self, command: Any) -> list[Any]:
        return rollouts.decide(self.rehearsal.rollout, command, self.rehearsal.now)

    @invariant()
    def it_can_be_ended_whatever_it_waits_for(self) -> None:
        rollout = self.rehearsal.rollout
        if rollout.phase in BEFORE_START:
            assert isinstance(self.decided(abort)[-1], RolloutCancelled)
        elif rollout.is_active:
            for command in (abort, failing):
                last = self.decided(command)[-1]
                assert isinstance(last, RollbackStarted)
                assert encode(last)

    @invariant()
    def the_fold_says_what_the_events_said(self) -> None:
        rollout, ledger = self.rehearsal.rollout, self.ledger
        assert {hold.kind for hold in rollout.holds} == ledger.holds
        waits = rollout.proposal.id if rollout.proposal else None
        if rollout.is_active:
            assert waits == (ledger.waits.said.proposal if ledger.waits else None)
            assert rollout.wave == ledger.wave == ledger.promoted + 1
        assert sum(proposal.waits for proposal in rollout.proposals) <= 1
        assert rollout.is_active == (ledger.wave > 0 and not ledger.ends)
        assert ("criterion" in ledger.holds) <= ledger.failed

    @invariant()
    def what_waits_is_not_held_by_people_and_a_pause_stops_the_clock(self) -> None:
        rollout = self.rehearsal.rollout
        if rollout.is_active:
            kinds = {hold.kind for hold in rollout.holds}
            stopped = bool(kinds & {"paused", "exposure", "split"})
            assert bool(self.rehearsal.world.wave.paused_at) == stopped
            if rollout.proposal is not None and rollout.proposal.kind == "promotion":
                assert not kinds & BY_PEOPLE

    @invariant()
    def the_flag_serves_no_more_than_the_waves_that_were_entered(self) -> None:
        rollout, flag = self.rehearsal.rollout, self.rehearsal.flag
        assert (flag.rollout is not None) == rollout.is_active
        entered = self.rehearsal.plan.waves[: rollout.wave]
        for exposure in flag.exposures:
            granted = [
                w.percentage for w in entered if w.audience.to_audience() == exposure.audience
            ]
            assert exposure.percentage <= max(granted, default=0)
        if rollout.rollback_at:
            assert not flag.enabled

    def teardown(self) -> None:
        """Judged again from the log, every look comes out the same; and states are JSON."""
        if not hasattr(self, "rehearsal"):
            return
        looks = {
            recorded.event.as_of: recorded
            for recorded in self.rehearsal.history
            if isinstance(recorded.event, WaveJudged | PromotionProposed)
        }
        past = Folded()
        for recorded in self.rehearsal.history:
            past.fold(recorded)
            if recorded.position in looks:
                self.compare(looks[recorded.position], past)
                past.is_stored()
        for projection in (ROLLOUTS, EVIDENCE):
            state = past.states[projection.name]
            assert projection.decode(projection.encode(state)) == state

    def compare(self, look: Any, past: Folded) -> None:
        event = look.event
        judged = isinstance(event, WaveJudged)
        world = past.world(event.judged_at if judged else look.occurred_at)
        found = assess(world)
        assert digest(world.wave) == event.evidence_digest
        if judged:
            said = (event.verdict, event.reason, event.judgements)
            assert said == (found.verdict, found.reason, found.judgements)
        else:
            assert event.kind == "skip" or found.action == "promote"


def test_a_rollout_never_does_what_it_may_not() -> None:
    run_state_machine_as_test(
        LawfulMachine, settings=settings(max_examples=200, stateful_step_count=40)
    )
