"""What of a plan a record can answer: it knows what was asked then, and of whom."""

from controlplane.checklists import missing
from controlplane.commands import Look
from controlplane.criteria.external import External
from controlplane.criteria.manual import Manual
from controlplane.criteria.not_worse_than import NotWorseThan
from controlplane.plans import Plan, recorded
from projections.rollouts import Rollout


def wants_only_answers(rollout: Rollout, ran: Plan, seen: Look) -> bool:
    """Whether it waits for nothing but people or systems that the plan that ran did not ask."""
    plan = recorded(rollout.plan)
    lenient = {one.name for one in plan.stage(rollout.wave).criteria if one.on_fail == "warn"}
    lacking = {
        one.criterion
        for one in seen.assessment.judgements
        if one.verdict != "PASS" and one.criterion not in lenient
    }
    if lacking:
        return lacking <= _answered_elsewhere(plan) - _answered_elsewhere(ran)
    required = plan.required_after(rollout.wave)
    return bool(missing(required, rollout.interventions.sign_offs))


def rests_on_control(rollout: Rollout, seen: Look) -> list[str]:
    """The criteria that compare with the old code, where a look is decided by one of them.

    What those would have met with it who were served the new code is in no record.
    """
    look = seen.assessment
    compared = {
        one.name
        for one in recorded(rollout.plan).stage(rollout.wave).criteria
        if isinstance(one, NotWorseThan) and one.baseline == "control"
    }
    failed = {one.criterion for one in look.judgements if one.verdict == "FAIL"}
    return sorted(compared) if compared & failed or look.action == "promote" else []


def _answered_elsewhere(plan: Plan) -> frozenset[str]:
    """Criteria that people or other systems answer."""
    stages = [plan.stage(number) for number in range(1, plan.stages + 1)]
    return frozenset(
        one.name for stage in stages for one in stage.criteria if isinstance(one, External | Manual)
    )
