"""`/api/v1/audit/rollouts/…/report`: a compliance report, to keep and to print."""

from contextlib import nullcontext
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response

from controlplane.http.calls import FARTHEST, Asking, Plane
from controlplane.http.disclosure import narrowed_report
from controlplane.http.rollouts import RolloutId
from controlplane.http.route import router
from controlplane.http.walking import walking

routes = router("audit", prefix="/api/v1/audit")

Form = Literal["html", "markdown"]
_TYPES: dict[Form, str] = {"html": "text/html", "markdown": "text/markdown"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Of a page that only shows: what people wrote into the log is in it."""
_TEXT = {"schema": {"type": "string"}}
_POSITION = {"description": "The log position that it is of.", "schema": {"type": "integer"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {"As-Of": _POSITION},
        "content": {
            "text/html": _TEXT | {"example": "<!doctype html>…"},
            "text/markdown": _TEXT | {"example": "# batch-patches-v1-r1\n\n…"},
        },
    }
}


@routes.get("/rollouts/{rollout}/report", response_class=Response, responses=_ANSWERS)
def rollout_report(
    rollout: RolloutId,
    request: Request,
    plane: Plane,
    asking: Asking,
    *,
    as_: Annotated[Form, Query(alias="format")] = "html",
    at: Annotated[
        int | None, Query(ge=1, le=FARTHEST, description="As of this log position.")
    ] = None,
    walk_log: Annotated[
        bool, Query(description="Walk the hash chain for it: one at a time, it reads everything.")
    ] = True,
) -> Response:
    """Write all that an auditor reads about a rollout, in one file: a position gives one report."""
    from controlplane.reports.writing import write  # noqa: PLC0415  why: seldom needed

    with walking(request) if walk_log else nullcontext():
        found = plane.audit.report(rollout, at=at, walk_log=walk_log)
    headers = {"As-Of": str(found.position), "Content-Security-Policy": _POLICY}
    return Response(
        write(narrowed_report(found, asking), as_), media_type=_TYPES[as_], headers=headers
    )
