"""Things as JSON has them: times in ISO 8601, nothing hidden, nothing made up."""

from typing import Any

import msgspec

from controlplane import plans
from controlplane.assessment import Assessment
from controlplane.bucketing import Explanation
from controlplane.durations import format_duration
from controlplane.plane.executions import Recorded
from controlplane.plane.rollouts import Status
from controlplane.rules.rule import Rule
from events.event import Event, RecordedEvent
from events.timestamps import Timestamp, to_iso
from projections.alerts import Alert
from projections.flags import Flag
from projections.metrics import Tally
from projections.rollouts import Proposal, Rollout
from projections.runner import Lag

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


def rollout_view(rollout: Rollout) -> Json:
    """A rollout as it stands, its plan left to `plan`."""
    data = _with_moments(rollout, "started_at", "wave_entered_at", "ended_at", "judged_at")
    del data["plan"]
    data["proposals"] = [proposal_view(proposal) for proposal in rollout.proposals]
    return data


def proposal_view(proposal: Proposal) -> Json:
    """A proposal."""
    return _with_moments(proposal, "expires_at", "proposed_at")


def status_view(status: Status) -> Json:
    """Where a rollout stands, judged now."""
    wave = status.evidence
    p95 = wave.durations.quantile(0.95)
    return rollout_view(status.rollout) | {
        "plan": status.plan.name,
        "flag_percentage": status.flag.percentage,
        "assessment": assessment_view(status.assessment) if status.assessment else None,
        "evidence": {
            "executions": wave.executions,
            "failed": wave.failed,
            "p95_us": p95,
            "critical_alerts": wave.critical_alerts,
            "last_at": moment(wave.last_at),
        },
    }


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
