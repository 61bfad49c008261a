"""`plane.rollouts`: the Python API of rollouts."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from controlplane import commands, evaluation, plans, rollouts
from controlplane.criteria.external import External
from controlplane.errors import (
    AlreadyExposed,
    CriticalAlertOpen,
    FreezeOn,
    InvalidInput,
    NotSignedOff,
    RolloutEnded,
    RolloutInCharge,
    RolloutNotFound,
    RolloutNotRunning,
    WrongState,
)
from controlplane.execution import Transaction
from controlplane.looks import look_at
from controlplane.outgoing.asking import Ask
from controlplane.plane.consequences import (
    fold_flag,
    fold_rollout,
    refuse_open_alerts,
    stage_rollout,
)
from controlplane.plane.core import Core, Who, as_actor, moment, printable
from controlplane.plane.explanations import Explanation, Status, explain, status
from controlplane.plane.starting import draft, start
from controlplane.plane.steering import Steering
from controlplane.plane.verification import Verification, verify
from controlplane.plane.worlds import world_in, world_now
from controlplane.plans import FOUR_WAVES, Plan
from controlplane.reading import latest_first
from events.errors import LogUnavailable
from events.event import Actor
from events.promotions import WavePromoted
from events.timestamps import SECOND
from projections.evidence import EVIDENCE
from projections.promotions import Proposal
from projections.rollbacks import AfterRollback
from projections.rollouts import ROLLOUTS, Rollout

logger = logging.getLogger(__name__)

T = TypeVar("T")
_NOT_YET = (
    AlreadyExposed,
    CriticalAlertOpen,
    FreezeOn,
    NotSignedOff,
    RolloutInCharge,
    WrongState,
)
"""Why one that is to start by itself does not, for now."""

SCHEDULER = Actor(kind="scheduler", id=evaluation.SCHEDULER, name=evaluation.SCHEDULER)
OUTSIDE = Actor.system("external-criteria")
AnyPlan = Plan | Path | str | Mapping[str, Any]


class Rollouts(Steering):
    """Takes a flag through the waves of a plan. `ask`: how something outside is asked."""

    def __init__(self, core: Core, ask: Ask) -> None:
        super().__init__(core)
        self._ask = ask

    def draft(
        self, plan: AnyPlan = FOUR_WAVES, *, flag: str, actor: Who, may_plan: bool = True
    ) -> Rollout:
        """Ask for a rollout, to be signed off, approved and started later.

        Raises FlagNotFound, InvalidInput; PlanNotPermitted to who may not plan without others.
        """
        who, wanted = as_actor(actor), as_plan(plan)
        return self._run(lambda t: draft(t, flag, wanted, who.id, may_plan=may_plan).id, who)

    def revise(self, id_: str, plan: AnyPlan, *, actor: Who) -> Rollout:
        """Give one that has not started another plan; its approvals begin anew."""
        who = as_actor(actor)
        return self._do(id_, commands.Revise(plan=as_plan(plan), revised_by=who.id), who)

    def submit(self, id_: str, *, actor: Who, start_at: datetime | str | None = None) -> Rollout:
        """Ask for approval to start; `start_at`: when it then starts by itself."""
        who = as_actor(actor)
        return self._do(id_, commands.Submit(submitted_by=who.id, start_at=moment(start_at)), who)

    def approve_start(
        self, id_: str, *, actor: Who, reason: str = "", plan_hash: str = ""
    ) -> Rollout:
        """Agree to the start; `plan_hash`: of the plan that was read, which must still be it.

        Raises SamePerson, AlreadyApproved, NotAnApprover, WrongState.
        """
        who = as_actor(actor)
        command = commands.ApproveStart(approver=who, reason=reason, plan_hash=plan_hash)
        return self._do(id_, command, who)

    def reject_start(self, id_: str, *, actor: Who, reason: str) -> Rollout:
        """Send it back to its authors."""
        who = as_actor(actor)
        return self._do(id_, commands.RejectStart(rejected_by=who, reason=reason), who)

    def start(
        self,
        plan: AnyPlan = FOUR_WAVES,
        *,
        actor: Who,
        flag: str = "",
        rollout: str = "",
        may_plan: bool = True,
    ) -> Rollout:
        """Enter wave 1: of a plan on a flag, or of a rollout that was drafted.

        `plan`: a Plan, its data, or a YAML or JSON file. Raises FlagNotFound, RolloutInCharge,
        CriticalAlertOpen, AlreadyExposed, FreezeOn, NotSignedOff, WrongState, InvalidInput,
        PlanNotPermitted as `draft` does.
        """
        who, wanted = as_actor(actor), as_plan(plan)

        def work(transaction: Transaction) -> str:
            if rollout:
                return start(transaction, fold_rollout(transaction, rollout), who.id)
            if wanted.start.needed or any(item.required for item in wanted.required_after(0)):
                raise InvalidInput(
                    reason="this plan asks for approvals or sign-offs before its start: make a "
                    "draft of it first, and have that submitted"
                )
            made = draft(transaction, flag, wanted, who.id, may_plan=may_plan)
            return start(transaction, made, who.id)

        return self._run(work, who)

    def retry(self, id_: str, *, actor: Who, may_plan: bool = True) -> Rollout:
        """Try again with the same plan: a new attempt, of which nothing is decided yet.

        It starts at once where its plan asks for no approval or sign-off before, else it is a
        draft. Raises WrongState unless the earlier attempt is over, and what `start` raises.
        """
        who = as_actor(actor)

        def work(transaction: Transaction) -> str:
            earlier = fold_rollout(transaction, id_)
            if earlier.state == "absent":
                raise RolloutNotFound(rollout=id_)
            if earlier.phase not in ("rolling_back", "rolled_back", "cancelled"):
                state = earlier.state.replace("_", " ")
                raise WrongState(rollout=id_, state=state, action="tried again")
            plan = plans.recorded(earlier.plan)
            drafted = draft(
                transaction, earlier.flag, plan, who.id, retry_of=id_, may_plan=may_plan
            )
            waits = plan.start.needed or any(i.required for i in plan.required_after(0))
            return drafted.id if waits else start(transaction, drafted, who.id)

        return self._run(work, who)

    def get(self, id_: str) -> Rollout:
        """The rollout as it stands. Raises RolloutNotFound."""
        rollout = self._core.get(ROLLOUTS, id_)
        if rollout.state == "absent":
            raise RolloutNotFound(rollout=id_)
        return rollout

    def all(self) -> list[Rollout]:
        """All rollouts, the latest first."""
        return latest_first(rollout for _, rollout in self._core.scan(ROLLOUTS))

    def proposals(self) -> list[tuple[Rollout, Proposal]]:
        """The proposals that wait for people."""
        found = [(rollout, rollout.proposal) for rollout in self.all() if rollout.is_active]
        return [(rollout, proposal) for rollout, proposal in found if proposal is not None]

    def status(self, id_: str) -> Status:
        """Where it stands, judged now, without recording the look. Raises RolloutNotFound."""
        return status(self._core, id_)

    def explain(self, id_: str, at: datetime | str | int | None = None) -> Explanation:
        """Why it is, or at a moment or log position was, not promoted, or why it was."""
        return explain(self._core, self.get(id_), at)

    def verify(
        self, id_: str, progress: Callable[[int, int], None] = lambda _done, _of: None
    ) -> Verification:
        """Judge again, from the log, every look that was recorded; all must come out the same."""
        return verify(self._core.history, self.get(id_), progress)

    def evaluate(self, id_: str, *, actor: Who = SCHEDULER) -> Rollout:
        """One look: judge the wave, record what is new, act on it. Raises RolloutEnded.

        An armed rollout starts where its time has come; a rollback is followed to its end.
        """

        def work(transaction: Transaction) -> str:
            rollout = fold_rollout(transaction, id_)
            if rollout.phase == "armed":
                if not 0 < rollout.start_at <= transaction.now:
                    raise RolloutNotRunning(rollout=id_, state="armed")
                return start(transaction, rollout, SCHEDULER.id, by_itself=True)
            if rollout.phase == "rolling_back":
                return self._follow(transaction, rollout)
            rollouts.refuse_unless_active(rollout)
            world, as_of = world_in(transaction, self._core, rollout)
            judge = commands.Judge(look=look_at(world, as_of))
            decided = rollouts.decide(rollout, judge, transaction.now)
            if any(isinstance(event, WavePromoted) for event in decided):
                refuse_open_alerts(transaction, rollout.flag)
            stage_rollout(transaction, id_, decided, world.flag)
            return id_

        return self._run(work, as_actor(actor), id_)

    def _follow(self, transaction: Transaction, rollout: Rollout) -> str:
        self._core.runner.catch_up()
        evidence, as_of = self._core.rows.get_as_of(EVIDENCE, rollout.flag)
        reports = evidence.rollback if evidence.rollout == rollout.id else None
        # Another rollout's evidence has taken the place of this one's: the flag went on again.
        reports = reports or AfterRollback(rollout.rollback_at, superseded=True)
        command = commands.FollowRollback(reports=reports, as_of=as_of)
        decided = rollouts.decide(rollout, command, transaction.now)
        if decided:
            stage_rollout(transaction, rollout.id, decided, fold_flag(transaction, rollout.flag))
        return rollout.id

    def ask_due(self, ask: Ask | None = None) -> int:
        """Ask what external criteria are due about and record the answers; how many.

        Slow answers hold up nothing but other questions: run it apart from `evaluate_all`.
        """
        running = [rollout.id for rollout in self.all() if rollout.is_active]
        return sum(self._each(running, lambda id_: self._ask_about(id_, ask or self._ask)))

    def _ask_about(self, id_: str, ask: Ask) -> int:
        world = world_now(self._core, id_)
        rollout, asked = world.rollout, 0
        if not rollout.is_active:
            return asked
        for criterion in world.plan.stage(rollout.wave).criteria:
            if isinstance(criterion, External) and criterion.due(world.seen()):
                question = {
                    "rollout": rollout.id,
                    "flag": rollout.flag,
                    "wave": rollout.wave,
                    "criterion": criterion.name,
                    "environment": self._core.log.environment,
                }
                verdict, detail = ask(criterion.url, question, criterion.timeout / SECOND)
                answer = commands.Answer(
                    criterion=criterion.name,
                    verdict=verdict,
                    detail=printable(detail),
                    answered_by=OUTSIDE,
                    wave=rollout.wave,
                )
                self._do(rollout.id, answer, OUTSIDE)
                asked += 1
        return asked

    def follow_rollbacks(self) -> None:
        """One look at every rollback that is not confirmed yet: it is followed closely."""
        self._each([one.id for one in self.all() if one.phase == "rolling_back"], self.evaluate)

    def evaluate_all(self) -> list[Rollout]:
        """One look at every rollout that something can happen to by itself."""
        due = [rollout.id for rollout in self.all() if rollout.is_looked_at]
        return self._each(due, self.evaluate)

    def _each(self, ids: Iterable[str], work: Callable[[str], T]) -> list[T]:
        """What came of each; one that cannot be dealt with does not stop the others."""
        done: list[T] = []
        for id_ in ids:
            try:
                done.append(work(id_))
            except (RolloutEnded, RolloutNotRunning):
                continue  # Its time is to come, or somebody was quicker since it was listed.
            except LogUnavailable:
                raise  # The others would fail alike.
            except _NOT_YET as refusal:
                logger.info("%s waits: %s", id_, refusal)
            except Exception:
                logger.exception("%s could not be judged; the others are", id_)
        return done


def as_plan(plan: AnyPlan) -> Plan:
    """A plan, checked as what will be recorded: one that could not be read back is refused."""
    match plan:
        case Plan():
            wanted = plan
        case Path() | str():
            wanted = plans.read(Path(plan))
        case _:
            wanted = plans.parse(dict(plan))
    return plans.recorded(wanted.to_json())
