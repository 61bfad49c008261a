"""`/api/v1/log`: prove that the record is intact."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Request, Response
from pydantic import Field

from controlplane.http import problems
from controlplane.http.calls import Json, Plane
from controlplane.http.models.events import Head, Witness
from controlplane.http.models.form import Said
from controlplane.http.route import router
from controlplane.http.walking import walking
from controlplane.operating_views import head_view
from events.errors import ChainBroken

routes = router("log", prefix="/api/v1/log")


class Expectation(Said):
    """What the log must still hold."""

    expect: Annotated[
        str | None,
        Field(
            max_length=200,
            description="POSITION:HASH, as /log/head gave it earlier.",
            examples=[f"4711:{'0' * 64}"],
        ),
    ] = None


_NOTHING = Expectation()


@routes.get("/head", response_model=Head)
def log_head(plane: Plane) -> Json:
    """The last position, and the hash that vouches for all before it."""
    return head_view(plane.head())


@routes.post("/verify", response_model=Witness)
def verify_log(request: Request, plane: Plane, said: Expectation = _NOTHING) -> Json | Response:
    """Walk the hash chain from the first event to the last. One at a time: it reads everything.

    A log that was altered is a problem with the `position` at which it was.
    """
    try:
        with walking(request):
            found = plane.verify(expect=said.expect)
    except ChainBroken as broken:
        position = broken.details["position"]
        return problems.answer("ChainBroken", HTTPStatus.CONFLICT, str(broken), position=position)
    return {"intact": True, "position": found.position, "hash": found.hash.hex()}
