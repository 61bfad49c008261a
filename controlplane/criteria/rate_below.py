"""`rate_below`: the share of failed executions is below a bound."""

from typing import Literal

from pydantic import Field

from controlplane.criteria.claims import Count, judge_share
from controlplane.criteria.verdict import CriterionModel, Seen
from events.rollouts import Judgement


class RateBelow(CriterionModel):
    """The error rate of the new code in this wave is below `bound`."""

    kind: Literal["rate_below"] = "rate_below"
    name: str = Field(default="error_rate", min_length=1, max_length=100)
    bound: float = Field(gt=0, lt=1)

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge."""
        count = Count(seen.wave.executions, seen.wave.failed, seen.wave.failed)
        words = ("failed", f"error rate < {self.bound * 100:g} %")
        return judge_share(self.name, count, self.bound, words, self.alpha_pass, self.alpha_fail)
