"""`sustained`: stable operation for so long, such as 14 days."""

from typing import Literal, Self

from pydantic import Field

from controlplane.criteria.verdict import CriterionModel, CriterionName, OnFail, Seen
from controlplane.durations import Duration, rough_duration
from events.judgements import Judgement, Verdict


class Sustained(CriterionModel):
    """Watched for `duration` since the latest warning or critical alert.

    Silence and pauses stop the clock; an alert sets it back to zero.
    """

    kind: Literal["sustained"] = "sustained"
    name: CriterionName = "stable_days"
    on_fail: OnFail = "hold"
    duration: Duration = Field(gt=0)

    def scaled(self, factor: float) -> Self:
        """With its duration multiplied; 1 microsecond at least."""
        return self.model_copy(update={"duration": max(1, round(self.duration * factor))})

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge. It never fails: stability may begin anew at any time."""
        stable_us = max(0, seen.wave.stable_us(seen.now))
        left_us = max(0, self.duration - stable_us)
        wall_us = max(0, seen.now - seen.wave.entered_at)
        needed = rough_duration(self.duration)
        verdict: Verdict
        if not seen.wave.executions:
            verdict, sentence = "NO_DATA", f"no executions yet; need {needed} of stable operation"
        elif left_us:
            stable, left = rough_duration(stable_us), rough_duration(left_us)
            verdict, sentence = "INCONCLUSIVE", f"{stable} of {needed} stable; {left} to go"
        else:
            verdict, sentence = "PASS", f"stable for {rough_duration(stable_us)}, need {needed}"
        done = verdict == "PASS"
        return Judgement(
            criterion=self.name,
            verdict=verdict,
            sentence=sentence,
            numbers={
                "stable_us": stable_us,
                "needed_us": self.duration,
                "covered_share": stable_us / wall_us if wall_us else None,
            },
            progress=1.0 if done else min(0.999, stable_us / self.duration),
            ready_in_us=left_us if verdict == "INCONCLUSIVE" else None,
        )
