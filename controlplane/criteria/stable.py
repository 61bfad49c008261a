"""`stable`: a share is the same, but for delta, in the second part of the hold as in the first."""

from collections.abc import Iterable, Sequence
from math import log
from typing import Literal

from pydantic import Field

from controlplane.criteria.claims import log_mean, outlook, progress, verdict_of
from controlplane.criteria.comparisons import Comparison, Counted, points, share
from controlplane.criteria.measures import MeasureModel
from controlplane.criteria.samples import FAR, Numbers
from controlplane.criteria.verdict import CriterionName, OnFail, Seen
from controlplane.durations import rough_duration
from controlplane.statistics.sequential import fewest
from events.judgements import Judgement, Verdict
from projections.arms import Window


class Stable(MeasureModel):
    """The share of bad executions differs between the two parts by less than `delta`.

    A claim of equivalence: few executions leave it open. That no trend was found would not do, for
    without evidence there is none to find.
    """

    kind: Literal["stable"] = "stable"
    name: CriterionName = "stable"
    on_fail: OnFail = "hold"
    delta: float = Field(gt=0, lt=1)
    """As a share: 0.01 is one percentage point."""
    or_improving: bool = True
    """Whether any fall will do; otherwise one by delta or more is no stability either."""

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge. Every direction must be shown for a PASS, either one fails."""
        half = _half_time(seen)
        windows = seen.wave.windows
        first = self._count(window for window in windows if window.number < half)
        second = self._count(window for window in windows if window.number >= half)
        if not first[1] or not second[1]:
            return self._waiting(seen, half, first)
        ways = self._ways(first, second)
        log_e_pass = _weakest(ways)
        log_e_fail = log_mean([way.log_e_fail() for way in ways])
        verdict = verdict_of(self, log_e_pass, log_e_fail)
        bounds, numbers = self._bounds(ways, verdict)
        sentence = (
            f"{second[0]} of {second[1]} {self.did} in the second part = {share(second):.1%}, "
            f"{first[0]} of {first[1]} in the first = {share(first):.1%}: "
            f"{points(ways[0].estimate)} points, {bounds}"
        )
        more = None
        if verdict == "INCONCLUSIVE":
            more = self._needed_more(first, second)
            sentence += outlook(seen, more)
        return Judgement(
            criterion=self.name,
            verdict=verdict,
            sentence=sentence,
            numbers={
                **ways[0].numbers(),
                **numbers,
                "log_e_pass": log_e_pass,
                "log_e_fail": log_e_fail,
            },
            progress=progress(verdict, log_e_pass, self.alpha_pass),
            ready_in_us=seen.time_for(more),
        )

    def _count(self, windows: Iterable[Window]) -> Counted:
        bad = of = 0
        for window in windows:
            bad += self.bad(window)
            of += window.executions
        return bad, of

    def _ways(self, first: Counted, second: Counted) -> tuple[Comparison, ...]:
        """What must be shown: that it does not rise, and, if asked for, that it does not fall."""
        upward = Comparison(second, first, self.delta)
        return (upward,) if self.or_improving else (upward, Comparison(first, second, self.delta))

    def _needed_more(self, first: Counted, second: Counted) -> int | None:
        """About how many more executions pass it, at the rate of the second part."""
        bad, of = second

        def passes(more: int) -> bool:
            grown = round(bad * (1 + more / of)), of + more
            return _weakest(self._ways(first, grown)) >= -log(self.alpha_pass)

        # The first part stands still and ever weighs less: evidence that came may leave again.
        reachable = any(passes(1 << power) for power in range(FAR.bit_length()))
        return fewest(passes) if reachable else None

    def _bounds(self, ways: Sequence[Comparison], verdict: Verdict) -> tuple[str, Numbers]:
        """What the difference lies between, and where it must; of a FAIL, how far it is off."""
        alpha = self.alpha_fail / len(ways) if verdict == "FAIL" else self.alpha_pass
        lower, upper = ways[0].lower_bound(alpha), ways[0].upper_bound(alpha)
        bounds: Numbers = {"lower_bound": lower, "upper_bound": upper}
        if not self.or_improving:
            need = f"need within ±{self.delta * 100:g}"
            return f"between {points(lower)} and {points(upper)}, {need}", bounds
        need = f"need < +{self.delta * 100:g}"
        if verdict == "FAIL":
            return f"lower bound {points(lower)}, {need}", bounds
        return f"upper bound {points(upper)}, {need}", bounds

    def _waiting(self, seen: Seen, half: int, first: Counted) -> Judgement:
        """One of the parts has nothing in it."""
        wave = seen.wave
        left_us = wave.entered_at + half * wave.window_us - seen.now
        verdict: Verdict = "NO_DATA"
        if not wave.executions:
            sentence = "no executions yet"
        elif not first[1]:
            sentence = "no executions in the first part of the hold to compare with"
        else:
            verdict = "INCONCLUSIVE"
            begins = f"begins in {rough_duration(left_us)}" if left_us > 0 else "has none yet"
            of = f"{first[0]} of {first[1]} {self.did} in the first part = {share(first):.1%}"
            sentence = f"{of}; the second {begins}"
        return Judgement(criterion=self.name, verdict=verdict, sentence=sentence)


def _weakest(ways: Iterable[Comparison]) -> float:
    return min(way.log_e_pass() for way in ways)


def _half_time(seen: Seen) -> int:
    """The first window of the second part: it begins when half the hold is over, or later."""
    return -(-seen.fixed_us // (2 * seen.wave.window_us))
