"""All that can be done to a rollout and happen to it, in any order."""

from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from controlplane import commands
from controlplane.errors import ControlPlaneError
from controlplane.flags import ChangeExposure
from controlplane.plans import Plan
from events.event import Actor
from events.timestamps import HOUR, MINUTE
from projections.rollouts import BEFORE_START
from tests.controlplane.rollout_laws import Ledger, Moment
from tests.controlplane.rollout_plans import CAREFUL, PLANS
from tests.controlplane.stage import ID, Rehearsal

BOB, CAROL, DORA = map(Actor.person, ("bob", "carol", "dora"))
PEOPLE = st.sampled_from(
    [
        *(BOB, CAROL, DORA, *map(Actor.person, (" BOB", "alice", "\uff21lice"))),
        *(Actor(kind="token", id="ci"), Actor(kind="scheduler", id="bob"), Actor.system("carol")),
    ]
)
MEANWHILE = st.sampled_from(["", "", "frozen", "a day", "turned"])
REASONS = st.sampled_from(["why", "why", "why", " "])


class RolloutMachine(RuleBasedStateMachine):
    """The decisions of one rollout, with a flag, evidence and freezes as they follow from them."""

    @initialize(plan=st.sampled_from(PLANS), starts=st.sampled_from([True, True, False]))
    def begin(self, plan: Plan, *, starts: bool) -> None:
        self.rehearsal, self.ledger = Rehearsal(plan), Ledger()
        drafted = self.rehearsal.history[-1].event
        self.ledger.follow(self.moment(), None, [drafted])  # type: ignore[arg-type]  # why: done
        if starts:
            self.sign(BOB, "team", back=False)
            self.command(commands.Submit(submitted_by="alice"))
            for by in (BOB, CAROL):
                self.command(commands.ApproveStart(approver=by), by)
            self.start()

    def moment(self) -> Moment:
        world = self.rehearsal.world
        wave = world.plan.waves[min(max(1, world.rollout.wave), len(world.plan.waves)) - 1]
        return Moment(
            now=world.now,
            frozen=self.rehearsal.frozen,
            exposure_version=world.flag.exposure_version,
            plan=world.plan,
            critical="critical" in world.evidence.open_alerts.values(),
            executions=world.wave.executions,
            served=world.flag.exposure_of(wave.audience.to_audience()) >= wave.percentage,
        )

    def command(self, command: Any, by: Actor = BOB) -> list[Any]:
        """Decide, let it happen, and hold it to the law."""
        moment = self.moment()
        try:
            events = self.rehearsal.does(command, by)
        except ControlPlaneError:
            return []
        self.ledger.follow(moment, command, events)
        return events

    @property
    def waits(self) -> str:
        proposal = self.rehearsal.rollout.proposal
        return proposal.id if proposal else f"{ID}-p1"

    # Circumstances

    @rule(minutes=st.sampled_from([1, 10, 60, 180, 25 * 60]))
    def wait(self, minutes: int) -> None:
        self.rehearsal.waits(minutes * MINUTE)

    @rule(minutes=st.sampled_from([10, 60, 180]))
    def run(self, minutes: int) -> None:
        self.rehearsal.passes(minutes * MINUTE, batches=4)

    @rule(failed=st.sampled_from([0, 1, 9]))
    def run_some(self, failed: int) -> None:
        self.rehearsal.serves(9, failed=failed)

    @rule(on=st.booleans())
    def freeze_or_thaw(self, *, on: bool) -> None:
        if on:
            self.rehearsal.freezes(ends_at=self.rehearsal.now + 6 * HOUR)
        else:
            self.rehearsal.thaws()

    @rule(severity=st.sampled_from(["critical", "warning"]), over=st.booleans())
    def alert(self, severity: Any, *, over: bool) -> None:
        self.rehearsal.raises(severity)
        if over:
            self.rehearsal.resolves()

    @rule(percentage=st.sampled_from([0, 5, 10, 50]))
    def somebody_turns_the_flag(self, percentage: float) -> None:
        wave = min(max(1, self.rehearsal.rollout.wave), len(self.rehearsal.plan.waves))
        audience = self.rehearsal.plan.waves[wave - 1].audience.to_audience()
        with suppress(ControlPlaneError):
            self.rehearsal.steers_flag(ChangeExposure(percentage=percentage, audience=audience))

    # Before the start

    @precondition(lambda self: self.rehearsal.rollout.phase in BEFORE_START)
    @rule(plan=st.sampled_from(PLANS), by=PEOPLE)
    def revise(self, plan: Plan, by: Actor) -> None:
        self.command(commands.Revise(plan=plan, revised_by=by.id), by)

    @precondition(lambda self: self.rehearsal.rollout.phase in BEFORE_START)
    @rule(by=PEOPLE, other=PEOPLE, third=PEOPLE, revises=st.booleans())
    def agree_to_the_start(self, by: Actor, other: Actor, third: Actor, *, revises: bool) -> None:
        self.command(commands.Submit(submitted_by="alice"))
        for one in (by, other, third):
            self.command(commands.ApproveStart(approver=one), one)
            if revises:
                self.command(commands.Revise(plan=CAREFUL, revised_by="dora"), DORA)
                self.command(commands.Submit(submitted_by="alice"))
        self.start()

    @precondition(lambda self: self.rehearsal.rollout.phase in BEFORE_START)
    @rule(by=PEOPLE)
    def reject_the_start(self, by: Actor) -> None:
        self.command(commands.RejectStart(rejected_by=by, reason="no"), by)

    @precondition(lambda self: self.rehearsal.rollout.phase in BEFORE_START)
    @rule()
    def start(self) -> None:
        self.command(commands.Start(started_by="alice", frozen=self.rehearsal.frozen))

    # Looking and deciding

    @precondition(lambda self: self.rehearsal.rollout.is_active)
    @rule()
    def look(self) -> None:
        self.command(commands.Judge(look=self.rehearsal.look()))

    @precondition(lambda self: self.rehearsal.rollout.is_active)
    @rule(by=PEOPLE)
    def approve(self, by: Actor) -> None:
        look = self.rehearsal.look()
        self.command(commands.Approve(proposal=self.waits, approver=by, look=look), by)

    @precondition(lambda self: self.rehearsal.rollout.is_active)
    @rule(
        first=PEOPLE, second=PEOPLE, meanwhile=MEANWHILE, signs=st.sampled_from([True, True, False])
    )
    def a_wave_goes_well(self, first: Actor, second: Actor, meanwhile: str, *, signs: bool) -> None:
        for by in (BOB, CAROL) if signs else ():
            for item in ("code", "sign_off"):
                self.sign(by, item, back=False)
        self.rehearsal.passes(200 * MINUTE, batches=4)
        self.answer("PASS")
        self.look()
        if meanwhile == "frozen":
            self.freeze_or_thaw(on=True)
        if meanwhile == "turned":
            wave = self.rehearsal.plan.stage(min(2, self.rehearsal.rollout.wave))
            self.somebody_turns_the_flag(0)
            self.somebody_turns_the_flag(getattr(wave, "percentage", 50))
        if meanwhile == "a day":
            self.rehearsal.resolves()
            self.rehearsal.waits(25 * HOUR)
            self.rehearsal.serves(2)
            self.answer("PASS")
        for by in (first, second):
            if self.rehearsal.rollout.is_active:
                self.approve(by)
        if meanwhile and self.rehearsal.rollout.is_active:
            self.look()

    @rule(waves=st.integers(1, 3))
    def some_waves_go_well(self, waves: int) -> None:
        for _ in range(waves):
            if self.rehearsal.rollout.is_active:
                self.a_wave_goes_well(BOB, CAROL, "", signs=True)

    @precondition(lambda self: self.rehearsal.rollout.is_active)
    @rule(other=st.just(CAROL) | PEOPLE, agrees=st.booleans(), late=st.booleans())
    def the_bake_is_overridden(self, other: Actor, *, agrees: bool, late: bool) -> None:
        self.rehearsal.serves(30)
        self.answer("PASS")
        expires_at = self.rehearsal.now + 9 * MINUTE
        request = commands.RequestOverride(
            criterion="bake_time", requested_by="dora", reason="why", expires_at=expires_at
        )
        for asked in self.command(request, DORA):
            if agrees:
                agree = commands.ApproveOverride(override=asked.override, approver=other)
                self.command(agree, other)
        if late:
            self.rehearsal.passes(10 * MINUTE)
        self.look()

    @precondition(lambda self: self.rehearsal.rollout.is_active)
    @rule(second=PEOPLE, again=st.booleans())
    def a_wave_goes_badly(self, second: Actor, *, again: bool) -> None:
        self.rehearsal.serves(9, failed=9)
        self.look()
        if again and self.rehearsal.rollout.is_active:
            self.skip(DORA, "why")
            self.a_wave_goes_well(CAROL, second, "", signs=True)

    @precondition(lambda self: self.rehearsal.rollout.is_active)
    @rule(by=PEOPLE, first=PEOPLE, second=PEOPLE, frozen=st.booleans())
    def a_wave_is_skipped(self, by: Actor, first: Actor, second: Actor, *, frozen: bool) -> None:
        self.skip(by, "why")
        if frozen:
            self.freeze_or_thaw(on=True)
        for one in (first, second):
            if self.rehearsal.rollout.is_active:
                self.approve(one)

    @rule(reason=REASONS, by=PEOPLE)
    def reject(self, reason: str, by: Actor) -> None:
        self.command(commands.Reject(proposal=self.waits, rejected_by="bob", reason=reason))
        self.resume(by)

    @rule(reason=REASONS)
    def withdraw(self, reason: str) -> None:
        self.command(commands.Withdraw(proposal=self.waits, withdrawn_by="bob", reason=reason))

    @precondition(lambda self: self.rehearsal.rollout.is_active)
    @rule(by=PEOPLE, reason=REASONS)
    def skip(self, by: Actor, reason: str) -> None:
        look = self.rehearsal.look()
        self.command(commands.Skip(proposed_by=by.id, reason=reason, look=look), by)

    # Intervening

    @rule(reason=REASONS)
    def pause(self, reason: str) -> None:
        self.command(commands.Pause(reason=reason))

    @rule(by=PEOPLE)
    def resume(self, by: Actor) -> None:
        self.command(commands.Resume(resumed_by=by, reason=""), by)

    @rule(by_us=st.sampled_from([HOUR, HOUR, 0]))
    def extend(self, by_us: int) -> None:
        self.command(commands.ExtendBake(by_us=by_us, reason="why"))

    @rule(
        by=PEOPLE,
        other=PEOPLE,
        criterion=st.sampled_from(["error_rate", "bake_time", "external", "sign_off"]),
        lasts_us=st.sampled_from([MINUTE, 5 * HOUR]),
        back=st.sampled_from([False, False, True]),
    )
    def override(
        self, by: Actor, other: Actor, criterion: str, lasts_us: int, *, back: bool
    ) -> None:
        expires_at = self.rehearsal.now + lasts_us
        request = commands.RequestOverride(
            criterion=criterion, requested_by=by.id, reason="why", expires_at=expires_at
        )
        for asked in self.command(request, by):
            id_ = asked.override
            self.command(commands.ApproveOverride(override=id_, approver=other), other)
            if back:
                withdraw = commands.WithdrawOverride(override=id_, withdrawn_by="bob", reason="why")
                self.command(withdraw)

    @rule(by=PEOPLE, item=st.sampled_from(["code", "team", "sign_off"]), back=st.booleans())
    def sign(self, by: Actor, item: str, *, back: bool) -> None:
        self.command(commands.SignOff(item=item, role="", signed_by=by), by)
        if back:
            self.command(commands.WithdrawSignOff(item=item, signed_by=by.id, reason="why"), by)

    @rule(verdict=st.sampled_from(["PASS", "PASS", "PASS", "INCONCLUSIVE", "FAIL"]), by=PEOPLE)
    def answer(self, verdict: Any, by: Actor = BOB) -> None:
        self.command(commands.Answer(criterion="external", verdict=verdict, answered_by=by), by)

    # Ending

    @precondition(lambda self: len(self.rehearsal.history) > 500)
    @rule()
    def abort(self) -> None:
        self.command(commands.Abort(reason="why", aborted_by="bob"))

    @rule()
    def follow(self) -> None:
        if self.rehearsal.rollout.phase == "rolling_back":
            moment, events = self.moment(), self.rehearsal.follows()
            self.ledger.follow(moment, None, events)  # type: ignore[arg-type]  # why: done
