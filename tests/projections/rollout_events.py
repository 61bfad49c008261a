"""What happens to the rollout `checkout-r1`."""

from typing import Any

from events import EVERYONE, Audience, Event
from events.alerts import AlertRaised, AlertResolved, Severity
from events.interventions import HoldKind, HoldReleased, RolloutHeld
from events.judgements import CriterionAnswered, Judgement, Verdict, WaveJudged
from events.promotions import (
    PromotionDelayed,
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    ProposalWithdrawn,
    WavePromoted,
)
from events.rollouts import (
    BakeCompleted,
    ExposureConfirmed,
    RollbackStarted,
    RolloutArmed,
    RolloutCancelled,
    RolloutCompleted,
    RolloutDrafted,
    RolloutRolledBack,
    RolloutStarted,
    RolloutSubmitted,
    SoakStarted,
    StartApproved,
    StartRejected,
    WaveEntered,
)
from events.timestamps import HOUR, MINUTE, SECOND
from tests.projections.recording import START

ID = "checkout-r1"
FLAG = "checkout"
SILENCE = 15 * MINUTE
WINDOW = 6 * HOUR
SETTLE = 30 * SECOND
_STAGE = {"max_silence_us": SILENCE, "window_us": WINDOW, "settle_us": SETTLE}

drafted = RolloutDrafted(
    rollout=ID,
    flag=FLAG,
    attempt=1,
    plan={"name": "p"},
    plan_hash="hash",
    waves=2,
    requested_by="alice",
)
submitted = RolloutSubmitted(rollout=ID, submitted_by="alice")
armed = RolloutArmed(rollout=ID)
start_rejected = StartRejected(rollout=ID, rejected_by="bob", reason="not yet")
cancelled = RolloutCancelled(rollout=ID, cancelled_by="alice", reason="never")
confirmed = ExposureConfirmed(rollout=ID, wave=1)
baked = BakeCompleted(rollout=ID, wave=1)
completed = RolloutCompleted(rollout=ID, flag=FLAG)
rollback = RollbackStarted(rollout=ID, flag=FLAG, trigger="person", reason="why")
rolled_back = RolloutRolledBack(rollout=ID, flag=FLAG, confirmed_by="silence", took_us=0)


def start_approved(by: str = "bob") -> Event:
    """Somebody agreed to the start."""
    return StartApproved(rollout=ID, plan_hash="hash", approver=by, reason="fine")


def started(rollout: str = ID, by: str = "alice") -> Event:
    """The plan was set in motion."""
    return RolloutStarted(rollout=rollout, flag=FLAG, started_by=by)


def entered(
    wave: int = 1,
    rollout: str = ID,
    *,
    audience: Audience = EVERYONE,
    percentage: float | None = None,
    **stage: int,
) -> Event:
    """A wave began, at 10 % for each that there has been."""
    return WaveEntered(
        rollout=rollout,
        flag=FLAG,
        wave=wave,
        name=f"wave {wave}",
        audience=audience,
        percentage=10 * wave if percentage is None else percentage,
        **{**_STAGE, **stage},
    )


def soak(audience: Audience = EVERYONE, percentage: float = 20, **stage: int) -> Event:
    """Full exposure is being watched."""
    return SoakStarted(
        rollout=ID, flag=FLAG, audience=audience, percentage=percentage, **{**_STAGE, **stage}
    )


def judged(verdict: Verdict, criterion: str = "error_rate", wave: int = 1) -> Event:
    """Somebody looked, five microseconds after START."""
    judgement = Judgement(criterion=criterion, verdict=verdict, sentence="9 of 300")
    return WaveJudged(
        rollout=ID,
        wave=wave,
        as_of=7,
        judged_at=START + 5,
        evaluator=1,
        evidence_digest="digest",
        verdict=verdict,
        reason="because",
        judgements=(judgement,),
    )


def answered(verdict: Verdict = "PASS", wave: int = 1, criterion: str = "load_test") -> Event:
    """Something outside said so."""
    return CriterionAnswered(
        rollout=ID, flag=FLAG, wave=wave, criterion=criterion, verdict=verdict, detail="1,000/s"
    )


def proposed(number: int = 1, **facts: Any) -> Event:
    """A promotion to wave 2 waits for people."""
    said: dict[str, Any] = {
        "kind": "promotion",
        "reason": "",
        "approvals": 1,
        "wave": 1,
        "to": "wave 2",
        "proposed_by": "evaluation",
        "as_of": 7,
        "evaluator": 1,
        "evidence_digest": "digest",
        "plan_hash": "hash",
        "exposure_version": 3,
        "expires_at": START + HOUR,
    }
    return PromotionProposed(rollout=ID, proposal=f"{ID}-p{number}", **{**said, **facts})


def approved(by: str = "bob", number: int = 1) -> Event:
    """Somebody agreed."""
    return ProposalApproved(rollout=ID, proposal=f"{ID}-p{number}", approver=by, reason="fine")


rejected = ProposalRejected(rollout=ID, proposal=f"{ID}-p1", rejected_by="bob", reason="no")
withdrawn = ProposalWithdrawn(rollout=ID, proposal=f"{ID}-p1", withdrawn_by="bob", reason="oh")
lapsed = ProposalLapsed(rollout=ID, proposal=f"{ID}-p1", reason="expired")
delayed = PromotionDelayed(rollout=ID, proposal=f"{ID}-p1", reason="frozen")
promoted = WavePromoted(rollout=ID, proposal=f"{ID}-p1", wave=1, to="wave 2")


def held(kind: HoldKind = "paused", reason: str = "why") -> Event:
    """Nothing is promoted from here."""
    return RolloutHeld(rollout=ID, flag=FLAG, wave=1, kind=kind, reason=reason)


def released(kind: HoldKind = "paused") -> Event:
    """That hold is over."""
    return HoldReleased(rollout=ID, flag=FLAG, wave=1, kind=kind, reason="over")


def alert(severity: Severity = "critical", number: int = 1) -> Event:
    """An alert was raised."""
    return AlertRaised(
        alert=f"checkout/RULE/{number}",
        rule="RULE",
        flag=FLAG,
        severity=severity,
        value=1,
        threshold=0,
        unit="ratio",
        sample=1,
        summary="",
    )


def resolved(number: int = 1) -> Event:
    """It is over."""
    return AlertResolved(
        alert=f"checkout/RULE/{number}",
        rule="RULE",
        flag=FLAG,
        severity="critical",
        reason="fixed",
    )
