"""An event in a sentence, for people who read the log."""

from collections.abc import Sequence
from typing import assert_never

from controlplane.durations import format_duration, rough_duration
from controlplane.incident_sentences import incident_sentence
from controlplane.webhook_sentences import delivery_sentence, webhook_sentence
from events.access import (
    AccessEvent,
    CommandAccepted,
    CommandDenied,
    DenialsSuppressed,
    GlassBroken,
    ReviewClosed,
    TokenIssued,
    TokenRevoked,
)
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
    FlagKind,
    RolloutAttached,
    RolloutDetached,
    Variant,
    VariantsDefined,
)
from events.freezes import FreezeDeclared, FreezeEvent, FreezeLifted
from events.incidents import IncidentEvent
from events.interventions import (
    BakeExtended,
    HoldReleased,
    InterventionEvent,
    ItemSignedOff,
    OverrideApproved,
    OverrideRequested,
    OverrideWithdrawn,
    RolloutHeld,
    SignOffWithdrawn,
    WaveEscalated,
)
from events.judgements import CriterionAnswered, JudgementEvent, WaveJudged
from events.promotions import (
    PromotionDelayed,
    PromotionEvent,
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
    PlanRevised,
    RollbackStalled,
    RollbackStarted,
    RolloutArmed,
    RolloutCancelled,
    RolloutCompleted,
    RolloutDrafted,
    RolloutEvent,
    RolloutRolledBack,
    RolloutStarted,
    RolloutSubmitted,
    SoakStarted,
    StartApproved,
    StartRejected,
    WaveEntered,
)
from events.scheduler import LeaseTaken
from events.timestamps import to_iso
from events.webhooks import DeliveryEvent, WebhookEvent


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
    if isinstance(event, FreezeEvent):
        return _freeze(event)
    if isinstance(event, IncidentEvent):
        return incident_sentence(event)
    if isinstance(event, AccessEvent):
        return _access(event)
    if isinstance(event, WebhookEvent):
        return webhook_sentence(event)
    if isinstance(event, DeliveryEvent):
        return delivery_sentence(event)
    if isinstance(event, LeaseTaken):
        return f"{event.holder} looks at alerts and rollouts from here on, token {event.token}"
    return event.TYPE


def _execution(event: BatchExecuted) -> str:
    path = "new path" if event.cohort == "on" else "old path"
    text = f"{event.flag}: {event.outcome} for {event.unit} on the {path}"
    if event.outcome != "rejected":
        text += f" in {event.duration_us / 1000:.2f} ms"
    if event.violations:
        text += f", violated {', '.join(event.violations)}"
    said = event.error and event.error != f"violated: {', '.join(event.violations)}"
    return text + (f": {event.error}" if said else "")


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
        case VariantsDefined(flag=flag, reason=reason) as defined:
            words = answers(defined.kind, defined.variants, defined.default)
            return _because(f"{flag} answers {words}", reason)
        case FlagArchived(flag=flag, reason=reason):
            return _because(f"{flag} archived", reason)
        case RolloutAttached(flag=flag, rollout=rollout):
            return f"{rollout} took charge of {flag}"
        case RolloutDetached(flag=flag, rollout=rollout):
            return f"{rollout} let {flag} go"
        case _ as unreachable:
            assert_never(unreachable)


def _access(event: AccessEvent) -> str:
    match event:
        case TokenIssued(token=token, owner=owner, roles=roles):
            return f"token {token} issued to {owner} ({', '.join(roles)})"
        case TokenRevoked(token=token, reason=reason):
            return _because(f"token {token} revoked", reason)
        case CommandAccepted(command=command, address=address, changed=changed):
            return f"{command} from {address}" + ("" if changed else ", nothing to change")
        case CommandDenied(command=command, address=address, status=status, reason=reason):
            return f"{command} from {address} denied ({status}): {reason}"
        case DenialsSuppressed(count=count, since=since):
            return f"{count} more denied since {to_iso(since)}, not recorded one by one"
        case GlassBroken() as broken:
            change = f"{broken.before:g} % → {broken.after:g} % of {broken.audience}"
            return _because(f"{broken.flag}: {change} by one alone; {broken.review}", broken.reason)
        case ReviewClosed(review=review, note=note):
            return f"{review} closed: {note}"
        case _ as unreachable:
            assert_never(unreachable)


def answers(kind: FlagKind, variants: Sequence[Variant], default: str) -> str:
    """The variants by weight, without their values, which may be long."""
    weighted = ", ".join(f"{variant.name} {variant.weight}" for variant in variants)
    return f"{kind}s by weight: {weighted}; {default} to the rest"


