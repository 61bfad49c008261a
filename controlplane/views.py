"""Things as JSON has them: times in ISO 8601, nothing hidden, nothing made up."""

from collections.abc import Sequence
from typing import Any

import msgspec

from controlplane import plans
from controlplane.assessment import Assessment
from controlplane.bucketing import Explanation
from controlplane.checklists import Item, signed
from controlplane.criteria.manual import Manual
from controlplane.durations import format_duration
from controlplane.outgoing.standings import Standing
from controlplane.plane import explanations
from controlplane.plane.executions import Recorded
from controlplane.plane.explanations import Status
from controlplane.plane.verification import Verification
from controlplane.rules.rule import Rule
from events.event import Event, RecordedEvent
from events.timestamps import Timestamp, to_iso
from projections.access import Review, Token
from projections.alerts import Alert
from projections.flags import Flag
from projections.interventions import SignOff
from projections.metrics import Tally
from projections.promotions import Proposal
from projections.rollouts import Rollout
from projections.runner import Lag
from projections.webhooks import DeadLetter, Webhook

Json = dict[str, Any]


def moment(timestamp: Timestamp | None) -> str | None:
    """ISO 8601, or null where it has not been."""
    return to_iso(timestamp) if timestamp else None


def _with_moments(state: Any, *names: str) -> Json:
    data: Json = msgspec.to_builtins(state)
    return data | {name: moment(data[name]) for name in names}


def flag_view(flag: Flag) -> Json:
    """A flag as it stands."""
    data = _with_moments(flag, "enabled_at", "changed_at")
    return data | {"percentage": flag.percentage}


def variants_view(flag: Flag) -> Json:
    """What a flag can answer, with each variant's share of those it serves, in percent."""
    total = sum(variant.weight for variant in flag.variants)
    return {
        "flag": flag.name,
        "kind": flag.kind,
        "default": flag.default,
        "variants": [
            msgspec.to_builtins(variant) | {"share": variant.weight / total * 100}
            for variant in flag.variants
        ],
    }


def rollout_view(rollout: Rollout) -> Json:
    """A rollout as it stands, its plan left to `plan`."""
    data = _with_moments(
        rollout,
        *("start_at", "armed_at", "drafted_at", "started_at", "wave_entered_at"),
        *("ended_at", "rollback_at", "judged_at"),
    )
    del data["plan"], data["interventions"]
    found = rollout.interventions
    return data | {
        "start_approvals": [_with_moments(one, "at") for one in rollout.start_approvals],
        "proposals": [proposal_view(proposal) for proposal in rollout.proposals],
        "holds": [_with_moments(hold, "since") for hold in found.holds],
        "overrides": [_with_moments(one, "expires_at") for one in found.overrides],
        "sign_offs": [_with_moments(one, "at") for one in found.sign_offs],
        "extended_us": found.extended_us,
        "escalated": found.escalated,
    }


def proposal_view(proposal: Proposal) -> Json:
    """A proposal."""
    data = _with_moments(proposal, "expires_at", "proposed_at", "decided_at")
    return data | {"approvals": [_with_moments(one, "at") for one in proposal.approvals]}


def status_view(status: Status) -> Json:
    """Where a rollout stands, judged now."""
    rollout, wave = status.rollout, status.evidence
    running = status.assessment is not None
    return rollout_view(rollout) | {
        "sentence": explanations.sentence(status),
        "as_of": moment(status.now),
        "plan": status.plan.name,
        "flag_percentage": status.flag.percentage,
        "assessment": assessment_view(status.assessment) if status.assessment else None,
        "overridden": sorted(status.overridden),
        "unsigned": [item.name for item in status.unsigned],
        "watched_us": wave.lasted_us(status.now) if running else 0,
        "hold_us": hold_us(status) if running else 0,
        "evidence": {
            "executions": wave.executions,
            "failed": wave.failed,
            "p95_us": wave.own.durations.quantile(0.95),
            "other_audiences": wave.others.executions,
            "old_code": wave.control.executions,
            "critical_alerts": wave.critical_alerts,
            "last_at": moment(wave.last_at),
        },
    }


def hold_us(status: Status) -> int:
    """How long the present stage must last, with what people added."""
    stage = status.plan.stage(status.rollout.wave)
    return stage.hold + status.rollout.interventions.extended_us


def standing_view(explanation: explanations.Explanation) -> Json:
    """Why a rollout stands, or stood, where it does."""
    return status_view(explanation.status) | {
        "position": explanation.position,
        "history": [event_view(event) for event in explanation.history],
    }


