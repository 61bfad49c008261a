"""A flag and its rollout in memory: what is decided happens, with all that follows from it.

No log, no database: events are folded as they come, by the folds that the read models use.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID

from controlplane import flags, freezes, plans, rollouts
from controlplane.commands import (
    Abort,
    Approve,
    Draft,
    FollowRollback,
    Judge,
    Look,
    RolloutCommand,
    Skip,
    Start,
)
from controlplane.flags import FlagCommand
from controlplane.freezes import DeclareFreeze, LiftFreeze, frozen_by
from controlplane.looks import look_at
from controlplane.plans import Plan
from controlplane.stages import consequences
from controlplane.world import World
from events.alerts import AlertRaised, AlertResolved, Severity
from events.codec import encode
from events.event import Actor, Event, RecordedEvent
from events.executions import BatchExecuted
from events.flags import FlagCreated
from events.freezes import FREEZE_STREAM
from events.timestamps import HOUR, MINUTE, Timestamp
from projections.evidence import EVIDENCE
from projections.flags import FLAGS
from projections.freezes import FREEZES
from projections.projection import Projection
from projections.rollbacks import AfterRollback
from projections.rollouts import ROLLOUTS
from tests.projections.recording import START, stream_of

FLAG = "checkout"
ID = "checkout-r1"
ALICE, BOB, CAROL, DORA = map(Actor.person, ("alice", "bob", "carol", "dora"))
SCHEDULER = Actor(kind="scheduler", id="evaluation", name="evaluation")
_KEYS: dict[str, str] = {
    ROLLOUTS.name: ID,
    FLAGS.name: FLAG,
    EVIDENCE.name: FLAG,
    FREEZES.name: FREEZE_STREAM,
}
_FOLDED: tuple[Projection[Any], ...] = (ROLLOUTS, FLAGS, EVIDENCE, FREEZES)


class Folded:
    """The states that a look knows, folded forward."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {one.name: one.initial(_KEYS[one.name]) for one in _FOLDED}

    def fold(self, recorded: RecordedEvent[Any]) -> None:
        """One more event."""
        for projection in _FOLDED:
            name = projection.name
            if type(recorded.event) in projection.events:
                assert projection.key(recorded) == _KEYS[name]
                self.states[name] = projection.evolve(self.states[name], recorded)

    def is_stored(self) -> None:
        """From here on they are what a database gives back."""
        for one in _FOLDED:
            self.states[one.name] = one.decode(one.encode(self.states[one.name]))

    def world(self, now: Timestamp) -> World:
        """What a look at that moment knows."""
        rollout = self.states[ROLLOUTS.name]
        return World(
            rollout=rollout,
            plan=plans.recorded(rollout.plan),
            flag=self.states[FLAGS.name],
            evidence=self.states[EVIDENCE.name],
            freezes=self.states[FREEZES.name],
            now=now,
        )