def _rollout(event: RolloutEvent) -> str:
    if isinstance(event, PromotionEvent):
        return _promotion(event)
    if isinstance(event, InterventionEvent):
        return _hold(event)
    if isinstance(event, JudgementEvent):
        return _finding(event)
    match event:
        case RolloutDrafted(rollout=rollout, plan=plan, requested_by=who):
            return f"{rollout} drafted by {who} with plan {plan.get('name')}"
        case PlanRevised(rollout=rollout, plan=plan, revised_by=who):
            return f"{rollout} given plan {plan.get('name')} by {who}"
        case RolloutSubmitted(rollout=rollout, submitted_by=who):
            return f"{rollout} submitted by {who}"
        case StartApproved(rollout=rollout, approver=who, reason=reason):
            return _because(f"start of {rollout} approved by {who}", reason)
        case StartRejected(rollout=rollout, rejected_by=who, reason=reason):
            return _because(f"start of {rollout} rejected by {who}", reason)
        case RolloutArmed(rollout=rollout):
            return f"{rollout} may start"
        case RolloutStarted(rollout=rollout, started_by=who):
            return f"{rollout} started by {who}"
        case RolloutCancelled(rollout=rollout, cancelled_by=who, reason=reason):
            return _because(f"{rollout} cancelled by {who}", reason)
        case WaveEntered(rollout=rollout, name=name, audience=audience, percentage=percentage):
            return f"{rollout} entered {name}: {percentage:g} % of {audience.name}"
        case SoakStarted(rollout=rollout):
            return f"{rollout} began to soak"
        case ExposureConfirmed(rollout=rollout, wave=wave):
            return f"{rollout}: clients report the new code in stage {wave}"
        case BakeCompleted(rollout=rollout, wave=wave):
            return f"{rollout}: stage {wave} has lasted as long as planned"
        case RolloutCompleted(rollout=rollout):
            return f"{rollout} completed"
        case RollbackStarted(rollout=rollout, trigger=trigger, reason=reason):
            return _because(f"{rollout} rolled back by {trigger}", reason)
        case RollbackStalled(rollout=rollout, reports=reports):
            return f"rollback of {rollout} stalled: {reports} executions of the new code since"
        case RolloutRolledBack(rollout=rollout, confirmed_by=by, took_us=took):
            after = f"after {rough_duration(took)}" if took else "at once"
            return f"rollback of {rollout} confirmed by {by} {after}"
        case _ as unreachable:
            assert_never(unreachable)


def _finding(event: JudgementEvent) -> str:
    match event:
        case WaveJudged(rollout=rollout, verdict=verdict, reason=reason):
            return f"{rollout} judged {verdict}: {reason}"
        case CriterionAnswered(rollout=rollout, criterion=name, verdict=verdict, detail=detail):
            return _because(f"{rollout}: {name} answered {verdict}", detail)
        case _ as unreachable:
            assert_never(unreachable)


def _promotion(event: PromotionEvent) -> str:
    match event:
        case PromotionProposed(proposal=proposal, to=to, kind="skip", proposed_by=who) as skip:
            return _because(f"{proposal} proposed by {who}: skip to {to}", skip.reason)
        case PromotionProposed(proposal=proposal, to=to):
            return f"{proposal} proposed: go on to {to}"
        case ProposalApproved(proposal=proposal, approver=who, reason=reason):
            return _because(f"{proposal} approved by {who}", reason)
        case ProposalRejected(proposal=proposal, rejected_by=who, reason=reason):
            return _because(f"{proposal} rejected by {who}", reason)
        case ProposalWithdrawn(proposal=proposal, withdrawn_by=who, reason=reason):
            return _because(f"{proposal} withdrawn by {who}", reason)
        case ProposalLapsed(proposal=proposal, reason=reason):
            return _because(f"{proposal} lapsed", reason)
        case PromotionDelayed(proposal=proposal, reason=reason):
            return _because(f"{proposal} is approved and waits", reason)
        case WavePromoted(rollout=rollout, wave=wave, to=to):
            return f"{rollout} promoted from stage {wave} to {to}"
        case _ as unreachable:
            assert_never(unreachable)


def _hold(event: InterventionEvent) -> str:
    match event:
        case RolloutHeld(rollout=rollout, kind=kind, reason=reason):
            return _because(f"{rollout} held, {kind}", reason)
        case HoldReleased(rollout=rollout, kind=kind, reason=reason):
            return _because(f"{rollout} no longer held, {kind}", reason)
        case WaveEscalated(rollout=rollout, wave=wave, reason=reason):
            return _because(f"{rollout} needs people in stage {wave}", reason)
        case BakeExtended(rollout=rollout, by_us=by_us, reason=reason):
            return _because(f"{rollout} extended by {format_duration(by_us)}", reason)
        case OverrideRequested(override=id_, criterion=name, requested_by=who, reason=reason):
            return _because(f"{id_} requested by {who}: {name} need not pass", reason)
        case OverrideApproved(override=id_, approver=who, reason=reason):
            return _because(f"{id_} approved by {who}", reason)
        case OverrideWithdrawn(override=id_, withdrawn_by=who, reason=reason):
            return _because(f"{id_} withdrawn by {who}", reason)
        case ItemSignedOff(rollout=rollout, item=item, signed_by=who, role=role, note=note):
            as_role = f" as {role}" if role else ""
            return _because(f"{rollout}: {item} signed off by {who}{as_role}", note)
        case SignOffWithdrawn(rollout=rollout, item=item, signed_by=who, reason=reason):
            return _because(f"{rollout}: {who} took back the sign-off of {item}", reason)
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


def _freeze(event: FreezeEvent) -> str:
    match event:
        case FreezeDeclared(freeze=freeze, name=name, flags=flags, reason=reason):
            called = f"{freeze} ({name})" if name else freeze
            return _because(f"{called} declared for {', '.join(flags) or 'all flags'}", reason)
        case FreezeLifted(freeze=freeze, reason=reason):
            return _because(f"{freeze} lifted", reason)
        case _ as unreachable:
            assert_never(unreachable)


def _because(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text
