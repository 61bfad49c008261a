"""`/api/v1/alerts`: what is wrong, and who is on it."""

from typing import Annotated

from fastapi import Path, Query, Response

from controlplane.http.calls import (
    FARTHEST,
    After,
    Asking,
    FlagName,
    Json,
    Limit,
    Plane,
    page,
    tag,
)
from controlplane.http.models.alerts import Alert, AlertRule, Note
from controlplane.http.models.form import Because, Page, everything
from controlplane.http.route import router
from controlplane.rules.catalog import WATCHED
from controlplane.views import alert_view, rule_view
from events.alerts import alert_stream

routes = router("alerts", prefix="/api/v1/alerts")

_NO_NOTE = Note()
RuleName = Annotated[str, Path(min_length=1, max_length=100, examples=["ERROR_RATE_CRITICAL"])]
Number = Annotated[int, Path(ge=1, le=FARTHEST, description="Of the rule on this flag, from 1.")]


@routes.get("", response_model=Page[Alert])
def list_alerts(
    plane: Plane,
    asking: Asking,
    *,
    open_: Annotated[
        bool | None, Query(alias="open", description="Default: open ones and resolved ones.")
    ] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Json:
    """The latest alert of every rule and flag, in the order in which they last changed."""
    found = (
        (alert.position, alert_view(alert))
        for alert in plane.alerts.all()
        if asking.sees(alert.flag) and open_ in (None, alert.open)
    )
    return page(found, after, limit)


@routes.get("/rules", response_model=Page[AlertRule])
async def list_alert_rules() -> Json:
    """The rules that watch every flag, with their playbooks."""
    return everything([rule_view(rule) for rule in WATCHED.values()])


@routes.get("/{flag}/{rule}/{number}", response_model=Alert)
def get_alert(
    flag: FlagName, rule: RuleName, number: Number, plane: Plane, response: Response
) -> Json:
    """One alert, if it is the latest of its rule and flag."""
    tag(response, plane, alert_stream(flag, rule))
    return alert_view(plane.alerts.get(f"{flag}/{rule}/{number}"))


@routes.post("/{flag}/{rule}/{number}/acknowledge", response_model=Alert)
def acknowledge_alert(
    flag: FlagName,
    rule: RuleName,
    number: Number,
    plane: Plane,
    asking: Asking,
    said: Note = _NO_NOTE,
) -> Json:
    """Say that you are on it."""
    id_ = f"{flag}/{rule}/{number}"
    return alert_view(plane.alerts.acknowledge(id_, actor=asking.actor, note=said.note))


@routes.post("/{flag}/{rule}/{number}/resolve", response_model=Alert)
def resolve_alert(
    flag: FlagName,
    rule: RuleName,
    number: Number,
    plane: Plane,
    asking: Asking,
    said: Because,
) -> Json:
    """Close it, with the cause. A critical one takes an approver.

    If its condition still holds, it is raised anew.
    """
    return alert_view(
        plane.alerts.resolve(
            f"{flag}/{rule}/{number}",
            actor=asking.actor,
            reason=said.reason,
            may_silence_critical=asking.may("alerts.silence_critical"),
        )
    )
