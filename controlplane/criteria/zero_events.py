"""`zero_events`: no critical alert was raised in the wave."""

from typing import Literal

from pydantic import Field

from controlplane.criteria.verdict import CriterionModel, Seen
from controlplane.durations import rough_duration
from events.rollouts import Judgement, Verdict


class ZeroEvents(CriterionModel):
    """No critical alert on this flag since the wave began. One fails it at once.

    A violated invariant is a critical event even where no rule was running to see it.
    """

    kind: Literal["zero_events"] = "zero_events"
    name: str = Field(default="critical_alerts", min_length=1, max_length=100)

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge. That nothing was seen counts only where something was running."""
        verdict: Verdict
        alerts = seen.wave.critical_alerts
        violations = seen.wave.violations
        elapsed_us = seen.lasted_us
        if alerts:
            verdict, sentence = "FAIL", f"critical alert {alerts[0]}; need none"
        elif violations:
            verdict, sentence = "FAIL", f"{violations} invariant violations; need none"
        elif not seen.wave.executions:
            verdict, sentence = "NO_DATA", "no critical alert, but no executions either"
        elif not seen.baked:
            held = f"{rough_duration(seen.hold_us)}"
            verdict, sentence = "INCONCLUSIVE", f"none so far; need none in {held}"
        else:
            verdict, sentence = "PASS", f"none in {rough_duration(elapsed_us)}"
        return Judgement(
            criterion=self.name,
            verdict=verdict,
            sentence=sentence,
            numbers={"critical_alerts": len(alerts), "violations": violations},
            progress=min(1.0, elapsed_us / seen.hold_us)
            if verdict in ("INCONCLUSIVE", "PASS")
            else 0.0,
        )
