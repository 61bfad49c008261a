"""Where a rollout stands, or stood at any moment, and why."""

from dataclasses import dataclass
from datetime import datetime

from controlplane.assessment import Assessment, assess
from controlplane.checklists import Item, missing, signed
from controlplane.errors import InvalidInput, RolloutNotFound
from controlplane.plane.core import Core, moment
from controlplane.plane.worlds import PastWorlds, world_now
from controlplane.plans import Plan
from controlplane.world import World, overridden
from events.event import Event, RecordedEvent
from events.rollouts import rollout_stream
from events.timestamps import Timestamp, to_iso
from projections.flags import Flag
from projections.rollouts import Rollout
from projections.waves import WaveEvidence


@dataclass(frozen=True, slots=True)
class Status:
    """Where a rollout stands, judged at this moment."""

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


def status(core: Core, id_: str) -> Status:
    """Judge it as of now. Raises RolloutNotFound."""
    return _status(world_now(core, id_))


def _status(world: World) -> Status:
    return Status(
        rollout=world.rollout,
        plan=world.plan,
        flag=world.flag,
        evidence=world.wave,
        assessment=assess(world) if world.rollout.is_active else None,
        now=world.now,
        overridden=overridden(world) if world.rollout.is_active else frozenset(),
    )


def explain(core: Core, rollout: Rollout, at: datetime | str | int | None) -> Explanation:
    """Judge it as of a moment or a log position, by what the log then held.

    Raises InvalidInput for a moment to come, RolloutNotFound for one before it was drafted.
    """
    if at is None:
        found, position = status(core, rollout.id), core.log.head().position
    else:
        position, when = _place(core, at)
        past = PastWorlds(core, rollout)
        past.forward(position)
        if past.rollout.state == "absent":
            raise RolloutNotFound(rollout=rollout.id)
        found = _status(past.world(when))
    stream = core.log.read_stream(rollout_stream(rollout.id))
    history = tuple(event for event in stream if event.position <= position)
    return Explanation(found, position, sentence(found), history)


def _place(core: Core, at: datetime | str | int) -> tuple[int, Timestamp]:
    """The last position that was recorded by a moment, and that moment."""
    head = core.log.head().position
    if isinstance(at, int):
        if not 0 < at <= head:
            raise InvalidInput(reason=f"the log has positions 1 to {head}, not {at}")
        return at, core.log.read(at - 1, 1)[0].recorded_at
    when = moment(at)
    if when is None or when > core.clock():
        raise InvalidInput(reason=f"{at} is still to come")
    low, high = 0, head  # The time of recording never falls: the place is found by halving.
    while low < high:
        middle = (low + high + 1) // 2
        if core.log.read(middle - 1, 1)[0].recorded_at <= when:
            low = middle
        else:
            high = middle - 1
    if not low:
        raise InvalidInput(reason=f"nothing had been recorded by {to_iso(when)}")
    return low, when


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
