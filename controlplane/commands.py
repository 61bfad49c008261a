"""What may be asked of a rollout."""

from dataclasses import dataclass

from controlplane.assessment import Assessment
from controlplane.plans import Plan
from events.event import Actor
from events.judgements import Verdict
from events.rollouts import Trigger
from events.timestamps import Timestamp
from projections.rollbacks import AfterRollback


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look at the wave came to, and the state it was taken of."""

    assessment: Assessment
    as_of: int
    evidence_digest: str
    exposure_version: int
    frozen: str | None = None
    """Why nothing is promoted at this moment, if a freeze is on."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Ask for a rollout."""

    flag: str
    plan: Plan
    attempt: int
    requested_by: str
    retry_of: str = ""


@dataclass(frozen=True, kw_only=True)
class Revise:
    """Give a rollout that has not started another plan."""

    plan: Plan
    revised_by: str


@dataclass(frozen=True, kw_only=True)
class Submit:
    """Ask for approval to start."""

    submitted_by: str
    start_at: Timestamp | None = None


@dataclass(frozen=True, kw_only=True)
class ApproveStart:
    """Agree to the start."""

    approver: Actor
    reason: str = ""
    plan_hash: str = ""
    """Of the plan that was read; empty: whichever it has."""


@dataclass(frozen=True, kw_only=True)
class RejectStart:
    """Send it back to its authors."""

    rejected_by: Actor
    reason: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """Enter wave 1."""

    started_by: str
    frozen: str | None = None
    """Why nothing may start now, if a freeze is on."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Take note of a look at the wave, and act on it."""

    look: Look


@dataclass(frozen=True, kw_only=True)
class Approve:
    """Agree to a proposal: with the last approval it needs, its wave is promoted."""

    proposal: str
    approver: Actor
    look: Look
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Reject:
    """Turn a proposal down; the wave is held."""

    proposal: str
    rejected_by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Withdraw:
    """Take a proposal back; the wave is held, unless it was a proposal to skip."""

    proposal: str
    withdrawn_by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Propose to go on from the present wave without the evidence."""

    proposed_by: str
    reason: str
    look: Look


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Hold the wave, its clock too, until somebody resumes it. Guardrails go on."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Resume:
    """Release what people hold it by."""

    resumed_by: Actor
    reason: str


@dataclass(frozen=True, kw_only=True)
class ExtendBake:
    """Watch the present wave for longer."""

    by_us: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class RequestOverride:
    """Ask that a criterion need not pass in the present wave."""

    criterion: str
    requested_by: str
    reason: str
    expires_at: Timestamp


@dataclass(frozen=True, kw_only=True)
class ApproveOverride:
    """Agree to an override, as a second person."""

    override: str
    approver: Actor
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class WithdrawOverride:
    """End an override, approved or not."""

    override: str
    withdrawn_by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SignOff:
    """Vouch for an item of a checklist, or for a manual criterion of the present wave."""

    item: str
    role: str
    signed_by: Actor
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class WithdrawSignOff:
    """No longer vouch for it."""

    item: str
    signed_by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What something outside says about an external criterion of the present wave."""

    criterion: str
    verdict: Verdict
    answered_by: Actor
    detail: str = ""
    wave: int | None = None
    """The wave that was asked about, where something was asked: a later one is not answered."""


@dataclass(frozen=True, kw_only=True)
class Abort:
    """End it and switch the flag off; cancel it where it has not started. Always allowed."""

    reason: str
    aborted_by: str
    trigger: Trigger = "person"


@dataclass(frozen=True, kw_only=True)
class FollowRollback:
    """See whether clients have left the new code."""

    reports: AfterRollback
    as_of: int = 0
    """The log position up to which they are known."""


BeforeStart = Draft | Revise | Submit | ApproveStart | RejectStart | Start
Proposing = Approve | Reject | Withdraw | Skip
Intervening = (
    Pause
    | Resume
    | ExtendBake
    | RequestOverride
    | ApproveOverride
    | WithdrawOverride
    | SignOff
    | WithdrawSignOff
    | Answer
)
RolloutCommand = BeforeStart | Judge | Proposing | Intervening | Abort | FollowRollback
