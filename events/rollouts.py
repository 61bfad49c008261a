"""What can happen to a rollout. These names are stored: change one only with an upcast."""

from typing import Any, Literal

import msgspec

from events.event import Event
from events.flags import Audience, Percentage, Text
from events.timestamps import Timestamp

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "NO_DATA", "ERROR"]
Trigger = Literal["person", "criterion", "alert"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one criterion says, and the numbers it rests on."""

    criterion: str
    verdict: Verdict
    sentence: str
    numbers: dict[str, float | int | None] = {}
    progress: float = 0.0
    """The share of the evidence needed to pass, 0 to 1."""


class RolloutStarted(Event, frozen=True):
    """A plan was set in motion. The plan is kept whole: later edits do not reach it."""

    TYPE = "rollout.started"
    rollout: str
    flag: str
    attempt: int
    plan: dict[str, Any]
    plan_hash: str
    waves: int
    requested_by: str


class WaveEntered(Event, frozen=True):
    """A wave began: its audience is to be served at its percentage."""

    TYPE = "rollout.wave_entered"
    rollout: str
    flag: str
    wave: int
    """1 … waves."""
    name: str
    audience: Audience
    percentage: Percentage
    max_silence_us: int
    """A longer gap between executions stops the wave's clock."""


class SoakStarted(Event, frozen=True):
    """The last wave was promoted; full exposure must now stay stable."""

    TYPE = "rollout.soak_started"
    rollout: str
    flag: str
    max_silence_us: int


class WaveJudged(Event, frozen=True):
    """A look at the wave's criteria, as of a log position; judged again, it comes out the same."""

    TYPE = "rollout.wave_judged"
    rollout: str
    wave: int
    as_of: int
    judged_at: Timestamp
    verdict: Verdict
    reason: str
    judgements: tuple[Judgement, ...]


class PromotionProposed(Event, frozen=True):
    """Every criterion passes: a person may now approve. Bound to the state it was made from."""

    TYPE = "rollout.promotion_proposed"
    rollout: str
    proposal: str
    wave: int
    to: str
    as_of: int
    evidence_digest: str
    plan_hash: str
    exposure_version: int
    expires_at: Timestamp


class ProposalApproved(Event, frozen=True):
    """A person other than who asked for the rollout agreed."""

    TYPE = "rollout.proposal_approved"
    rollout: str
    proposal: str
    approver: str
    reason: Text


class ProposalRejected(Event, frozen=True):
    """A person said no; the wave goes on being watched."""

    TYPE = "rollout.proposal_rejected"
    rollout: str
    proposal: str
    rejected_by: str
    reason: Text


class ProposalLapsed(Event, frozen=True):
    """The proposal no longer holds: its evidence, its state or its time ran out."""

    TYPE = "rollout.proposal_lapsed"
    rollout: str
    proposal: str
    reason: str


class WavePromoted(Event, frozen=True):
    """The wave is over, for good reasons."""

    TYPE = "rollout.wave_promoted"
    rollout: str
    proposal: str
    wave: int
    to: str


class RolloutCompleted(Event, frozen=True):
    """Everyone has it and it has stayed stable: production grade confirmed."""

    TYPE = "rollout.completed"
    rollout: str
    flag: str


class RolloutRolledBack(Event, frozen=True):
    """The rollout ended and its flag went off in the same transaction."""

    TYPE = "rollout.rolled_back"
    rollout: str
    flag: str
    trigger: Trigger
    reason: str


RolloutEvent = (
    RolloutStarted
    | WaveEntered
    | SoakStarted
    | WaveJudged
    | PromotionProposed
    | ProposalApproved
    | ProposalRejected
    | ProposalLapsed
    | WavePromoted
    | RolloutCompleted
    | RolloutRolledBack
)


def rollout_stream(rollout: str) -> str:
    """The stream of one rollout."""
    return f"rollout-{rollout}"
