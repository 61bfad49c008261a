"""Leading a flag back inside a transaction, with every refusal that its steps may meet."""

from controlplane import flags, reverting
from controlplane.execution import Transaction
from controlplane.plane.consequences import fold_flag, switch_off
from controlplane.plane.exposing import stage_exposure
from events.event import Actor
from events.flags import FlagEvent
from projections.flags import FLAGS, Flag


def revert(
    transaction: Transaction, was: Flag, reason: str, who: Actor, *, may_raise: bool = True
) -> None:
    """Stage what leads it back; all of it, or nothing where one step is refused."""
    found = flag = fold_flag(transaction, was.name)
    for command in reverting.steps(flag, was, reason):
        if isinstance(command, flags.DisableFlag):
            # As by hand: the rollout in charge, if any, is thereby rolled back.
            switch_off(transaction, flag, command.reason, by=who.id)
        else:
            stage_exposure(transaction, flag, command, who, may_raise=may_raise)
        # With what followed from it: a rollout that is rolled back lets go of its flag.
        staged = [new.event for new in transaction.staged if isinstance(new.event, FlagEvent)]
        flag = transaction.foresee(FLAGS, found, staged)
