"""`not_worse_than`: the new code is no worse than the old one, or than it was a wave earlier."""

from typing import Literal

from pydantic import Field

from controlplane.criteria.claims import outlook, progress, verdict_of
from controlplane.criteria.comparisons import Comparison, Counted, points, share
from controlplane.criteria.measures import MeasureModel
from controlplane.criteria.verdict import CriterionName, OnFail, Seen
from events.judgements import Judgement
from projections.arms import Arm

_ALL = 100


class NotWorseThan(MeasureModel):
    """The wave's share of bad executions exceeds the baseline's by less than `margin`."""

    kind: Literal["not_worse_than"] = "not_worse_than"
    name: CriterionName = "not_worse"
    on_fail: OnFail = "hold"
    baseline: Literal["control", "previous_wave"] = "control"
    """`control`: the old code, at the same time, for the same audience; `previous_wave`: the new
    code in the wave before."""
    margin: float = Field(gt=0, lt=1)
    """As a share: 0.01 is one percentage point."""

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge."""
        where, baseline = self._baseline(seen)
        if lacking := self._lacking(seen, where, baseline):
            return Judgement(criterion=self.name, verdict="NO_DATA", sentence=lacking)
        own = seen.wave.own
        new: Counted = self.bad(own), own.executions
        old: Counted = self.bad(baseline), baseline.executions
        compared = Comparison(new, old, self.margin)
        log_e_pass, log_e_fail = compared.log_e_pass(), compared.log_e_fail()
        verdict = verdict_of(self, log_e_pass, log_e_fail)
        upper = compared.upper_bound(self.alpha_pass)
        lower = compared.lower_bound(self.alpha_fail)
        bound = f"lower bound {points(lower)}"
        if verdict != "FAIL":
            bound = f"upper bound {points(upper)}"
        sentence = (
            f"{new[0]} of {new[1]} {self.did} = {share(new):.1%}, "
            f"{where} {old[0]} of {old[1]} = {share(old):.1%}: "
            f"{points(compared.estimate)} points, {bound}, need < +{self.margin * 100:g}"
        )
        more = None
        if verdict == "INCONCLUSIVE":
            grows = self.baseline == "control"
            more = compared.needed_more(self.alpha_pass, old_grows=grows)
            sentence += outlook(seen, more)
        return Judgement(
            criterion=self.name,
            verdict=verdict,
            sentence=sentence,
            numbers={
                **compared.numbers(),
                "lower_bound": lower,
                "upper_bound": upper,
                "log_e_pass": log_e_pass,
                "log_e_fail": log_e_fail,
            },
            progress=progress(verdict, log_e_pass, self.alpha_pass),
            ready_in_us=seen.time_for(more),
        )

    def _baseline(self, seen: Seen) -> tuple[str, Arm]:
        """Its name, empty where there is none, and what ran there."""
        if self.baseline == "control":
            return "old code", seen.wave.control
        if seen.previous is None:
            return "", Arm()
        return f"wave {seen.previous.wave}", seen.previous.own

    def _lacking(self, seen: Seen, where: str, baseline: Arm) -> str:
        """What there is to compare with or to be compared is missing; empty where nothing is."""
        if not where:
            return "there is no wave before this one to compare with"
        if not baseline.executions:
            if self.baseline == "previous_wave":
                return f"nothing ran in {where} to compare with"
            if seen.wave.planned >= _ALL:
                return "no executions of the old code to compare with: all are to get the new one"
            return "no executions of the old code yet to compare with"
        return "" if seen.wave.executions else "no executions of the new code yet"
