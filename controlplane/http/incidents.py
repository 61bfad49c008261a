"""`/api/v1/incidents`: what went wrong, with all that belongs to it; and going through it again."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Query, Response

from controlplane.history.retaking import retake_story
from controlplane.http.calls import (
    After,
    Asking,
    Json,
    Limit,
    Plane,
    page_of,
    refuse_unseen,
)
from controlplane.http.disclosure import narrowed
from controlplane.http.models import incidents as models
from controlplane.http.models.form import Because, Page
from controlplane.http.models.incidents import Frames, Incident, Report
from controlplane.http.models.replays import Retaken
from controlplane.http.replays import frames_of
from controlplane.http.route import router
from controlplane.incident_errors import IncidentNotFound
from controlplane.incident_views import incident_view, report_view
from controlplane.plane import ControlPlane
from controlplane.plane.tokens import Caller
from controlplane.replaying_views import retaken_view
from projections.incidents import Incident as Standing

routes = router("incidents", prefix="/api/v1/incidents")

IncidentId = Annotated[str, Path(min_length=1, max_length=63, examples=["INC-7"])]
_FILE = "application/octet-stream"
_STORY: dict[int | str, dict[str, Any]] = {
    200: {"content": {_FILE: {"schema": {"type": "string", "format": "binary"}}}}
}


@routes.get("", response_model=Page[Incident])
def list_incidents(
    plane: Plane,
    asking: Asking,
    *,
    open_: Annotated[
        bool | None, Query(alias="open", description="Default: open ones and closed ones.")
    ] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Json:
    """All incidents, in the order in which they last changed."""
    found = (
        incident
        for incident in plane.incidents.all()
        if asking.sees(incident.flag) and open_ in (None, incident.is_open)
    )
    return page_of(found, incident_view, after, limit)


@routes.post("", response_model=Incident, status_code=HTTPStatus.CREATED)
def declare_incident(body: models.IncidentDeclaration, plane: Plane, asking: Asking) -> Json:
    """Open one by hand; alerts on the flag join it."""
    refuse_unseen(asking, body.flag)
    declared = plane.incidents.declare(
        body.flag, reason=body.reason, severity=body.severity, actor=asking.actor
    )
    return incident_view(declared)


@routes.get("/{incident}", response_model=Incident)
def get_incident(incident: IncidentId, plane: Plane, asking: Asking) -> Json:
    """One as it stands."""
    return incident_view(_seen(plane, asking, incident))


@routes.get("/{incident}/report", response_model=Report)
def incident_report(incident: IncidentId, plane: Plane, asking: Asking) -> Json:
    """All that belongs to it: alerts, people, changes, and how fast each step was."""
    _seen(plane, asking, incident)
    told = plane.incidents.report(incident)
    timeline = [narrowed(event, asking) for event in told.timeline]
    return report_view(replace(told, timeline=timeline))


@routes.post("/{incident}/notes", response_model=Incident)
def note_incident(
    incident: IncidentId, body: models.NoteSaid, plane: Plane, asking: Asking
) -> Json:
    """Write something down about it."""
    _seen(plane, asking, incident)
    return incident_view(plane.incidents.note(incident, body.note, actor=asking.actor))


@routes.post("/{incident}/close", response_model=Incident)
def close_incident(incident: IncidentId, body: Because, plane: Plane, asking: Asking) -> Json:
    """Say that it is over, once its alerts are resolved."""
    _seen(plane, asking, incident)
    return incident_view(plane.incidents.close(incident, reason=body.reason, actor=asking.actor))


@routes.get("/{incident}/frames", response_model=Frames)
def incident_frames(
    incident: IncidentId, plane: Plane, asking: Asking, after: After = 0, limit: Limit = 100
) -> Json:
    """Go through it again, event by event: what each altered, and what could then be seen."""
    _seen(plane, asking, incident)
    return frames_of(plane.replay(incident), asking, after, limit)


@routes.get("/{incident}/check", response_model=Retaken)
def incident_check(incident: IncidentId, plane: Plane, asking: Asking) -> Json:
    """Take every decision in it again, from the events alone, and compare event for event."""
    _seen(plane, asking, incident)
    return retaken_view(retake_story(plane.replay(incident)))


@routes.get("/{incident}/export", response_class=Response, responses=_STORY)
def export_incident(incident: IncidentId, plane: Plane, asking: Asking) -> Response:
    """One file with all that its replay needs: a manifest, then each event with its hash."""
    id_ = _seen(plane, asking, incident).id
    headers = {"Content-Disposition": f'attachment; filename="{id_}.jsonl"'}
    return Response(b"".join(plane.incidents.export(id_)), media_type=_FILE, headers=headers)


def _seen(plane: ControlPlane, asking: Caller, id_: str) -> Standing:
    """Raises IncidentNotFound where the token is for other flags: to it, there is none."""
    found = plane.incidents.get(id_)
    if not asking.sees(found.flag):
        raise IncidentNotFound(incident=id_)
    return found
