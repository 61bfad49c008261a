"""What a rollout is: its plan, its wave, its proposal."""

from typing import Any, Literal, assert_never, get_args

import msgspec
from msgspec.structs import replace

from events.event import RecordedEvent
from events.rollouts import (
    Judgement,
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    RolloutCompleted,
    RolloutEvent,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    Verdict,
    WaveEntered,
    WaveJudged,
    WavePromoted,
)
from events.timestamps import Timestamp
from projections.projection import Projection

State = Literal["absent", "observing", "proposed", "soaking", "completed", "rolled_back"]
_KEPT_PROPOSALS = 20
FINAL: frozenset[State] = frozenset({"completed", "rolled_back"})


class Proposal(msgspec.Struct, frozen=True):
    """A promotion that waits for a person."""

    id: str
    wave: int
    to: str
    as_of: int
    evidence_digest: str
    plan_hash: str
    exposure_version: int
    expires_at: Timestamp
    proposed_at: Timestamp
    state: Literal["open", "approved", "rejected", "lapsed"] = "open"
    decided_by: str = ""
    decided_at: Timestamp = 0
    reason: str = ""


class Rollout(msgspec.Struct, frozen=True):
    """A rollout as it stands."""

    id: str
    flag: str = ""
    state: State = "absent"
    attempt: int = 0
    plan: dict[str, Any] = {}
    plan_hash: str = ""
    requested_by: str = ""
    waves: int = 0
    wave: int = 0
    """1 … waves; waves + 1 while soaking."""
    wave_name: str = ""
    percentage: float = 0.0
    started_at: Timestamp = 0
    wave_entered_at: Timestamp = 0
    wave_entered_position: int = 0
    ended_at: Timestamp = 0
    verdict: Verdict = "NO_DATA"
    reason: str = ""
    judgements: tuple[Judgement, ...] = ()
    judged_at: Timestamp = 0
    failed: tuple[str, ...] = ()
    """Criteria that failed in this wave; a failure stands until the rollout ends."""
    proposals: tuple[Proposal, ...] = ()
    """The last ones; earlier ones are in the log."""
    proposed: int = 0
    """How many there have been."""

    @property
    def is_active(self) -> bool:
        """Whether it can still move."""
        return self.state not in FINAL and self.state != "absent"

    @property
    def soaking(self) -> bool:
        """Whether all waves are done and full exposure is being watched."""
        return self.is_active and self.wave > self.waves

    @property
    def proposal(self) -> Proposal | None:
        """The proposal that waits, if one does."""
        return next((p for p in reversed(self.proposals) if p.state == "open"), None)


def evolve(rollout: Rollout, recorded: RecordedEvent[RolloutEvent]) -> Rollout:
    """Return the rollout after one more event of its stream."""
    at = recorded.occurred_at
    match recorded.event:
        case RolloutStarted() as started:
            return replace(
                rollout,
                flag=started.flag,
                state="observing",
                attempt=started.attempt,
                plan=started.plan,
                plan_hash=started.plan_hash,
                requested_by=started.requested_by,
                waves=started.waves,
                started_at=at,
            )
        case WaveEntered() as entered:
            return _entered(rollout, recorded, entered.wave, entered.name, entered.percentage)
        case SoakStarted():
            return _entered(rollout, recorded, rollout.waves + 1, "soak", rollout.percentage)
        case WaveJudged() as judged:
            fails = {j.criterion for j in judged.judgements if j.verdict == "FAIL"}
            return replace(
                rollout,
                verdict=judged.verdict,
                reason=judged.reason,
                judgements=judged.judgements,
                judged_at=judged.judged_at,
                failed=tuple(sorted(fails | set(rollout.failed))),
            )
        case PromotionProposed() as proposed:
            proposals = (*rollout.proposals, _proposal(proposed, at))[-_KEPT_PROPOSALS:]
            return replace(
                rollout, state="proposed", proposals=proposals, proposed=rollout.proposed + 1
            )
        case ProposalApproved(proposal=id_, approver=who, reason=reason):
            return _decided(rollout, id_, "approved", who, reason, at)
        case ProposalRejected(proposal=id_, rejected_by=who, reason=reason):
            return _decided(rollout, id_, "rejected", who, reason, at)
        case ProposalLapsed(proposal=id_, reason=reason):
            return _decided(rollout, id_, "lapsed", "", reason, at)
        case WavePromoted():
            return rollout
        case RolloutCompleted():
            return replace(rollout, state="completed", ended_at=at)
        case RolloutRolledBack(reason=reason):
            return replace(rollout, state="rolled_back", reason=reason, ended_at=at, percentage=0.0)
        case _ as unreachable:
            assert_never(unreachable)


def _entered(
    rollout: Rollout, recorded: RecordedEvent[Any], wave: int, name: str, percentage: float
) -> Rollout:
    """A new wave starts without verdicts: evidence is gathered per wave."""
    return replace(
        rollout,
        state="soaking" if wave > rollout.waves else "observing",
        wave=wave,
        wave_name=name,
        percentage=percentage,
        wave_entered_at=recorded.occurred_at,
        wave_entered_position=recorded.position,
        verdict="NO_DATA",
        reason="just entered",
        judgements=(),
        judged_at=0,
        failed=(),
    )


def _proposal(event: PromotionProposed, at: Timestamp) -> Proposal:
    return Proposal(
        id=event.proposal,
        wave=event.wave,
        to=event.to,
        as_of=event.as_of,
        evidence_digest=event.evidence_digest,
        plan_hash=event.plan_hash,
        exposure_version=event.exposure_version,
        expires_at=event.expires_at,
        proposed_at=at,
    )


def _decided(
    rollout: Rollout,
    id_: str,
    state: Literal["approved", "rejected", "lapsed"],
    who: str,
    reason: str,
    at: Timestamp,
) -> Rollout:
    proposals = tuple(
        replace(p, state=state, decided_by=who, decided_at=at, reason=reason) if p.id == id_ else p
        for p in rollout.proposals
    )
    watching: State = "soaking" if rollout.wave > rollout.waves else "observing"
    return replace(rollout, state=watching, proposals=proposals)


def key(recorded: RecordedEvent[RolloutEvent]) -> str:
    """The rollout's id."""
    return recorded.event.rollout


ROLLOUTS = Projection(
    "rollouts", 1, Rollout, frozenset(get_args(RolloutEvent)), key, Rollout, evolve
)
