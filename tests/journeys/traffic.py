"""The service under rollout, as far as a control plane can see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any, Protocol

from batchpatch import User, population

from controlplane import ControlPlane
from events.timestamps import HOUR, MINUTE
from projections.rollouts import Rollout

FLAG = "batch-patches-v1"
ENGINEER, ON_CALL = "release-engineer", "on-call"
ENOUGH = 200
"""Batches on the new path with which every criterion of a wave passes, given time."""
AN_HOUR = 30
"""Batches an hour on the new path with which every criterion of every wave passes in its hold."""


class Clock(Protocol):
    now: int

    def advance(self, microseconds: int) -> None: ...


def batch(cohort: str = "on", *, ms: float = 20, failed: bool = False, **facts: Any) -> Any:
    """What is told of one batch."""
    return {
        "flag": FLAG,
        "cohort": cohort,
        "unit": "user-17",
        "outcome": "failed" if failed else "succeeded",
        "duration_us": round(ms * 1000),
        **facts,
    }


@dataclass
class Service:
    """Asks the flag for each user, runs the batch, records it."""

    plane: ControlPlane
    clock: Clock
    users: list[User] = field(default_factory=lambda: population(1000))

    def __post_init__(self) -> None:
        self._next = cycle(self.users)

    def runs(self, count: int, *, failed: int = 0, over: int = 0, **facts: Any) -> None:
        """So many batches on the new path, evenly over the time up to now; the first ones fail."""
        since = self.clock.now - over
        batches = [
            batch(failed=n < failed, **{"occurred_at": since + over * (n + 1) // count, **facts})
            for n in range(count)
        ]
        assert self.plane.executions.record(batches).accepted == count

    def serves(self, count: int) -> None:
        """So many users, each on the path that the flag picks for them."""
        batches = [
            batch("on" if self.enabled(user) else "off", unit=user.id, audience=audience(user))
            for user in islice(self._next, count)
        ]
        assert self.plane.executions.record(batches).accepted == count

    def rejects(self, count: int) -> None:
        """So many users who asked for the new path and were turned away."""
        turned_away = [user for user in islice(self._next, count) if not self.enabled(user)]
        batches = [
            batch("on", unit=user.id, audience=audience(user), outcome="rejected")
            for user in turned_away
        ]
        self.plane.executions.record(batches)

    def enabled(self, user: User) -> bool:
        return self.plane.flags.is_enabled(FLAG, user.id, user.attributes)

    def share(self, **attributes: str) -> float:
        """Percentage of the users with these attributes who get the new path."""
        chosen = [user for user in self.users if attributes.items() <= user.attributes.items()]
        return 100 * sum(map(self.enabled, chosen)) / len(chosen)


@dataclass
class Rolling:
    """A rollout under way, its traffic and its time."""

    service: Service
    id: str

    @property
    def plane(self) -> ControlPlane:
        return self.service.plane

    @property
    def now(self) -> Rollout:
        return self.plane.rollouts.get(self.id)

    def hold(self, hours: float, *, step: float = 6, batches: int = ENOUGH) -> None:
        """Healthy traffic, so many batches evenly over every step, and then a look."""
        for _ in range(round(hours / step)):
            self.service.clock.advance(round(step * HOUR))
            self.service.runs(batches, over=round(step * HOUR))
            self.plane.tick()

    def propose(self, hours: float = 24) -> str:
        """Hold the wave until its promotion is proposed; the proposal's id."""
        step = min(hours, 4 * 24)
        self.hold(hours, step=step, batches=max(ENOUGH, round(step * AN_HOUR)))
        proposal = self.now.proposal
        assert proposal is not None, self.now.reason
        return proposal.id

    def approve(self, proposal: str) -> Rollout:
        self.service.clock.advance(MINUTE)
        return self.plane.rollouts.approve(proposal, actor=ON_CALL, reason="all green")

    def advance_to(self, stage: int) -> None:
        """Through the waves before a stage, each held and approved."""
        for hours in (24, 48, 48, 48)[: stage - 1]:
            self.approve(self.propose(hours))


def audience(user: User) -> str:
    """The audience of the built-in plan that the user is of."""
    group = user.attributes["group"]
    return group if group in ("internal", "beta") else "everyone"


def resolve_all(plane: ControlPlane) -> None:
    """Somebody answers for every critical alert."""
    for alert in plane.alerts.open():
        if alert.severity == "critical":
            plane.alerts.resolve(alert.id, actor=ON_CALL, reason="fixed")


def types(plane: ControlPlane, **query: Any) -> list[str]:
    """The names of what happened, in order."""
    return [recorded.type for recorded in plane.events(**query)]


def plan(**changes: Any) -> Mapping[str, Any]:
    """A plan of one wave, for everyone, for an hour."""
    criteria = [{"kind": "rate_below", "bound": 0.05}]
    wave = {"name": "all", "percentage": 50, "hold": "1h", "criteria": criteria}
    return {"name": "one-wave", "waves": [wave | changes]}
