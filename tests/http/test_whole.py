"""Everything that Python can do can be done over HTTP, or it is said why not."""

import inspect
from collections.abc import Iterator

import pytest

from controlplane import ControlPlane
from controlplane.http.policy import POLICY

PARTS = (
    *("", "flags", "executions", "rollouts", "alerts", "incidents", "freezes"),
    *("access", "audit", "webhooks", "metrics", "projections"),
    *("past.flags", "past.rollouts", "past.alerts", "past.incidents", "past.metrics"),
)
"""Of a plane (``: itself), and of one as it stood."""
ROUTES: dict[str, dict[str, str]] = {
    "": {
        "as_of": "past_flags",
        "diff": "diff_past",
        "replay": "replay_frames",
        "rehearse": "rehearse",
        "event": "get_event",
        "events": "list_events",
        "head": "log_head",
        "schedule": "get_schedule",
        "verify": "verify_log",
    },
    "flags": {
        "all": "list_flags",
        "archive": "archive_flag",
        "break_glass": "break_glass",
        "create": "create_flag",
        "define_variants": "define_variants",
        "describe": "describe_flag",
        "disable": "disable_flag",
        "enable": "enable_flag",
        "evaluate": "evaluate_flag",
        "explain": "explain_flag",
        "get": "get_flag",
        "history": "flag_history",
        "is_enabled": "evaluate_flag",
        "revert": "revert_flag",
        "serve": "admin_flags",
        "set_percentage": "set_percentage",
        "value": "evaluate_flag",
    },
    "executions": {"record": "record_executions"},
    "rollouts": {
        "abort": "abort_rollout",
        "all": "list_rollouts",
        "answer": "answer_criterion",
        "approve": "approve_proposal",
        "approve_override": "approve_override",
        "approve_start": "approve_start",
        "draft": "draft_rollout",
        "evaluate": "evaluate_rollout",
        "explain": "explain_rollout",
        "extend_bake": "extend_rollout",
        "get": "get_rollout",
        "pause": "pause_rollout",
        "proposals": "list_proposals",
        "reject": "reject_proposal",
        "reject_start": "reject_start",
        "request_override": "request_override",
        "resume": "resume_rollout",
        "retry": "retry_rollout",
        "revise": "revise_rollout",
        "sign_off": "sign_off",
        "skip": "skip_wave",
        "start": "start_rollout",
        "status": "rollout_status",
        "submit": "submit_rollout",
        "verify": "verify_rollout",
        "withdraw": "withdraw_proposal",
        "withdraw_override": "withdraw_override",
        "withdraw_sign_off": "withdraw_sign_off",
    },
    "alerts": {
        "acknowledge": "acknowledge_alert",
        "all": "list_alerts",
        "get": "get_alert",
        "open": "list_alerts",
        "resolve": "resolve_alert",
    },
    "incidents": {
        "all": "list_incidents",
        "close": "close_incident",
        "declare": "declare_incident",
        "export": "export_incident",
        "get": "get_incident",
        "note": "note_incident",
        "open": "list_incidents",
        "report": "incident_report",
    },
    "freezes": {
        "all": "list_freezes",
        "declare": "declare_freeze",
        "find": "lift_freeze",
        "get": "get_freeze",
        "in_effect": "list_freezes",
        "lift": "lift_freeze",
    },
    "access": {
        "close_review": "close_review",
        "get": "get_token",
        "issue": "issue_token",
        "review": "get_review",
        "reviews": "list_reviews",
        "revoke": "revoke_token",
        "tokens": "list_tokens",
        "authenticate": "who_am_i",
    },
    "audit": {
        "approvals": "audit_approvals",
        "count": "audit_counts",
        "denied": "audit_denied",
        "events": "audit_events",
        "report": "rollout_report",
        "timeline": "rollout_timeline",
        "who_changed": "flag_changes",
        "why": "audit_why",
    },
    "webhooks": {
        "all": "list_webhooks",
        "change": "change_webhook",
        "dead_letters": "list_dead_letters",
        "get": "get_webhook",
        "pause": "pause_webhook",
        "redeliver": "redeliver_dead_letter",
        "register": "register_webhook",
        "remove": "remove_webhook",
        "resume": "resume_webhook",
        "standing": "get_webhook",
        "standings": "list_webhooks",
        "test": "try_webhook",
    },
    "metrics": {
        "minutes": "metric_minutes",
        "total": "metric_totals",
        "totals": "metric_totals",
    },
    "projections": {
        "lag": "list_projections",
        "prune": "prune_projections",
        "rebuild": "rebuild_projection",
        "rebuilds": "list_projections",
        "verify": "verify_projections",
    },
    "past.flags": {
        "all": "past_flags",
        "evaluate": "evaluate_past_flag",
        "explain": "evaluate_past_flag",
        "get": "past_flag",
    },
    "past.rollouts": {
        "all": "past_rollouts",
        "explain": "explain_rollout",
        "get": "past_rollout",
        "status": "past_rollout_status",
    },
    "past.alerts": {"all": "past_alerts", "get": "past_alert", "open": "past_alerts"},
    "past.incidents": {
        "all": "past_incidents",
        "get": "past_incident",
        "open": "past_incidents",
    },
    "past.metrics": {
        "minutes": "metric_minutes",
        "total": "past_totals",
        "totals": "past_totals",
    },
}
BY_THE_SERVICE_ITSELF = {
    ".candidate": "the scheduler does it",
    ".checkpoint": "the key that signs is to be kept from who keeps the log",
    ".clock": "every answer tells the time of what it tells",
    ".close": "a server is stopped, not asked to",
    ".proof": "it holds every byte, the URLs of webhooks too; it is made beside the database",
    ".tick": "the scheduler does it",
    "access.first_token": "it is printed at the start",
    "access.note": "the gate does it",
    "alerts.watch": "the scheduler does it",
    "projections.catch_up": "every answer does it",
    "projections.take_snapshots": "the scheduler does it",
    "rollouts.ask_due": "the scheduler does it",
    "rollouts.evaluate_all": "the scheduler does it",
    "rollouts.follow_rollbacks": "the scheduler does it",
    "webhooks.deliver": "the scheduler does it",
    "webhooks.deliverer": "the scheduler does it",
}


def methods(plane: ControlPlane) -> Iterator[tuple[str, str]]:
    past = plane.as_of(0)
    for part in PARTS:
        of, _, own = part.rpartition(".")
        whole: object = past if of else plane
        one = getattr(whole, own) if own else whole
        for name, _ in inspect.getmembers(one, callable):
            if not name.startswith("_"):
                yield part, name


def parts(of: object, prefix: str = "") -> set[str]:
    """What it is made of, each with an API of its own."""
    return {
        f"{prefix}{name}"
        for name, part in vars(of).items()
        if not name.startswith("_") and type(part).__module__.startswith("controlplane.")
    }


def test_no_part_is_passed_over(scraped: ControlPlane) -> None:
    known = parts(scraped) | parts(scraped.as_of(0), "past.")
    assert known == set(PARTS) - {""}


def test_every_method_has_a_route_or_a_reason(scraped: ControlPlane) -> None:
    without = [
        f"{part}.{name}"
        for part, name in methods(scraped)
        if name not in ROUTES[part] and f"{part}.{name}" not in BY_THE_SERVICE_ITSELF
    ]
    assert without == []


@pytest.mark.parametrize("part", PARTS)
def test_what_is_said_of_a_method_is_so(scraped: ControlPlane, part: str) -> None:
    there = {name for one, name in methods(scraped) if one == part}
    assert set(ROUTES[part]) <= there
    assert set(ROUTES[part].values()) <= set(POLICY)
