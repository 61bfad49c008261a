"""What can happen to a rollout. These names are stored: change one only with an upcast."""

from typing import Any, Literal

from events.event import Event
from events.flags import Audience, Percentage, Text
from events.interventions import InterventionEvent
from events.judgements import JudgementEvent
from events.promotions import PromotionEvent
from events.timestamps import Timestamp

Trigger = Literal["person", "criterion", "alert", "timeout"]


class RolloutDrafted(Event, frozen=True):
    """Somebody asks for a rollout. The plan is kept whole: later edits do not reach it."""

    TYPE = "rollout.drafted"
    rollout: str
    flag: str
    attempt: int
    plan: dict[str, Any]
    plan_hash: str
    waves: int
    requested_by: str
    retry_of: str = ""
    """The earlier attempt at the same plan, if it is one more."""


class PlanRevised(Event, frozen=True):
    """The draft has another plan; what was approved of the old one counts no more."""

    TYPE = "rollout.plan_revised"
    rollout: str
    plan: dict[str, Any]
    plan_hash: str
    waves: int
    revised_by: str


class RolloutSubmitted(Event, frozen=True):
    """The draft waits for approval to start."""

    TYPE = "rollout.submitted"
    rollout: str
    submitted_by: str
    start_at: Timestamp | None = None
    """When it is to start by itself once approved; None: when a person starts it."""


class StartApproved(Event, frozen=True):
    """A person other than who asked for it agreed to the start."""

    TYPE = "rollout.start_approved"
    rollout: str
    plan_hash: str
    approver: str
    reason: Text


class StartRejected(Event, frozen=True):
    """A person said no; it is a draft again."""

    TYPE = "rollout.start_rejected"
    rollout: str
    rejected_by: str
    reason: Text


class RolloutArmed(Event, frozen=True):
    """It has every approval its plan asks for: it may start."""

    TYPE = "rollout.armed"
    rollout: str


class RolloutStarted(Event, frozen=True):
    """The plan was set in motion."""

    TYPE = "rollout.started"
    rollout: str
    flag: str
    started_by: str


class RolloutCancelled(Event, frozen=True):
    """It ended before it began."""

    TYPE = "rollout.cancelled"
    rollout: str
    cancelled_by: str
    reason: Text


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
    window_us: int
    """How wide the windows are in which a trend is looked for."""
    settle_us: int
    """How long clients may take to follow the flag."""


class SoakStarted(Event, frozen=True):
    """The last wave was promoted; full exposure must now stay stable."""

    TYPE = "rollout.soak_started"
    rollout: str
    flag: str
    audience: Audience
    percentage: Percentage
    max_silence_us: int
    window_us: int
    settle_us: int


class ExposureConfirmed(Event, frozen=True):
    """Clients report the new code since the wave began."""

    TYPE = "rollout.exposure_confirmed"
    rollout: str
    wave: int


class BakeCompleted(Event, frozen=True):
    """The wave was watched for as long as planned; what is still missing is evidence, or people."""

    TYPE = "rollout.bake_completed"
    rollout: str
    wave: int


class RolloutCompleted(Event, frozen=True):
    """Everyone has it and it has stayed stable: production grade confirmed."""

    TYPE = "rollout.completed"
    rollout: str
    flag: str


class RollbackStarted(Event, frozen=True):
    """The rollout is over and its flag went off in the same transaction."""

    TYPE = "rollout.rollback_started"
    rollout: str
    flag: str
    trigger: Trigger
    reason: str


class RollbackStalled(Event, frozen=True):
    """Clients still report the new code long after the flag went off."""

    TYPE = "rollout.rollback_stalled"
    rollout: str
    flag: str
    reports: int
    """Executions of the new code since the flag went off."""
    last_report_at: Timestamp
    as_of: int = 0
    """The log position up to which reports were known; 0: not told."""


class RolloutRolledBack(Event, frozen=True):
    """The rollback is confirmed by what clients report, or no longer report."""

    TYPE = "rollout.rolled_back"
    rollout: str
    flag: str
    confirmed_by: Literal["reports", "silence", "superseded"]
    """`reports`: of the old path; `silence`: none of the new one; `superseded`: the flag is on
    again."""
    took_us: int
    """From the rollback's start to the last report of the new code; 0 where there was none."""
    as_of: int = 0
    """The log position up to which reports were known; 0: not told."""


LifecycleEvent = (
    RolloutDrafted
    | PlanRevised
    | RolloutSubmitted
    | StartApproved
    | StartRejected
    | RolloutArmed
    | RolloutStarted
    | RolloutCancelled
    | WaveEntered
    | SoakStarted
    | ExposureConfirmed
    | BakeCompleted
    | RolloutCompleted
    | RollbackStarted
    | RollbackStalled
    | RolloutRolledBack
)

RolloutEvent = LifecycleEvent | PromotionEvent | InterventionEvent | JudgementEvent


def rollout_stream(rollout: str) -> str:
    """The stream of one rollout; what is found about it has a stream of its own."""
    return f"rollout-{rollout}"
