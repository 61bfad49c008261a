"""The world that a look at a rollout is taken of: from a transaction, from the read models."""

from typing import Any

from controlplane import plans
from controlplane.execution import Transaction
from controlplane.plane.consequences import fold_flag
from controlplane.plane.core import Core
from controlplane.reading import world_of
from controlplane.world import World
from events.freezes import FREEZE_STREAM
from projections.evidence import EVIDENCE
from projections.flags import FLAGS
from projections.freezes import FREEZES, Freezes
from projections.projection import Projection
from projections.rollouts import ROLLOUTS, Rollout

_FOLDED: tuple[Projection[Any], ...] = (ROLLOUTS, FLAGS, EVIDENCE, FREEZES)
_PAGE = 5000


def fold_freezes(transaction: Transaction) -> Freezes:
    """The freezes as the transaction finds them."""
    return transaction.fold(FREEZES, FREEZE_STREAM, FREEZE_STREAM)


def world_in(transaction: Transaction, core: Core, rollout: Rollout) -> tuple[World, int]:
    """The world as of a position, all of it guarded but the evidence, which only grows."""
    flag = fold_flag(transaction, rollout.flag)
    freezes = fold_freezes(transaction)
    # The evidence last: should anything else change before its position, the append is refused
    # and all is read again. So what was judged is the world as of that position.
    core.runner.catch_up()
    evidence, as_of = core.rows.get_as_of(EVIDENCE, rollout.flag)
    plan = plans.recorded(rollout.plan)
    world = World(
        rollout=rollout,
        plan=plan,
        flag=flag,
        evidence=evidence,
        freezes=freezes,
        now=transaction.now,
    )
    return world, as_of


def world_now(core: Core, id_: str) -> World:
    """The world as the read models have it. Raises RolloutNotFound."""
    return world_of(core, id_, core.clock())
