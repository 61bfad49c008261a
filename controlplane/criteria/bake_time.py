"""`bake_time`: the wave has lasted as long as planned. Every wave has it, from its `hold`."""

from typing import Literal

from controlplane.criteria.verdict import CriterionModel, CriterionName, Seen
from controlplane.durations import rough_duration
from events.judgements import Judgement


class BakeTime(CriterionModel):
    """Time alone promotes nothing, but nothing is promoted before its time."""

    kind: Literal["bake_time"] = "bake_time"
    name: CriterionName = "bake_time"

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge. It never fails: time goes on."""
        elapsed_us = seen.lasted_us
        left_us = max(0, seen.hold_us - elapsed_us)
        held = rough_duration(seen.hold_us)
        done = left_us == 0
        return Judgement(
            criterion=self.name,
            verdict="PASS" if done else "INCONCLUSIVE",
            sentence=f"held for {held}" if done else f"{rough_duration(left_us)} of {held} to go",
            numbers={"elapsed_us": elapsed_us, "hold_us": seen.hold_us},
            progress=1.0 if done else elapsed_us / seen.hold_us,
            ready_in_us=None if done else left_us,
        )


BAKE_TIME = BakeTime()
