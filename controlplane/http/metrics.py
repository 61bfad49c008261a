"""`/api/v1/metrics`: what was measured, by flag and cohort, in all and by the minute."""

from typing import Annotated

from fastapi import Query

from controlplane.errors import FlagNotFound, InvalidInput
from controlplane.http.calls import Asking, Json, Plane
from controlplane.http.models.form import Page, everything
from controlplane.http.models.metrics import Minutes, Tally
from controlplane.http.route import router
from controlplane.measurements import Measurements
from controlplane.plane import ControlPlane
from controlplane.plane.core import moment
from controlplane.plane.tokens import Caller
from controlplane.views import tally_view
from events.executions import Cohort
from events.timestamps import DAY, HOUR, MINUTE, Timestamp, to_iso

routes = router("metrics", prefix="/api/v1/metrics")

_LONGEST = 31 * DAY
_A_DAY = DAY // MINUTE


@routes.get("/totals", response_model=Page[Tally])
def metric_totals(plane: Plane, asking: Asking) -> Json:
    """Everything ever recorded, by flag and cohort. `next` is always null."""
    return totals(plane.metrics, asking)


@routes.get("/minutes", response_model=Minutes)
def metric_minutes(
    plane: Plane,
    asking: Asking,
    flag: Annotated[str, Query(min_length=1, max_length=100, examples=["batch-patches-v1"])],
    cohort: Annotated[Cohort, Query()] = "on",
    since: Annotated[
        str | None,
        Query(max_length=64, description="ISO 8601 with a zone. Default: an hour before `until`."),
    ] = None,
    until: Annotated[
        str | None,
        Query(max_length=64, description="Exclusive; at most 31 days later. Default: now."),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=7 * _A_DAY, description="A page covers at most so many minutes.")
    ] = _A_DAY,
) -> Json:
    """The minutes that begin in [since, until); those in which nothing was recorded left out."""
    if not asking.sees(flag):
        raise FlagNotFound(flag=flag)
    plane.flags.get(flag)
    begin, end = _window(plane, since, until)
    stop = min(end, begin + limit * MINUTE)
    found = plane.metrics.minutes(flag, cohort, begin, stop)
    return {
        "items": [
            {"minute": to_iso(minute), "flag": flag, "cohort": cohort, **tally_view(tally)}
            for minute, tally in found
        ],
        "next": to_iso(stop) if stop < end else None,
    }


def totals(measurements: Measurements, asking: Caller) -> Json:
    """What was recorded of the flags that a token is for."""
    return everything(
        [
            {"flag": flag, "cohort": cohort, **tally_view(tally)}
            for (flag, cohort), tally in measurements.totals().items()
            if asking.sees(flag)
        ]
    )


def _window(
    plane: ControlPlane, since: str | None, until: str | None
) -> tuple[Timestamp, Timestamp]:
    """What is asked about. Raises InvalidInput."""
    told = moment(until)
    end = plane.clock() if told is None else told
    told = moment(since)
    begin = end - HOUR if told is None else told
    if not 0 <= begin <= end <= begin + _LONGEST:
        raise InvalidInput(reason="`since` is before `until`, by 31 days at most, and after 1970")
    return begin, end
