"""Which permission each route asks for: one table, by the name of its handler.

A route that is not in it is not answered. What a permission is, and who has it, is in
controlplane/permissions.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from controlplane.permissions import Permission
from events.alerts import alert_stream
from events.flags import flag_stream
from events.rollouts import rollout_stream


@dataclass(frozen=True)
class Rule:
    """What a route asks of whoever calls it."""

    permission: Permission | Literal["known"] | None
    """None: nothing; it tells nothing either. `known`: a token, whatever it permits."""
    command: bool = False
    """Whether it changes something: then it is recorded, accepted or denied."""
    lists: bool = False
    """Whether it tells of many flags, and leaves out those that a token is not for."""
    long: bool = False
    """Whether it may read much of the log: such ones wait for each other."""
    aside: bool = False
    """Whether it leaves no events: then its answer is recorded with it."""
    light: bool = False
    """Whether it is answered from memory, without a thread: then it waits for nobody."""


def _read(*names: str) -> dict[str, Rule]:
    return {name: Rule("read") for name in names}


def _long(*names: str) -> dict[str, Rule]:
    return {name: Rule("read", long=True) for name in names}


def _lists(permission: Permission, *names: str) -> dict[str, Rule]:
    return {name: Rule(permission, lists=True) for name in names}


def _commands(permission: Permission, *names: str) -> dict[str, Rule]:
    return {name: Rule(permission, command=True) for name in names}


_NOT_OF_ONE_FLAG = (
    *("list_flags", "list_rollouts", "list_proposals"),
    *("four_waves", "plan_schema", "check_plan"),
)
POLICY: dict[str, Rule] = {
    **{name: Rule(None) for name in ("front", "livez", "readyz")},
    **_read("openapi_document", "scrape_metrics"),
    "stream_events": Rule("read", light=True),
    **{
        name: Rule("evaluate", lists=True, light=True)
        for name in ("evaluate_flag", "evaluate_flags", "stream_flags", "stream_ofrep")
    },
    # Whether it raises is known inside: there it takes `flags.raise`.
    **_commands("flags.lower", "admin_flags"),
    **_commands("flags.lower", "enable_flag", "set_percentage", "disable_flag", "archive_flag"),
    **_read("get_flag"),
    "explain_flag": Rule("evaluate"),
    **_commands("flags.describe", "describe_flag"),
    **_commands("flags.raise", "define_variants", "revert_flag"),
    **_commands("glass.break", "break_glass"),
    **{name: Rule("read", lists=True) for name in _NOT_OF_ONE_FLAG},
    "create_flag": Rule("flags.describe", command=True, lists=True),
    "start_rollout": Rule("rollouts.operate", command=True, lists=True),
    "draft_rollout": Rule("rollouts.operate", command=True, lists=True),
    **_read("get_rollout", "rollout_status", "rollout_checklist", "rollout_plan"),
    **_long("explain_rollout", "verify_rollout", "flag_history", "list_events", "verify_log"),
    **_commands(
        "rollouts.operate",
        *("submit_rollout", "start_draft", "retry_rollout", "evaluate_rollout", "abort_rollout"),
        *("pause_rollout", "resume_rollout", "extend_rollout", "skip_wave", "answer_criterion"),
        *("request_override", "withdraw_override", "sign_off", "withdraw_sign_off"),
        "withdraw_proposal",
    ),
    **_commands("plans.edit", "revise_rollout"),
    **_commands(
        "rollouts.approve",
        *("approve_start", "reject_start", "approve_override"),
        *("approve_proposal", "reject_proposal"),
    ),
    **{
        name: Rule("webhooks.manage")
        for name in ("list_webhooks", "get_webhook", "list_dead_letters")
    },
    **_commands(
        "webhooks.manage",
        *("register_webhook", "change_webhook", "remove_webhook"),
        *("pause_webhook", "resume_webhook", "redeliver_dead_letter", "redeliver_dead_letters"),
    ),
    **_long("past_flag", "past_rollout", "past_rollout_status", "past_alert", "diff_past"),
    "evaluate_past_flag": Rule("evaluate", long=True),
    "rehearse": Rule("read", lists=True, long=True),
    **{
        name: Rule("read", lists=True, long=True)
        for name in (
            *("past_flags", "past_rollouts", "past_alerts", "past_totals"),
            *("past_incidents", "past_incident"),
        )
    },
    **_lists("record", "record_executions"),
    **_read("get_event", "log_head", "audit_why"),
    **_long(
        *("audit_events", "audit_counts", "audit_denied", "audit_approvals"),
        *("flag_changes", "rollout_approvals", "rollout_timeline", "rollout_report"),
    ),
    **_lists("read", "metric_totals"),
    "metric_minutes": Rule("read", lists=True, long=True),
    **_read("list_projections", "get_schedule"),
    **_long("verify_projections"),
    "try_webhook": Rule("webhooks.manage", command=True, aside=True),
    "prune_projections": Rule("projections.manage", command=True, aside=True),
    "rebuild_projection": Rule("projections.manage", command=True, aside=True, long=True),
    **_lists("read", "list_alerts", "list_alert_rules"),
    **_read("get_alert"),
    **_commands("alerts.handle", "acknowledge_alert", "resolve_alert"),
    **_lists("read", "list_incidents", "get_incident"),
    **{
        name: Rule("read", lists=True, long=True)
        for name in (
            *("incident_report", "incident_frames", "incident_check", "export_incident"),
            *("replay_frames", "replay_check"),
        )
    },
    **{
        name: Rule("alerts.handle", command=True, lists=True)
        for name in ("declare_incident", "note_incident", "close_incident")
    },
    **_lists("read", "list_freezes", "get_freeze"),
    "declare_freeze": Rule("freezes.declare", command=True, lists=True),
    "lift_freeze": Rule("freezes.lift", command=True, lists=True),
    "who_am_i": Rule("known", lists=True),
    **_read("list_tokens", "get_token"),
    **_commands("tokens.manage", "issue_token", "revoke_token"),
    **_lists("read", "list_reviews", "get_review"),
    **_commands("reviews.close", "close_review"),
}


def flag_of(parameters: Mapping[str, str]) -> str | None:
    """The flag that a path is about."""
    for name, belongs_to in _FLAGS.items():
        if name in parameters:
            return belongs_to(parameters[name])
    return None


def stream_of(parameters: Mapping[str, str]) -> str | None:
    """The stream whose version If-Match speaks of."""
    if "rule" in parameters:
        return alert_stream(parameters["flag"], parameters["rule"])
    for name in ("rollout", "proposal", "override"):
        if name in parameters:
            return rollout_stream(_rollout_of(parameters[name]))
    return flag_stream(parameters["flag"]) if "flag" in parameters else None


def _rollout_of(part: str) -> str:
    """`batch-patches-v1-r1-p3` belongs to `batch-patches-v1-r1`."""
    head, _, tail = part.rpartition("-")
    return head if tail[:1] in ("p", "o") and tail[1:].isdigit() else part


def _flag_of_rollout(part: str) -> str:
    head, _, tail = _rollout_of(part).rpartition("-")
    return head if tail[:1] == "r" and tail[1:].isdigit() else part


_FLAGS: dict[str, Callable[[str], str]] = {
    "flag": str,
    "key": str,
    "rollout": _flag_of_rollout,
    "proposal": _flag_of_rollout,
    "override": _flag_of_rollout,
}
