"""What to do about a refusal: at the terminal a command, over HTTP a route.

The message of an error ends with what to do; how depends on where one stands.
"""

from dataclasses import dataclass

from controlplane import access_errors, errors, incident_errors, webhook_errors
from controlplane.errors import ControlPlaneError
from events.errors import BundleUnreadable


@dataclass(frozen=True)
class Advice:
    """Both, with {names} as in the message."""

    command: str
    route: str


ADVICE: dict[type[ControlPlaneError], Advice] = {
    errors.FlagNotFound: Advice(
        "flags create {flag} --owner TEAM, or controlplane flags list",
        'POST /api/v1/flags {{"name": "{flag}", "owner": "TEAM"}}, or GET /api/v1/flags',
    ),
    errors.FlagIsDisabled: Advice(
        "flags enable {flag} --percentage {percentage:g}",
        'POST /api/v1/flags/{flag}/enable {{"percentage": {percentage:g}}}',
    ),
    errors.FlagIsOn: Advice(
        "flags disable {flag} --reason WHY",
        'POST /api/v1/flags/{flag}/disable {{"reason": "WHY"}}',
    ),
    errors.RolloutInCharge: Advice(
        "rollouts abort {rollout} --reason WHY",
        'POST /api/v1/rollouts/{rollout}/abort {{"reason": "WHY"}}',
    ),
    errors.RolloutNotFound: Advice("rollouts list", "GET /api/v1/rollouts"),
    errors.CriticalAlertOpen: Advice(
        "alerts resolve {alert} --reason WHY",
        'POST /api/v1/alerts/{alert}/resolve {{"reason": "WHY"}}',
    ),
    errors.ProposalNotFound: Advice("rollouts proposals", "GET /api/v1/proposals"),
    errors.AlertNotFound: Advice("alerts list", "GET /api/v1/alerts?open=true"),
    errors.RolloutNotRunning: Advice(
        "rollouts status {rollout}", "GET /api/v1/rollouts/{rollout}/status"
    ),
    errors.AlreadyExposed: Advice(
        "flags set {flag} --percentage {planned:g} --reason WHY",
        'POST /api/v1/flags/{flag}/percentage {{"percentage": {planned:g}, "reason": "WHY"}}',
    ),
    errors.WaveFailed: Advice("rollouts retry {rollout}", "POST /api/v1/rollouts/{rollout}/retry"),
    errors.NotSignedOff: Advice(
        "rollouts checklist {rollout}", "GET /api/v1/rollouts/{rollout}/checklist"
    ),
    errors.OverrideNotFound: Advice(
        "rollouts status ROLLOUT", "GET /api/v1/rollouts/ROLLOUT/status"
    ),
    errors.FreezeNotFound: Advice("freezes list", "GET /api/v1/freezes"),
    access_errors.NotAuthenticated: Advice(
        "access issue --owner NAME --role ROLE",
        "POST /api/v1/tokens, or controlplane access issue at the terminal",
    ),
    access_errors.TokenNotFound: Advice("access tokens", "GET /api/v1/tokens"),
    access_errors.ReviewNotFound: Advice("access reviews", "GET /api/v1/reviews"),
    webhook_errors.WebhookNotFound: Advice("webhooks list", "GET /api/v1/webhooks"),
    webhook_errors.DeadLetterNotFound: Advice(
        "webhooks dead-letters {webhook}", "GET /api/v1/webhooks/{webhook}/dead-letters"
    ),
    incident_errors.IncidentNotFound: Advice("incidents list --all", "GET /api/v1/incidents"),
    incident_errors.IncidentIsOpen: Advice(
        "incidents note {incident} NOTE",
        'POST /api/v1/incidents/{incident}/notes {{"note": "NOTE"}}',
    ),
    incident_errors.IncidentNotOver: Advice(
        "alerts resolve {alert} --reason WHY",
        'POST /api/v1/alerts/{alert}/resolve {{"reason": "WHY"}}',
    ),
    BundleUnreadable: Advice(
        "incidents export INCIDENT -o FILE", "GET /api/v1/incidents/INCIDENT/export"
    ),
}
"""Of each refusal that something in particular helps against."""


def at_terminal(error: ControlPlaneError) -> str:
    """What went wrong, and which command helps."""
    advice = ADVICE.get(type(error))
    return str(error) if advice is None else _advised(error, f"controlplane {advice.command}")


def over_http(error: ControlPlaneError) -> str:
    """What went wrong, and which route helps."""
    advice = ADVICE.get(type(error))
    return str(error) if advice is None else _advised(error, advice.route)


def _advised(error: ControlPlaneError, how: str) -> str:
    return f"{str(error).removesuffix('.')}: {how.format(**error.details)}."
