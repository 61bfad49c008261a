"""The world that a look at a rollout is taken of: from a transaction, from the read models."""

from typing import Any

from controlplane import plans
from controlplane.assessment import assess, digest
from controlplane.commands import Look
from controlplane.execution import Transaction
from controlplane.freezes import frozen_by
from controlplane.plane.consequences import fold_flag
from controlplane.plane.core import Core
from controlplane.reading import world_of
from controlplane.world import World
from events.event import Event, RecordedEvent
from events.freezes import FREEZE_STREAM
from events.timestamps import Timestamp
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


def look_at(world: World, as_of: int) -> Look:
    """Judge it."""
    seen = assess(world)
    frozen = None
    if seen.action != "rollback":  # Which no calendar holds back, not even one that is broken.
        frozen = frozen_by(world.freezes, world.plan.freezes, world.flag.name, world.now)
    return Look(
        assessment=seen,
        as_of=as_of,
        evidence_digest=digest(world.wave),
        exposure_version=world.flag.exposure_version,
        frozen=frozen,
    )


def world_now(core: Core, id_: str) -> World:
    """The world as the read models have it. Raises RolloutNotFound."""
    return world_of(core, id_, core.clock())


class PastWorlds:
    """The world of one rollout as of one position after another, by folding the log forward."""

    def __init__(self, core: Core, rollout: Rollout) -> None:
        self._core = core
        self._keys: dict[str, str] = {
            ROLLOUTS.name: rollout.id,
            FLAGS.name: rollout.flag,
            EVIDENCE.name: rollout.flag,
            FREEZES.name: FREEZE_STREAM,
        }
        self._states: dict[str, Any] = {
            projection.name: projection.initial(self._keys[projection.name])
            for projection in _FOLDED
        }
        self.position = 0
        self.latest: RecordedEvent[Event] | None = None
        """The last event that was folded in."""

    def forward(self, position: int) -> None:
        """Fold on up to a position, which must not lie before the present one."""
        while self.position < position:
            events = self._core.log.read(self.position, min(_PAGE, position - self.position))
            if not events:
                break
            for event in events:
                self._fold(event)
            self.position = events[-1].position
            self.latest = events[-1]

    def _fold(self, event: RecordedEvent[Event]) -> None:
        for projection in _FOLDED:
            if type(event.event) in projection.events:
                name = projection.name
                if projection.key(event) == self._keys[name]:
                    self._states[name] = projection.evolve(self._states[name], event)

    @property
    def rollout(self) -> Rollout:
        """The rollout as it stood."""
        found: Rollout = self._states[ROLLOUTS.name]
        return found

    def world(self, now: Timestamp) -> World:
        """The world as it stood, looked at at a moment."""
        return World(
            rollout=self.rollout,
            plan=plans.recorded(self.rollout.plan),
            flag=self._states[FLAGS.name],
            evidence=self._states[EVIDENCE.name],
            freezes=self._states[FREEZES.name],
            now=now,
        )
