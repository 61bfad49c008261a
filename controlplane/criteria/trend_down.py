"""`trend_down`: a share falls over the wave's windows, or is no worse than in the wave before."""

from math import log
from typing import Literal

from msgspec import Struct
from pydantic import Field

from controlplane.criteria.claims import outlook, progress
from controlplane.criteria.comparisons import Comparison, points, share
from controlplane.criteria.looks import Look, due_us, latest_look
from controlplane.criteria.measures import MeasureModel
from controlplane.criteria.samples import Executions, Numbers
from controlplane.criteria.verdict import CriterionName, OnFail, Seen
from controlplane.durations import rough_duration
from events.judgements import Judgement, Verdict


class _NoWorse(Struct, frozen=True):
    """How far the share is shown to be no worse than before."""

    log_e: float
    shown: bool
    text: str
    more: int | None
    """How many more executions would show it at this rate."""
    numbers: Numbers


class TrendDown(MeasureModel):
    """The share of bad executions falls, or is no worse than in the wave before.

    A share of nothing cannot fall any more, so being no worse by `or_not_worse_by` does as well;
    without a wave before, the share itself must be below that. Each way has half of alpha_pass.
    """

    kind: Literal["trend_down"] = "trend_down"
    name: CriterionName = "error_rate_trend"
    on_fail: OnFail = "hold"
    looks: int = Field(default=3, ge=1, le=3)
    """How often a trend is looked for: when the hold is over, then after each half of it."""
    min_windows: int = Field(default=8, ge=8, le=400)
    """In so many windows something must have run for a trend to be looked for."""
    or_not_worse_by: float | None = Field(default=0.02, gt=0, lt=1)
    """As a share: 0.02 is two percentage points. Null: only a fall will do."""

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge. It fails when the share rises and is not shown to be no worse."""
        if not seen.wave.executions:
            return Judgement(criterion=self.name, verdict="NO_DATA", sentence="no executions yet")
        look = latest_look(seen, self.bad, self.looks, self.min_windows)
        no_worse = self._no_worse(seen)
        verdict = self._verdict(look, no_worse)
        sentence, more = self._trend(seen, look, verdict), None
        if no_worse is not None:
            if verdict == "PASS" and no_worse.shown:
                nothing = "" if self.bad(seen.wave.own) else "nothing that could fall: "
                sentence = nothing + no_worse.text
            elif verdict != "PASS":
                sentence += f"; {no_worse.text}"
            if verdict == "INCONCLUSIVE":
                more = no_worse.more
                sentence += outlook(seen, more)
        found = look.numbers() if look is not None else {}
        return Judgement(
            criterion=self.name,
            verdict=verdict,
            sentence=sentence,
            numbers={**found, **(no_worse.numbers if no_worse is not None else {})},
            progress=self._progress(verdict, look, no_worse),
            ready_in_us=seen.time_for(more),
        )

    @property
    def _alpha_way(self) -> float:
        """Of each way to pass: together they have alpha_pass."""
        return self.alpha_pass if self.or_not_worse_by is None else self.alpha_pass / 2

    def _verdict(self, look: Look | None, no_worse: _NoWorse | None) -> Verdict:
        if no_worse is not None and no_worse.shown:
            return "PASS"
        if look is not None and look.falls(self._alpha_way / self.looks):
            return "PASS"
        if look is not None and look.rises(self.alpha_fail / self.looks):
            return "FAIL"
        return "INCONCLUSIVE"

    def _progress(self, verdict: Verdict, look: Look | None, no_worse: _NoWorse | None) -> float:
        """Of the way that is further."""
        ways = [0.0]
        if no_worse is not None:
            ways.append(progress(verdict, no_worse.log_e, self._alpha_way))
        if look is not None and look.p_falling:
            ways.append(progress(verdict, -log(look.p_falling), self._alpha_way / self.looks))
        return max(ways) if verdict != "PASS" else 1.0

    def _trend(self, seen: Seen, look: Look | None, verdict: Verdict) -> str:
        elapsed_us = seen.now - seen.wave.entered_at
        if look is None:
            left = rough_duration(due_us(seen.fixed_us, 1) - elapsed_us)
            return f"first look for a trend in {left}"
        found = self._found(look, verdict)
        if verdict != "INCONCLUSIVE":
            return f"{found} (look {look.number} of {self.looks})"
        if look.number == self.looks:
            return f"{found} (look {look.number} of {self.looks}, the last)"
        left = rough_duration(due_us(seen.fixed_us, look.number + 1) - elapsed_us)
        return f"{found} (look {look.number} of {self.looks}, the next in {left})"

    def _found(self, look: Look, verdict: Verdict) -> str:
        """What the look shows, and what it would have to."""
        if look.p_falling is None or look.p_rising is None:
            return f"{look.windows} windows to see a trend in, need {self.min_windows}"
        slope = f"{points(look.slope_per_day)} points a day over {look.windows} windows"
        if verdict == "FAIL":
            alpha = self.alpha_fail / self.looks
            return f"rises: {slope}, p = {look.p_rising:.2g}, fails from p <= {alpha:.2g}"
        says = "falls" if verdict == "PASS" else "not shown to fall"
        alpha = self._alpha_way / self.looks
        return f"{says}: {slope}, p = {look.p_falling:.2g}, need p <= {alpha:.2g}"

    def _no_worse(self, seen: Seen) -> _NoWorse | None:
        """Held against the wave before; without one, against a share of nothing."""
        margin, alpha, own = self.or_not_worse_by, self._alpha_way, seen.wave.own
        if margin is None:
            return None
        bad = self.bad(own)
        alone = Executions(own.executions, bad, bad, self.did)
        text, need = alone.text(certain=False), f"{margin * 100:g}"
        earlier = None if seen.previous is None else seen.previous.own
        if earlier is None or not earlier.executions:
            log_e, upper = alone.log_e_below(margin), alone.upper_bound(alpha)
            more = alone.needed_more(margin, alpha)
            numbers: Numbers = {**alone.numbers(), "threshold": margin}
            text += f", upper bound {upper:.1%}, need < {need} % without a wave before"
        else:
            old = self.bad(earlier), earlier.executions
            compared = Comparison((bad, own.executions), old, margin)
            log_e, upper = compared.log_e_pass(), compared.upper_bound(alpha)
            more = compared.needed_more(alpha, old_grows=False)
            numbers = compared.numbers()
            text += (
                f", in the wave before {old[0]} of {old[1]} = {share(old):.1%}: "
                f"{points(compared.estimate)} points, upper bound {points(upper)}, need < +{need}"
            )
        return _NoWorse(
            log_e=log_e,
            shown=log_e >= -log(alpha),
            text=text,
            more=more,
            numbers={**numbers, "upper_bound": upper, "log_e_pass": log_e},
        )
