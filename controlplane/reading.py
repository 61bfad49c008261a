"""What can be read off read models, whenever they are of: where a rollout stands, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from controlplane import plans
from controlplane.assessment import Assessment, assess
from controlplane.checklists import Item, missing, signed
from controlplane.errors import RolloutNotFound
from controlplane.plans import Plan
from controlplane.world import World, overridden
from events.event import Event, RecordedEvent
from events.freezes import FREEZE_STREAM
from events.timestamps import Timestamp, to_iso
from projections.alerts import Alert
from projections.evidence import EVIDENCE
from projections.flags import FLAGS, Flag
from projections.freezes import FREEZES
from projections.incidents import Incident, Incidents
from projections.projection import Projection, S
from projections.rollouts import ROLLOUTS, Rollout
from projections.waves import WaveEvidence

_ALERTS_FIRST = {"critical": 0, "warning": 1, "info": 2}


class Getting(Protocol):
    """Rows of read models, one by one, as of now or of any moment."""

    def get(self, projection: Projection[S], key: str) -> S:
        """One row; its initial state where there is none."""


class Reading(Getting, Protocol):
    """Read models, as of now or of any moment."""

    def scan(
        self, projection: Projection[S], start: str = "", stop: str | None = None
    ) -> list[tuple[str, S]]:
        """Rows with start <= key < stop, in order of the key."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where a rollout stands, judged at one moment."""

    rollout: Rollout
    plan: Plan
    flag: Flag
    evidence: WaveEvidence
    assessment: Assessment | None
    """None where it is not running."""
    now: Timestamp
    overridden: frozenset[str] = frozenset()
    """Criteria that need not pass at this moment."""

    @property
    def unsigned(self) -> tuple[Item, ...]:
        """What must be signed off before it goes on."""
        if self.rollout.is_final or self.rollout.phase == "rolling_back":
            return ()
        required = self.plan.required_after(self.rollout.wave)
        return missing(required, self.rollout.interventions.sign_offs)

    def checklist(self) -> list[tuple[Item, int]]:
        """Every item of the plan, with how many people have signed it."""
        sign_offs = self.rollout.interventions.sign_offs
        return [(item, signed(item, sign_offs)) for item in self.plan.items()]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a rollout stands, or stood, where it does."""

    status: Status
    position: int
    """The log position up to which everything was known."""
    sentence: str
    history: tuple[RecordedEvent[Event], ...]
    """What was decided about it up to then, the latest last."""


def world_of(reading: Getting, id_: str, now: Timestamp) -> World:
    """All that a look at a rollout may know. Raises RolloutNotFound."""
    rollout = reading.get(ROLLOUTS, id_)
    if rollout.state == "absent":
        raise RolloutNotFound(rollout=id_)
    return World(
        rollout=rollout,
        plan=plans.recorded(rollout.plan),
        flag=reading.get(FLAGS, rollout.flag),
        evidence=reading.get(EVIDENCE, rollout.flag),
        freezes=reading.get(FREEZES, FREEZE_STREAM),
        now=now,
    )


def status_of(world: World) -> Status:
    """Judge it."""
    return Status(
        rollout=world.rollout,
        plan=world.plan,
        flag=world.flag,
        evidence=world.wave,
        assessment=assess(world) if world.rollout.is_active else None,
        now=world.now,
        overridden=overridden(world) if world.rollout.is_active else frozenset(),
    )


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """Open alerts before resolved ones, the worst and latest first."""
    return sorted(alerts, key=lambda a: (not a.open, _ALERTS_FIRST[a.severity], -a.raised_at))


def latest_first(rollouts: Iterable[Rollout]) -> list[Rollout]:
    """By when they were drafted."""
    return sorted(rollouts, key=lambda one: (one.drafted_at, one.attempt, one.id), reverse=True)


def newest_first(rows: Iterable[Incidents]) -> list[Incident]:
    """The incidents of all flags, by when they were opened."""
    found = (incident for row in rows for incident in row.all)
    return sorted(found, key=lambda one: -one.opened_position)


def sentence(status: Status) -> str:
    """Why it is where it is, in one sentence."""
    rollout, look = status.rollout, status.assessment
    if look is None:
        return _idle(status)
    where = f"{rollout.wave_name} at {rollout.percentage:g} %"
    proposal = rollout.proposal
    if proposal is not None and proposal.state == "open":
        have = len(proposal.approvals)
        return f"{where}: {look.reason}; {proposal.id} has {have} of {proposal.needed} approvals"
    if proposal is not None:
        return f"{where}: {proposal.id} is approved and waits; {proposal.reason}"
    return f"{where} is not promoted: {look.reason}"


def _idle(status: Status) -> str:
    rollout = status.rollout
    unsigned = ", ".join(item.name for item in status.unsigned)
    waits = f"; waits for sign-off: {unsigned}" if unsigned else ""
    have, needed = len(rollout.start_approvals), status.plan.start.needed
    said: dict[str, str] = {
        "draft": f"it is a draft{waits}",
        "pending_approval": f"its start has {have} of {needed} approvals{waits}",
        "armed": f"it may start{waits}"
        + (f" and will by itself at {to_iso(rollout.start_at)}" if rollout.start_at else ""),
        "rolling_back": f"it is being rolled back: {rollout.reason}",
        "rolled_back": f"it was rolled back: {rollout.reason}",
        "cancelled": f"it was cancelled: {rollout.reason}",
        "completed": "it is complete: every stage was promoted",
    }
    return said[rollout.phase]
