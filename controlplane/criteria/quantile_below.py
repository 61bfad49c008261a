"""`quantile_below`: a latency quantile is below a threshold."""

from typing import Literal

from pydantic import Field

from controlplane.criteria.claims import Evidence, exposed, judge_share
from controlplane.criteria.samples import Executions
from controlplane.criteria.turns import turns
from controlplane.criteria.verdict import CriterionName, Seen, TurningModel
from controlplane.durations import Duration, format_duration
from events.judgements import Judgement
from projections.arms import Arm
from projections.metrics import LADDER_US


class QuantileBelow(TurningModel):
    """The `quantile` of the new code's duration in this wave is below `threshold`.

    Equivalent: less than 1 - quantile of executions take longer. Where the threshold is on the
    ladder of bounds, the excess is counted exactly; elsewhere the histogram answers, with
    possible exceedances to pass and certain ones to fail.
    """

    kind: Literal["quantile_below"] = "quantile_below"
    name: CriterionName = "latency"
    quantile: float = Field(default=0.95, ge=0.01, le=0.9999)
    threshold: Duration = Field(gt=0)

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge."""
        samples = tuple(exceedances(arm, self.threshold) for arm in exposed(seen.wave))
        later = None
        if self.threshold in LADDER_US and self.detect_turns:
            did = f"took over {format_duration(self.threshold)}"
            later = turns(seen.wave, seen.now, lambda one: one.rungs.over(self.threshold), did)
        need = f"P{self.quantile * 100:g} < {format_duration(self.threshold)}"
        p0 = round(1 - self.quantile, 12)
        return judge_share(self.name, self, seen, Evidence(samples, later), p0, need)


def exceedances(arm: Arm, threshold_us: int) -> Executions:
    """How many executions took longer, exactly or between two bounds."""
    bad = f"took over {format_duration(threshold_us)}"
    if threshold_us in LADDER_US:
        over = arm.rungs.over(threshold_us)
        return Executions(arm.executions, over, over, bad)
    certain, possible = arm.durations.exceeding(threshold_us)
    return Executions(arm.executions, certain, possible, bad)
