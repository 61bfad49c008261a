"""What is compared with what it is elsewhere, or was earlier: a share of executions."""

from typing import Literal, Self

from pydantic import Field, model_validator

from controlplane.criteria.verdict import ClaimModel
from controlplane.durations import Duration, format_duration
from projections.arms import Arm, Window
from projections.metrics import LADDER_US

Measure = Literal["error_rate", "slow_share"]


class MeasureModel(ClaimModel):
    """Common to the kinds that compare: which share, and what counts as slow."""

    measure: Measure = "error_rate"
    """`error_rate`: the share that failed; `slow_share`: the share that took over `threshold`."""
    threshold: Duration | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _threshold_is_counted(self) -> Self:
        if self.measure == "error_rate":
            if self.threshold is not None:
                raise ValueError("threshold is for slow_share: an error rate has none")
        elif self.threshold not in LADDER_US:
            ladder = ", ".join(map(format_duration, LADDER_US))
            raise ValueError(f"slow_share needs a threshold that is counted exactly: {ladder}")
        return self

    def bad(self, counted: Arm | Window) -> int:
        """How many executions failed, or were slow."""
        return counted.failed if self.threshold is None else counted.rungs.over(self.threshold)

    @property
    def did(self) -> str:
        """What the bad ones did, for a sentence."""
        if self.threshold is None:
            return "failed"
        return f"took over {format_duration(self.threshold)}"