class Rehearsal:
    """Alice asks for a rollout of `checkout`; nothing has happened to it yet."""

    def __init__(self, plan: Plan) -> None:
        self.now = START
        self.history: list[RecordedEvent[Any]] = []
        self._folded = Folded()
        self._versions: Counter[str] = Counter()
        self._units = count()
        self.records(FlagCreated(flag=FLAG, owner="t", description="", algorithm="a", salt="s"))
        self.does(Draft(flag=FLAG, plan=plan, attempt=1, requested_by=ALICE.id))

    @property
    def world(self) -> World:
        """As it stands."""
        return self._folded.world(self.now)

    @property
    def rollout(self) -> Any:
        """As it stands."""
        return self._folded.states[ROLLOUTS.name]

    @property
    def flag(self) -> Any:
        """As it stands."""
        return self._folded.states[FLAGS.name]

    @property
    def plan(self) -> Plan:
        """The one that the rollout keeps."""
        return plans.recorded(self.rollout.plan)

    # What happens

    def records(self, event: Event, by: Actor = ALICE, at: Timestamp | None = None) -> None:
        """Fold an event that a log could keep."""
        assert encode(event)
        stream = stream_of(event)
        self._versions[stream] += 1
        position = len(self.history) + 1
        recorded = RecordedEvent(
            environment="test",
            position=position,
            id=str(UUID(int=position)),
            stream=stream,
            version=self._versions[stream],
            type=event.TYPE,
            schema_version=event.SCHEMA_VERSION,
            occurred_at=self.now if at is None else at,
            recorded_at=self.now,
            actor=by,
            correlation_id=None,
            causation_id=None,
            data="",
            hash="",
            event=event,
        )
        self.history.append(recorded)
        self._folded.fold(recorded)

    def does(self, command: RolloutCommand, by: Actor = ALICE) -> list[Any]:
        """Decide, and let happen what follows, as the Python API does. Raises a refusal."""
        flag = self.flag
        decided = rollouts.decide(self.rollout, command, self.now)
        for event in decided:
            self.records(event, by)
            for following in consequences(event):
                for one in flags.decide(flag, following):
                    self.records(one, by)
        return decided

    def look(self) -> Look:
        """The wave, judged now."""
        return look_at(self.world, len(self.history))

    # Short forms

    def starts(self, by: Actor = ALICE) -> list[Any]:
        """Somebody starts it."""
        return self.does(Start(started_by=by.id, frozen=self.frozen), by)

    def judges(self) -> list[Any]:
        """The scheduler looks."""
        return self.does(Judge(look=self.look()), SCHEDULER)

    def approves(self, by: Actor = BOB, proposal: str = "") -> list[Any]:
        """Somebody agrees to what waits."""
        waits = self.rollout.proposal
        id_ = proposal or (waits.id if waits else f"{ID}-p0")
        return self.does(Approve(proposal=id_, approver=by, look=self.look(), reason="ok"), by)

    def skips(self, by: Actor = BOB) -> list[Any]:
        """Somebody proposes to go on without the evidence."""
        return self.does(Skip(proposed_by=by.id, reason="we must", look=self.look()), by)

    def aborts(self, by: Actor = ALICE) -> list[Any]:
        """Somebody ends it."""
        return self.does(Abort(reason="why", aborted_by=by.id), by)

    def follows(self) -> list[Any]:
        """See whether clients have left the new code."""
        evidence = self.world.evidence
        reports = evidence.rollback or AfterRollback(self.rollout.rollback_at)
        return self.does(FollowRollback(reports=reports), SCHEDULER)

    def steers_flag(self, command: FlagCommand) -> None:
        """Somebody turns the flag itself."""
        for event in flags.decide(self.flag, command):
            self.records(event)

    # Circumstances

    @property
    def frozen(self) -> str | None:
        """Why nothing is promoted, if a freeze is on."""
        world = self.world
        return frozen_by(world.freezes, world.plan.freezes, FLAG, self.now)

    def freezes(self, **command: Any) -> None:
        """Somebody declares a freeze."""
        for event in freezes.decide(
            self.world.freezes, DeclareFreeze(reason="peak", **command), self.now
        ):
            self.records(event)

    def thaws(self) -> None:
        """Every freeze is lifted."""
        for freeze in self.world.freezes.standing:
            lift = LiftFreeze(freeze=freeze.id, reason="over")
            for event in freezes.decide(self.world.freezes, lift, self.now):
                self.records(event)

    def raises(self, severity: Severity = "critical", number: int = 1) -> None:
        """An alert is raised."""
        raised = AlertRaised(
            alert=f"{FLAG}/RULE/{number}",
            rule="RULE",
            flag=FLAG,
            severity=severity,
            value=1,
            threshold=0,
            unit="ratio",
            sample=1,
            summary="",
        )
        self.records(raised, Actor.system("alert-rules"))

    def resolves(self, number: int = 1) -> None:
        """It is over."""
        resolved = AlertResolved(
            alert=f"{FLAG}/RULE/{number}",
            rule="RULE",
            flag=FLAG,
            severity="critical",
            reason="fixed",
        )
        self.records(resolved)

    def serves(self, executions: int, failed: int = 0, off: int = 0, **facts: Any) -> None:
        """So many units on the new path, some of which fail, and so many on the old one."""
        for number in range(executions):
            outcome = "failed" if number < failed else "succeeded"
            self.runs(**{"cohort": "on", "outcome": outcome} | facts)
        for _ in range(off):
            self.runs(**{"cohort": "off", "outcome": "succeeded"} | facts)

    def runs(self, **facts: Any) -> None:
        """One unit that was not seen before."""
        said = {"flag": FLAG, "unit": f"u{next(self._units)}", "duration_us": 20_000, **facts}
        self.records(BatchExecuted(**said), Actor(kind="token", id="service"))

    def passes(self, duration_us: int, every_us: int = 10 * MINUTE, batches: int = 20) -> None:
        """Time goes by, with traffic all along."""
        end = self.now + duration_us
        while self.now < end:
            self.now = min(end, self.now + every_us)
            self.serves(batches)

    def waits(self, duration_us: int = HOUR) -> None:
        """Time goes by, and nothing else."""
        self.now += duration_us


def types(events: Sequence[Event]) -> list[str]:
    """What they are called, without the slice."""
    return [event.TYPE.partition(".")[2] for event in events]
