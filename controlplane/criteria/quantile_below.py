"""`quantile_below`: a latency quantile is below a threshold."""

from typing import Literal

from pydantic import Field

from controlplane.criteria.claims import Count, judge_share
from controlplane.criteria.verdict import CriterionModel, Seen
from controlplane.durations import Duration, format_duration
from events.rollouts import Judgement
from projections.evidence import WaveEvidence
from projections.metrics import LADDER_US


class QuantileBelow(CriterionModel):
    """The `quantile` of the new code's duration in this wave is below `threshold`.

    Equivalent: less than 1 - quantile of executions take longer. Where the threshold is on the
    ladder of bounds, the excess is counted exactly; elsewhere the histogram answers, with
    possible exceedances to pass and certain ones to fail.
    """

    kind: Literal["quantile_below"] = "quantile_below"
    name: str = Field(default="latency", min_length=1, max_length=100)
    quantile: float = Field(default=0.95, gt=0, lt=1)
    threshold: Duration

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge."""
        label = f"P{self.quantile * 100:g} < {format_duration(self.threshold)}"
        words = (f"took over {format_duration(self.threshold)}", label)
        count = exceedances(seen.wave, self.threshold)
        p0 = round(1 - self.quantile, 12)
        return judge_share(self.name, count, p0, words, self.alpha_pass, self.alpha_fail)


def exceedances(wave: WaveEvidence, threshold_us: int) -> Count:
    """How many executions took longer, exactly or between two bounds."""
    if threshold_us in LADDER_US:
        over = wave.rungs.over(threshold_us)
        return Count(wave.executions, over, over)
    return Count(wave.executions, *wave.durations.exceeding(threshold_us))
