"""`rate_below`: the share of failed executions is below a bound."""

from typing import Literal

from pydantic import Field

from controlplane.criteria.claims import Evidence, exposed, judge_share
from controlplane.criteria.samples import Batches, Executions, Sample
from controlplane.criteria.turns import turns
from controlplane.criteria.verdict import CriterionName, Seen, TurningModel
from events.judgements import Judgement
from projections.arms import Arm


class RateBelow(TurningModel):
    """The error rate of the new code in this wave is below `bound`."""

    kind: Literal["rate_below"] = "rate_below"
    name: CriterionName = "error_rate"
    bound: float = Field(ge=1e-6, lt=1)
    unit: Literal["execution", "batch"] = "execution"
    """`execution`: the share of executions that failed, each independent of the others. `batch`:
    the mean share of a batch's patches that failed, however these hang together."""

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge."""
        samples = tuple(map(self._sample, exposed(seen.wave)))
        later = None
        if self.unit == "execution" and self.detect_turns:
            later = turns(seen.wave, seen.now, lambda window: window.failed, "failed")
        need = f"error rate < {self.bound * 100:g} %"
        return judge_share(self.name, self, seen, Evidence(samples, later), self.bound, need)

    def _sample(self, arm: Arm) -> Sample:
        if self.unit == "batch":
            return Batches(arm.shares)
        return Executions(arm.executions, arm.failed, arm.failed, "failed")
