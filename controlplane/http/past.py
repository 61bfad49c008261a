"""`/api/v1/past`: everything as it stood at any moment, read-only, in the forms of the present."""

from typing import Annotated

from fastapi import Depends, Query, Response

from controlplane.history.past import Known, Past
from controlplane.http.alerts import Number, RuleName
from controlplane.http.calls import (
    After,
    Asking,
    FlagName,
    Json,
    Limit,
    Plane,
    page_of,
    when,
)
from controlplane.http.flags import answered
from controlplane.http.incidents import IncidentId
from controlplane.http.metrics import totals
from controlplane.http.models.alerts import Alert
from controlplane.http.models.flags import Explained, Flag, Question
from controlplane.http.models.form import Page
from controlplane.http.models.incidents import Incident
from controlplane.http.models.metrics import Tally
from controlplane.http.models.past import AS_OF, Differences
from controlplane.http.models.rollouts import Rollout, Status
from controlplane.http.rollouts import RolloutId
from controlplane.http.route import router
from controlplane.incident_errors import IncidentNotFound
from controlplane.incident_views import incident_view
from controlplane.past_views import differences_view
from controlplane.views import alert_view, flag_view, rollout_view, status_view

routes = router("past", prefix="/api/v1/past")

Place = Annotated[
    str,
    Query(
        min_length=1,
        max_length=40,
        description="A moment (ISO 8601 with a zone), or a log position.",
        examples=["2026-11-20T14:05:00Z"],
    ),
]
AsKnown = Annotated[
    Known,
    Query(
        description="`now`: with executions that had happened by the moment and were recorded later"
    ),
]


def _past(plane: Plane, response: Response, at: Place, known: AsKnown = "then") -> Past:
    past = plane.as_of(when(at), known)
    response.headers["As-Of"] = str(past.position)
    return past


Then = Annotated[Past, Depends(_past)]


@routes.get("/flags", response_model=Page[Flag], responses=AS_OF)
def past_flags(past: Then, asking: Asking, after: After = 0, limit: Limit = 100) -> Json:
    """All flags as they stood."""
    found = [flag for flag in past.flags.all() if asking.sees(flag.name)]
    return page_of(found, flag_view, after, limit)


@routes.get("/flags/{flag}", response_model=Flag, responses=AS_OF)
def past_flag(flag: FlagName, past: Then) -> Json:
    """One flag as it stood."""
    return flag_view(past.flags.get(flag))


@routes.post("/flags/{flag}/evaluate", response_model=Explained, responses=AS_OF)
def evaluate_past_flag(flag: FlagName, past: Then, body: Question) -> Json:
    """What a unit would have got, and why."""
    past.flags.get(flag)  # Raises FlagNotThere.
    return answered(past.flags.explain(flag, body.unit, body.attributes))


@routes.get("/rollouts", response_model=Page[Rollout], responses=AS_OF)
def past_rollouts(past: Then, asking: Asking, after: After = 0, limit: Limit = 100) -> Json:
    """All rollouts as they stood."""
    found = [rollout for rollout in past.rollouts.all() if asking.sees(rollout.flag)]
    return page_of(found, rollout_view, after, limit)


@routes.get("/rollouts/{rollout}", response_model=Rollout, responses=AS_OF)
def past_rollout(rollout: RolloutId, past: Then) -> Json:
    """A rollout as it stood."""
    return rollout_view(past.rollouts.get(rollout))


@routes.get("/rollouts/{rollout}/status", response_model=Status, responses=AS_OF)
def past_rollout_status(rollout: RolloutId, past: Then) -> Json:
    """Where it stood, judged as of the moment."""
    return status_view(past.rollouts.status(rollout))


@routes.get("/alerts", response_model=Page[Alert], responses=AS_OF)
def past_alerts(
    past: Then,
    asking: Asking,
    *,
    open_: Annotated[
        bool | None, Query(alias="open", description="Default: open ones and resolved ones.")
    ] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Json:
    """The alert of every rule and flag that was the latest then."""
    found = (
        alert
        for alert in past.alerts.all()
        if asking.sees(alert.flag) and open_ in (None, alert.open)
    )
    return page_of(found, alert_view, after, limit)


@routes.get("/alerts/{flag}/{rule}/{number}", response_model=Alert, responses=AS_OF)
def past_alert(flag: FlagName, rule: RuleName, number: Number, past: Then) -> Json:
    """One alert as it stood, if it was the latest of its rule and flag."""
    return alert_view(past.alerts.get(f"{flag}/{rule}/{number}"))


@routes.get("/incidents", response_model=Page[Incident], responses=AS_OF)
def past_incidents(
    past: Then,
    asking: Asking,
    *,
    open_: Annotated[
        bool | None, Query(alias="open", description="Default: open ones and closed ones.")
    ] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Json:
    """All incidents as they stood."""
    found = (
        incident
        for incident in past.incidents.all()
        if asking.sees(incident.flag) and open_ in (None, incident.is_open)
    )
    return page_of(found, incident_view, after, limit)


@routes.get("/incidents/{incident}", response_model=Incident, responses=AS_OF)
def past_incident(incident: IncidentId, past: Then, asking: Asking) -> Json:
    """One incident as it stood."""
    found = past.incidents.get(incident)
    if not asking.sees(found.flag):
        raise IncidentNotFound(incident=incident)
    return incident_view(found)


@routes.get("/metrics/totals", response_model=Page[Tally], responses=AS_OF)
def past_totals(past: Then, asking: Asking) -> Json:
    """Everything recorded by then, by flag and cohort. `next` is always null."""
    return totals(past.metrics, asking)


@routes.get("/diff", response_model=Differences)
def diff_past(plane: Plane, before: Place, after: Place, known: AsKnown = "then") -> Json:
    """What changed from one moment to another: flags, rollouts, alerts, freezes, totals.

    Either may be the earlier one.
    """
    return differences_view(plane.diff(when(before), when(after), known))
