"""Whatever is commanded in whatever order: what a rollout may never do, it does not do."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from controlplane import rollouts
from controlplane.assessment import assess
from controlplane.criteria.verdict import Seen
from controlplane.errors import ControlPlaneError
from controlplane.plans import Plan
from controlplane.rollouts import HEARTBEAT_US, Abort, Approve, Judge, Reject, StartRollout
from events.event import Actor
from events.rollouts import (
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    RolloutCompleted,
    RolloutRolledBack,
    SoakStarted,
    WaveEntered,
    WaveJudged,
)
from events.timestamps import DAY, HOUR, MINUTE
from projections.evidence import Evidence
from projections.flags import Exposure, Flag
from projections.rollouts import ROLLOUTS, Rollout
from tests.controlplane.rollout_stories import ID
from tests.controlplane.samples import GUARD, HOLDING_GUARD, plan, seen
from tests.projections.recording import START, At, told

PEOPLE = st.sampled_from(
    [
        *map(Actor.person, ("bob", "carol", "bob", "alice", " Alice", "ALICE")),
        Actor(kind="token", id="ci"),
        Actor(kind="scheduler", id="bob"),
        Actor.system("carol"),
    ]
)
PLANS = st.sampled_from([plan([GUARD]), plan([HOLDING_GUARD]), plan([GUARD], soak=None)])
EXECUTIONS = st.sampled_from([(90, 0), (30, 0), (30, 2), (5, 5)])


def without_numbers(reason: str) -> str:
    return "".join(one for one in reason if one not in "0123456789.,")


class RolloutMachine(RuleBasedStateMachine):
    """The decisions of one rollout, with a flag that does as the rollout says."""

    @initialize(plan=PLANS)
    def start(self, plan: Plan) -> None:
        self.plan, self.now, self.history = plan, START, []
        self.exposure_version = 1
        self.served = 0.0
        self.failed_once = False
        self.promotions = 0
        self.rejected_at: dict[int, int] = {}
        self.count = (0, 0)
        self.last_at = START
        command = StartRollout(flag="checkout", plan=plan, attempt=1, requested_by="alice")
        self.command(command)

    @property
    def rollout(self) -> Rollout:
        return ROLLOUTS.fold(ID, told(*self.history))

    def command(self, command: Any) -> list[Any]:
        """Decide, hold what was decided to the law, and let it happen."""
        before = self.rollout
        try:
            events = rollouts.decide(before, command, self.now)
        except ControlPlaneError:
            return []
        for event in events:
            self.check(before, event, command)
            if isinstance(event, WaveEntered | SoakStarted):
                self.count = (0, 0)
            if isinstance(event, WaveEntered):
                self.served, self.exposure_version = event.percentage, self.exposure_version + 1
            self.history.append(At(self.now, event))
        return events

    def check(self, before: Rollout, event: Any, command: Any) -> None:
        match event:
            case WaveEntered(wave=1):
                assert isinstance(command, StartRollout)
            case WaveEntered() | SoakStarted() | RolloutCompleted():
                assert isinstance(command, Approve)
                assert command.approver.kind in {"person", "token"}
                assert command.approver.id.strip().lower() != before.requested_by == "alice"
                assert before.proposal is not None
                assert before.proposal.id == command.proposal
                assert before.proposal.state == "open"
                assert self.now < before.proposal.expires_at
                assert before.proposal.exposure_version == self.exposure_version
                assert before.proposal.wave == before.wave
                assert not self.failed_once, "a FAIL was followed by a promotion"
                self.promotions += 1
            case PromotionProposed():
                assert before.proposal is None
                assert command.assessment.verdict == "PASS"
                assert self.now - self.rejected_at.get(before.wave, 0) >= DAY
                assert not self.failed_once
            case WaveJudged(verdict=verdict):
                self.failed_once |= verdict == "FAIL"
                verdicts = [j.verdict for j in before.judgements]
                news = (
                    before.judged_at == 0
                    or verdict != before.verdict
                    or without_numbers(event.reason) != without_numbers(before.reason)
                    or verdicts != [j.verdict for j in event.judgements]
                    or any(
                        int(a.progress * 10) != int(b.progress * 10)
                        for a, b in zip(before.judgements, event.judgements, strict=True)
                    )
                )
                assert news or self.now - before.judged_at >= HEARTBEAT_US
            case ProposalApproved() | ProposalRejected() | ProposalLapsed():
                assert before.proposal is not None
                assert before.proposal.id == event.proposal
                if isinstance(event, ProposalRejected):
                    self.rejected_at[before.wave] = self.now

    @rule(minutes=st.sampled_from([1, 10, 60, 180, 25 * 60]))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(more=EXECUTIONS)
    def run(self, more: tuple[int, int]) -> None:
        self.count = (self.count[0] + more[0], self.count[1] + more[1])
        self.last_at = self.now

    @rule()
    def look(self) -> None:
        rollout = self.rollout
        wave = max(1, rollout.wave)
        waves = [
            seen(
                *self.count,
                wave=number,
                entered_at=rollout.wave_entered_at,
                last_at=self.last_at,
            )
            for number in range(1, wave + 1)
        ]
        stage = self.plan.stage(min(wave, len(self.plan.waves)))
        audience = stage.audience.to_audience()
        flag = Flag("checkout", enabled=True, exposures=(Exposure(audience, self.served),))
        look = assess(
            rollout,
            self.plan,
            flag,
            Evidence("checkout", ID, gathering=True, waves=waves),
            self.now,
        )
        judging = Seen(wave=waves[-1], hold_us=stage.hold, now=self.now)
        failing = self.plan.stage(wave).criteria[0].judge(judging).verdict == "FAIL"
        events = self.command(
            Judge(
                assessment=look,
                as_of=len(self.history),
                evidence_digest="",
                exposure_version=self.exposure_version,
            )
        )
        if failing and rollout.is_active:
            assert self.failed_once
            guard_rolls_back = self.plan.stage(wave).criteria[0].on_fail == "rollback"
            assert any(isinstance(e, RolloutRolledBack) for e in events) == guard_rolls_back

    @rule(person=PEOPLE, meanwhile=st.sampled_from(["nothing", "nothing", "a day", "lowered"]))
    def a_wave_goes_well(self, person: Actor, meanwhile: str) -> None:
        self.wait(4 * 60)
        self.run((400, 0))
        self.look()
        if meanwhile == "a day":
            self.wait(25 * 60)
        if meanwhile == "lowered":
            self.somebody_lowers_the_exposure()
        self.approve(person, 2)

    @rule(person=PEOPLE, number=st.integers(1, 4))
    def approve(self, person: Actor, number: int) -> None:
        proposal = self.rollout.proposal
        self.command(
            Approve(
                proposal=proposal.id if proposal and number > 1 else f"{ID}-p{number}",
                approver=person,
                exposure_version=self.exposure_version,
            )
        )

    @rule(number=st.integers(1, 4), reason=st.sampled_from(["no", "no", " "]))
    def reject(self, number: int, reason: str) -> None:
        events = self.command(Reject(proposal=f"{ID}-p{number}", rejected_by="bob", reason=reason))
        assert not events or reason == "no"

    @rule()
    def somebody_lowers_the_exposure(self) -> None:
        self.served = 0.0
        self.exposure_version += 1

    @precondition(lambda self: self.now > START + 20 * HOUR)
    @rule()
    def abort(self) -> None:
        before = self.rollout
        events = self.command(Abort(reason="why"))
        assert bool(events) == before.is_active
        assert not self.rollout.is_active

    @invariant()
    def one_proposal_at_most_is_open(self) -> None:
        rollout = self.rollout
        waiting = [proposal for proposal in rollout.proposals if proposal.state == "open"]
        assert len(waiting) == (rollout.state == "proposed")

    @invariant()
    def each_step_forward_was_approved(self) -> None:
        approved = [p for p in self.rollout.proposals if p.state == "approved"]
        assert len(approved) == self.promotions
        assert self.rollout.wave == min(self.promotions + 1, len(self.plan.waves) + 1) or (
            self.rollout.state == "completed"
        )

    @invariant()
    def what_has_ended_serves_nobody_or_its_last_wave(self) -> None:
        rollout = self.rollout
        if not rollout.is_active:
            assert rollout.percentage == (0 if rollout.state == "rolled_back" else 50)


def test_a_rollout_never_does_what_it_may_not() -> None:
    run_state_machine_as_test(
        RolloutMachine, settings=settings(max_examples=100, stateful_step_count=30)
    )