def checklist_view(status: Status) -> list[Json]:
    """What may be signed off, before which stage it is due, and who did.

    The items of the plan, and the `manual` criteria of the present wave.
    """
    plan, rollout = status.plan, status.rollout
    stages = [(wave.name, wave.requires) for wave in plan.waves]
    if plan.soak is not None:
        stages.append(("soak", plan.soak.requires))
    places = [("start", plan.before_start), *stages, ("completed", plan.before_completion)]
    sign_offs = rollout.interventions.sign_offs
    rows = [_item_view(item, due, sign_offs) for due, items in places for item in items]
    if rollout.is_active:
        ours = tuple(one for one in sign_offs if one.wave == rollout.wave)
        for one in plan.stage(rollout.wave).criteria:
            if isinstance(one, Manual):
                item = Item(
                    name=one.name,
                    area="sign-off",
                    text=one.text,
                    role=one.role,
                    approvals=one.approvals,
                )
                rows.append(_item_view(item, plan.after(rollout.wave), ours))
    return rows


def _item_view(item: Item, due: str, sign_offs: Sequence[SignOff]) -> Json:
    have = signed(item, sign_offs)
    counted = (one for one in sign_offs if one.item == item.name and item.role in ("", one.role))
    return {
        "item": item.name,
        "area": item.area,
        "before": due,
        "text": item.text,
        "role": item.role,
        "required": item.required,
        "needed": item.approvals,
        "signed": have,
        "done": have >= item.approvals,
        "signed_by": list(dict.fromkeys(one.by for one in counted)),
    }


def verification_view(verification: Verification) -> Json:
    """What came of judging again."""
    data: Json = msgspec.to_builtins(verification)
    return data | {"identical": verification.identical}


def assessment_view(assessment: Assessment) -> Json:
    """What a look came to."""
    data: Json = msgspec.to_builtins(assessment)
    return data


def alert_view(alert: Alert) -> Json:
    """An alert."""
    return _with_moments(alert, "raised_at", "acknowledged_at", "resolved_at")


def rule_view(rule: Rule) -> Json:
    """An alert rule and its playbook."""
    acknowledge, resolve = rule.acknowledge_within_us, rule.resolve_within_us
    return {
        "name": rule.name,
        "severity": rule.severity,
        "condition": rule.condition,
        "disables_flag": rule.disables_flag,
        "acknowledge_within": format_duration(acknowledge) if acknowledge else "next working day",
        "resolve_within": format_duration(resolve) if resolve else "next working day",
        "playbook": list(rule.playbook),
    }


def event_view(event: RecordedEvent[Event]) -> Json:
    """An event with its envelope."""
    data: Json = msgspec.to_builtins(event)
    del data["event"]
    return data | {
        "occurred_at": to_iso(event.occurred_at),
        "recorded_at": to_iso(event.recorded_at),
        "data": msgspec.json.decode(event.data),
    }


def token_view(token: Token) -> Json:
    """A token; its text is nowhere, and its digest is of use to nobody."""
    data = _with_moments(token, "issued_at", "expires_at", "revoked_at")
    del data["digest"]
    return data


def review_view(review: Review) -> Json:
    """What one person did alone, and who looked at it."""
    return _with_moments(review, "opened_at", "closed_at")


def explanation_view(explanation: Explanation) -> Json:
    """Why a unit gets the new code, or does not."""
    data: Json = msgspec.to_builtins(explanation)
    return data


def recorded_view(recorded: Recorded) -> Json:
    """The answer to a call that recorded executions."""
    data: Json = msgspec.to_builtins(recorded)
    return data


def lag_view(lag: Lag) -> Json:
    """How far a read model is behind."""
    data: Json = msgspec.to_builtins(lag)
    return data


def tally_view(tally: Tally) -> Json:
    """What was measured, with the usual quantiles."""
    quantiles = {
        f"{label}_us": tally.durations.quantile(q)
        for label, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }
    return {
        "executions": tally.executions,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "rejected": tally.rejected,
        "error_rate": tally.error_rate,
        "violations": tally.violations,
        "memory_current_bytes": tally.memory_current_bytes,
        "memory_peak_bytes": tally.memory_peak_bytes,
        **quantiles,
    }


def plan_view(plan: plans.Plan) -> Json:
    """A plan as it is recorded."""
    return plan.to_json()


def webhook_view(webhook: Webhook, standing: Standing | None = None) -> Json:
    """A webhook, and how far it is if it still stands."""
    data = _with_moments(webhook, "registered_at")
    if standing is None:
        return data
    return data | {
        "position": standing.position,
        "attempts": standing.attempts,
        "next_attempt_at": moment(standing.next_attempt_at),
        "delivered_at": moment(standing.delivered_at),
        "error": standing.error,
    }


def letter_view(letter: DeadLetter) -> Json:
    """What could not be delivered."""
    return _with_moments(letter, "at")
