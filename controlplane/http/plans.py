"""`/api/v1/plans`: what a plan may say, and whether one does."""

from typing import Any

from controlplane.http.calls import Json
from controlplane.http.models.rollouts import PlanHash
from controlplane.http.models.steering import PlanData
from controlplane.http.route import router
from controlplane.plan_schema import json_schema
from controlplane.plane.rollouts import as_plan
from controlplane.plans import FOUR_WAVES
from controlplane.views import plan_view

routes = router("plans", prefix="/api/v1/plans")


@routes.get("/four-waves", response_model=dict[str, Any])
def four_waves() -> Json:
    """The built-in plan, to start from."""
    return plan_view(FOUR_WAVES)


@routes.get("/schema", response_model=dict[str, Any])
def plan_schema() -> Json:
    """The JSON Schema of plans."""
    return json_schema()


@routes.post("/check", response_model=PlanHash)
def check_plan(body: PlanData) -> Json:
    """Say whether a plan is valid; nothing is done with it."""
    plan = as_plan(body)
    return {"name": plan.name, "plan_hash": plan.digest()}
