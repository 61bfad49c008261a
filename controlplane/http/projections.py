"""`/api/v1/projections` and `/api/v1/schedule`: how the control plane itself is doing."""

from typing import Annotated

from fastapi import Path, Request

from controlplane.http.calls import Json, Plane
from controlplane.http.models.form import Page, everything
from controlplane.http.models.projections import Build, ComparedModels, Projections, Schedule
from controlplane.http.route import router
from controlplane.http.walking import walking
from controlplane.operating_views import build_view, comparison_view, schedule_view
from controlplane.views import lag_view

routes = router("operating")


@routes.get("/projections", response_model=Projections)
def list_projections(plane: Plane) -> Json:
    """How far each read model is behind the log, and which are being computed again."""
    rebuilds = [build_view(build) for build in plane.projections.rebuilds()]
    return everything([lag_view(lag) for lag in plane.projections.lag()]) | {"rebuilds": rebuilds}


@routes.post("/projections/{name}/rebuild", response_model=Build)
def rebuild_projection(
    plane: Plane, name: Annotated[str, Path(max_length=100, examples=["flags"])]
) -> Json:
    """Compute a read model again beside the one in use, then switch. Reads go on meanwhile.

    Answers when that is done. It goes on where the client does not wait for it.
    """
    return build_view(plane.projections.rebuild(name))


@routes.post("/projections/verify", response_model=ComparedModels)
def verify_projections(request: Request, plane: Plane) -> Json:
    """Fold the whole log anew, and compare read models and snapshots with what it comes to.

    One at a time: it reads everything. What differs, a rebuild mends.
    """
    with walking(request):
        return comparison_view(plane.projections.verify())


@routes.post("/projections/prune", response_model=Page[Build])
def prune_projections(plane: Plane) -> Json:
    """Drop builds that other releases left behind; what was dropped.

    Only when none of these releases runs any more.
    """
    return everything([build_view(build) for build in plane.projections.prune()])


@routes.get("/schedule", response_model=Schedule)
def get_schedule(plane: Plane) -> Json:
    """Which scheduler has the lease, and when rollouts are looked at next."""
    return schedule_view(plane.schedule(), plane.clock())
