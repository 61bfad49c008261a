"""Drafting and starting a rollout, inside a transaction."""

from controlplane import commands, plans, rollouts
from controlplane.access_errors import PlanNotPermitted
from controlplane.errors import (
    AlreadyExposed,
    FlagNotFound,
    InvalidInput,
    RolloutNotFound,
    WrongState,
)
from controlplane.execution import Transaction
from controlplane.freezes import frozen_by
from controlplane.people import plain
from controlplane.plane.consequences import (
    fold_flag,
    fold_rollout,
    refuse_open_alerts,
    stage_rollout,
)
from controlplane.plane.worlds import fold_freezes
from controlplane.plans import FOUR_WAVES, Plan
from projections.flags import Flag
from projections.rollouts import ROLLOUTS, Rollout


def draft(
    transaction: Transaction,
    flag: str,
    plan: Plan,
    who: str,
    retry_of: str = "",
    *,
    may_plan: bool = True,
) -> Rollout:
    """Stage a draft under the next free number; the rollout as it will stand.

    A plan of one's own that asks for nobody is a way to raise an exposure alone. Raises
    FlagNotFound, InvalidInput, PlanNotPermitted.
    """
    if not (may_plan or plan.start.needed or plan.digest() == FOUR_WAVES.digest()):
        raise PlanNotPermitted(actor=who, plan=plan.name)
    if not flag:
        raise InvalidInput(reason="say which flag is to be rolled out")
    found = fold_flag(transaction, flag)
    if not found.exists:
        raise FlagNotFound(flag=flag)
    for step, approvals in (("start", plan.start), ("promotion", plan.promotion)):
        left = {plain(one) for one in approvals.of} - {plain(who)}
        if approvals.of and len(left) < approvals.needed:
            raise InvalidInput(
                reason=f"{step} needs {approvals.needed} of {', '.join(approvals.of)}, and {who}, "
                "who asks for it, cannot be one of them"
            )
    attempt = found.rollouts + 1
    while (rollout := fold_rollout(transaction, f"{flag}-r{attempt}")).state != "absent":
        attempt += 1
    command = commands.Draft(
        flag=flag, plan=plan, attempt=attempt, requested_by=who, retry_of=retry_of
    )
    decided = rollouts.decide(rollout, command, transaction.now)
    stage_rollout(transaction, rollout.id, decided, found)
    return transaction.foresee(ROLLOUTS, rollout, decided)


def start(transaction: Transaction, rollout: Rollout, who: str, *, by_itself: bool = False) -> str:
    """Stage the start of a drafted rollout; its id.

    By itself it starts only if the flag has been left alone since it was armed: what was switched
    off or rolled back meanwhile, a person switches on.

    Raises RolloutNotFound, WrongState, NotSignedOff, FreezeOn, CriticalAlertOpen, AlreadyExposed,
    RolloutInCharge.
    """
    if rollout.state == "absent":
        raise RolloutNotFound(rollout=rollout.id)
    flag = fold_flag(transaction, rollout.flag)
    if by_itself and flag.changed_at > rollout.armed_at:
        state = f"armed, but {flag.name} was changed since: start it by hand"
        raise WrongState(rollout=rollout.id, state=state, action="started")
    plan = plans.recorded(rollout.plan)
    frozen = frozen_by(fold_freezes(transaction), plan.freezes, flag.name, transaction.now)
    command = commands.Start(started_by=who, frozen=frozen)
    decided = rollouts.decide(rollout, command, transaction.now)
    refuse_open_alerts(transaction, flag.name)
    _refuse_exposed(flag, plan)
    stage_rollout(transaction, rollout.id, decided, flag)
    return rollout.id


def _refuse_exposed(flag: Flag, plan: Plan) -> None:
    """A rollout that begins at 10 % of a flag that serves 100 % would control nothing."""
    wave = plan.waves[0]
    for exposure in flag.exposures:
        own = exposure.audience == wave.audience.to_audience()
        planned = wave.percentage if own else 0.0
        if flag.enabled and exposure.percentage > planned:
            raise AlreadyExposed(
                flag=flag.name,
                served=exposure.percentage,
                audience=exposure.audience.name,
                planned=planned,
            )
