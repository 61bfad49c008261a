"""`/api/v1/rehearsals`: what other plans and alert rules would have decided. Nothing is changed."""

from threading import Lock

from controlplane.access_errors import TooManyRequests
from controlplane.errors import RolloutNotFound
from controlplane.http.calls import Asking, Json, Plane, refuse_unseen, when
from controlplane.http.models.rehearsals import Rehearsal, Rehearsing
from controlplane.http.route import router
from controlplane.incident_errors import IncidentNotFound
from controlplane.plane.rehearsals import rulebook
from controlplane.rehearsing_views import rehearsal_view

routes = router("rehearsals", prefix="/api/v1/rehearsals")

_MOST = 500_000
"""Events that a request may go through, and criteria it may look at; more is for the terminal."""
_ONE_AT_A_TIME = Lock()
_RETRY_SECONDS = 10


@routes.post("", response_model=Rehearsal)
def rehearse(body: Rehearsing, plane: Plane, asking: Asking) -> Json:
    """Decide again, of what was recorded, under other plans and alert rules."""
    if body.flag is not None:
        refuse_unseen(asking, body.flag)
    if body.rollout is not None and not asking.sees(plane.rollouts.get(body.rollout).flag):
        raise RolloutNotFound(rollout=body.rollout)
    if body.incident is not None and not asking.sees(plane.incidents.get(body.incident).flag):
        raise IncidentNotFound(incident=body.incident)
    rulebooks = [rulebook(one.plan, one.rules, name=one.name) for one in body.rulebooks]
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        reason = "Another rehearsal is under way"  # None of the other questions waits for it.
        raise TooManyRequests(reason=reason, retry_after=_RETRY_SECONDS)
    try:
        found = plane.rehearse(
            rulebooks=rulebooks,
            rollout=body.rollout,
            incident=body.incident,
            since=None if body.since is None else when(body.since),
            until=None if body.until is None else when(body.until),
            flag=body.flag,
            every=body.every_seconds,
            sees=asking.sees,
            most=_MOST,
        )
    finally:
        _ONE_AT_A_TIME.release()
    return rehearsal_view(found)
