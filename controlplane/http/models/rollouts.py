"""Rollouts and proposals, as they are shown."""

from pydantic import Field

from controlplane.http.models.events import Recorded
from controlplane.http.models.form import Moment, Shown
from events.interventions import HoldKind
from events.judgements import Verdict
from events.promotions import ProposalKind
from events.rollouts import Trigger
from projections.promotions import ProposalState
from projections.rollouts import State


class Judgement(Shown):
    """What one criterion says."""

    criterion: str = Field(examples=["error_rate"])
    verdict: Verdict
    sentence: str = Field(examples=["0 of 960 failed = 0.0%, upper bound 0.4%, need < 5 %"])
    numbers: dict[str, float | None]
    progress: float
    ready_in_us: int | None


class Approval(Shown):
    """Who agreed, and why."""

    by: str
    reason: str
    at: Moment | None


class Proposal(Shown):
    """A promotion that waits for people, or did."""

    id: str = Field(examples=["batch-patches-v1-r1-p1"])
    wave: int
    to: str
    as_of: int = Field(description="The log position up to which its evidence was read.")
    evidence_digest: str
    plan_hash: str
    exposure_version: int
    expires_at: Moment | None
    proposed_at: Moment | None
    kind: ProposalKind
    proposed_by: str
    needed: int
    approvals: list[Approval]
    state: ProposalState
    decided_by: str
    decided_at: Moment | None
    reason: str


class WaitingProposal(Proposal):
    """One that waits, and of which rollout it is."""

    rollout: str
    position: int = Field(description="The log position of the rollout's last change.")


class Hold(Shown):
    """Why nothing is promoted."""

    kind: HoldKind
    reason: str
    since: Moment | None
    by: str


class Override(Shown):
    """A criterion that need not pass in one wave."""

    id: str
    wave: int
    criterion: str
    requested_by: str
    reason: str
    expires_at: Moment | None
    approved_by: str


class SignOff(Shown):
    """A person vouches for an item."""

    item: str
    wave: int
    role: str
    by: str
    note: str
    at: Moment | None


class Rollout(Shown):
    """A rollout as it stands."""

    id: str = Field(examples=["batch-patches-v1-r1"])
    flag: str
    state: State
    phase: State
    attempt: int
    retry_of: str
    plan_hash: str
    requested_by: str
    askers: list[str]
    start_at: Moment | None
    armed_at: Moment | None
    start_approvals: list[Approval]
    waves: int
    wave: int
    wave_name: str
    percentage: float
    drafted_at: Moment | None
    started_at: Moment | None
    wave_entered_at: Moment | None
    wave_entered_position: int
    ended_at: Moment | None
    rollback_at: Moment | None
    rollback_trigger: Trigger | None
    stalled: bool
    verdict: Verdict
    reason: str
    judgements: list[Judgement]
    judged_at: Moment | None
    judged_reason: str
    proposals: list[Proposal]
    proposed: int
    holds: list[Hold]
    overrides: list[Override]
    sign_offs: list[SignOff]
    extended_us: int
    escalated: str
    position: int = Field(description="The log position of its last change.")


class Assessment(Shown):
    """What a look at the wave came to."""

    verdict: Verdict
    reason: str
    judgements: list[Judgement]
    action: str
    hold: HoldKind | None
    confirmed: bool
    baked: bool
    misserved: str | None
    astray: str | None
    critical_alert: str | None
    overdue: str
    ready_in_us: int | None


class Evidence(Shown):
    """What the present wave has seen."""

    executions: int
    failed: int
    p95_us: float | None
    other_audiences: int
    old_code: int
    critical_alerts: list[str]
    last_at: Moment | None


class Status(Rollout):
    """Where a rollout stands, judged now."""

    sentence: str
    as_of: Moment | None
    plan: str
    flag_percentage: float
    assessment: Assessment | None = Field(description="Null where it is not running.")
    overridden: list[str]
    unsigned: list[str]
    watched_us: int
    hold_us: int
    evidence: Evidence


class Standing(Status):
    """Why a rollout stands, or stood, where it does."""

    position: int = Field(description="The log position up to which everything was known.")
    history: list[Recorded]


class Difference(Shown):
    """What came out otherwise than it was recorded."""

    position: int
    what: str
    recorded: str
    recomputed: str


class Verification(Shown):
    """What came of judging again, from the log alone."""

    rollout: str
    judgements: int
    proposals: int
    incomparable: int
    differences: list[Difference]
    identical: bool


class ChecklistItem(Shown):
    """What people vouch for, before which stage it is due, and who has."""

    item: str
    area: str
    before: str
    text: str
    role: str
    required: bool
    needed: int
    signed: int
    done: bool
    signed_by: list[str]


class PlanHash(Shown):
    """A plan that is valid, and what its approvals are bound to."""

    name: str
    plan_hash: str
