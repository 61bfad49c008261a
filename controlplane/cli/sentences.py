"""An event in a sentence, for people who read the log."""

from typing import assert_never

from events.alerts import AlertAcknowledged, AlertEvent, AlertRaised, AlertResolved
from events.event import Event
from events.executions import BatchExecuted
from events.flags import (
    ExposureChanged,
    FlagArchived,
    FlagCreated,
    FlagDescribed,
    FlagDisabled,
    FlagEnabled,
    FlagEvent,
    RolloutAttached,
    RolloutDetached,
)
from events.rollouts import (
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    RolloutCompleted,
    RolloutEvent,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
    WaveJudged,
    WavePromoted,
)


def sentence(event: Event) -> str:
    """What happened, without the envelope."""
    if isinstance(event, BatchExecuted):
        return _execution(event)
    if isinstance(event, FlagEvent):
        return _flag(event)
    if isinstance(event, RolloutEvent):
        return _rollout(event)
    if isinstance(event, AlertEvent):
        return _alert(event)
    return event.TYPE


def _execution(event: BatchExecuted) -> str:
    path = "new path" if event.cohort == "on" else "old path"
    text = f"{event.flag}: {event.outcome} for {event.unit} on the {path}"
    if event.outcome != "rejected":
        text += f" in {event.duration_us / 1000:.2f} ms"
    if event.violations:
        text += f", violated {', '.join(event.violations)}"
    return text + (f": {event.error}" if event.error else "")


def _flag(event: FlagEvent) -> str:
    match event:
        case FlagCreated(flag=flag, owner=owner):
            return f"{flag} created for {owner}"
        case FlagDescribed(flag=flag, owner=owner, tags=tags):
            return f"{flag} described: owner {owner}, tags {', '.join(tags) or 'none'}"
        case FlagEnabled(flag=flag, reason=reason):
            return _because(f"{flag} switched on", reason)
        case ExposureChanged() as moved:
            change = f"{moved.before:g} % → {moved.after:g} % of {moved.audience.name}"
            return _because(f"{moved.flag}: {change}", moved.reason)
        case FlagDisabled(flag=flag, reason=reason):
            return _because(f"{flag} switched off", reason)
        case FlagArchived(flag=flag, reason=reason):
            return _because(f"{flag} archived", reason)
        case RolloutAttached(flag=flag, rollout=rollout):
            return f"{rollout} took charge of {flag}"
        case RolloutDetached(flag=flag, rollout=rollout):
            return f"{rollout} let {flag} go"
        case _ as unreachable:
            assert_never(unreachable)


def _rollout(event: RolloutEvent) -> str:
    match event:
        case RolloutStarted(rollout=rollout, plan=plan, requested_by=who):
            return f"{rollout} started by {who} with plan {plan.get('name')}"
        case WaveEntered(rollout=rollout, name=name, audience=audience, percentage=percentage):
            return f"{rollout} entered {name}: {percentage:g} % of {audience.name}"
        case SoakStarted(rollout=rollout):
            return f"{rollout} began to soak"
        case WaveJudged(rollout=rollout, verdict=verdict, reason=reason):
            return f"{rollout} judged {verdict}: {reason}"
        case PromotionProposed(proposal=proposal, to=to):
            return f"{proposal} proposed: go on to {to}"
        case ProposalApproved(proposal=proposal, approver=who, reason=reason):
            return _because(f"{proposal} approved by {who}", reason)
        case ProposalRejected(proposal=proposal, rejected_by=who, reason=reason):
            return _because(f"{proposal} rejected by {who}", reason)
        case ProposalLapsed(proposal=proposal, reason=reason):
            return _because(f"{proposal} lapsed", reason)
        case WavePromoted(rollout=rollout, wave=wave, to=to):
            return f"{rollout} promoted from stage {wave} to {to}"
        case RolloutCompleted(rollout=rollout):
            return f"{rollout} completed"
        case RolloutRolledBack(rollout=rollout, trigger=trigger, reason=reason):
            return _because(f"{rollout} rolled back by {trigger}", reason)
        case _ as unreachable:
            assert_never(unreachable)


def _alert(event: AlertEvent) -> str:
    match event:
        case AlertRaised(alert=alert, summary=summary):
            return f"{alert} raised: {summary}"
        case AlertAcknowledged(alert=alert, note=note):
            return _because(f"{alert} acknowledged", note)
        case AlertResolved(alert=alert, reason=reason):
            return _because(f"{alert} resolved", reason)
        case _ as unreachable:
            assert_never(unreachable)


def _because(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text
