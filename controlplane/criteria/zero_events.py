"""`zero_events`: no critical alert was raised in the wave."""

from typing import Literal

from controlplane.criteria.verdict import CriterionModel, CriterionName, Seen
from controlplane.durations import rough_duration
from events.judgements import Judgement, Verdict
from events.timestamps import DAY

_RULE_OF_THREE = 3


class ZeroEvents(CriterionModel):
    """No critical alert on this flag since the wave began. One fails it at once.

    A violated invariant is a critical event even where no rule was running to see it.
    """

    kind: Literal["zero_events"] = "zero_events"
    name: CriterionName = "critical_alerts"

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge. That nothing was seen counts only where something was running.

        Of what did not happen in a time T, less than 3/T happen, with 95 % confidence (the rule of
        three: Hanley & Lippman-Hand 1983; e**-3 < 0.05).
        """
        verdict: Verdict
        alerts, violations = seen.wave.critical_alerts, seen.wave.violations
        elapsed_us = max(0, seen.lasted_us)
        numbers: dict[str, float | int | None] = {
            "critical_alerts": len(alerts),
            "violations": violations,
            "elapsed_us": elapsed_us,
        }
        if alerts:
            verdict, sentence = "FAIL", f"critical alert {alerts[0]}; need none"
        elif violations:
            verdict, sentence = "FAIL", f"{violations} invariant violations; need none"
        elif not seen.wave.executions:
            verdict, sentence = "NO_DATA", "no critical alert, but no executions either"
        elif not seen.baked:
            held = rough_duration(seen.hold_us)
            verdict, sentence = "INCONCLUSIVE", f"none so far; need none in {held}"
        else:
            numbers["upper_bound_per_day"] = _RULE_OF_THREE * DAY / elapsed_us
            seldom = rough_duration(elapsed_us // _RULE_OF_THREE)
            verdict = "PASS"
            sentence = (
                f"none in {rough_duration(elapsed_us)}: "
                f"fewer than one per {seldom}, with 95 % confidence"
            )
        waiting = verdict == "INCONCLUSIVE"
        return Judgement(
            criterion=self.name,
            verdict=verdict,
            sentence=sentence,
            numbers=numbers,
            progress=elapsed_us / seen.hold_us if waiting else float(verdict == "PASS"),
            ready_in_us=seen.hold_us - elapsed_us if waiting else None,
        )
