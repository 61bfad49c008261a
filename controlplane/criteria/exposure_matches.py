"""`exposure_matches`: as many units take the new path as the wave plans."""

from math import log
from typing import Literal

from pydantic import Field

from controlplane.criteria.verdict import CriterionModel, CriterionName, OnFail, Seen
from controlplane.durations import rough_duration
from controlplane.statistics import sequential, split
from events.judgements import Judgement, Verdict

_ALL = 100
_STRAY = 0.001
"""Where every unit is to take one path, one in a thousand may take the other: a client that cannot
reach the flag falls back to the old one."""


class ExposureMatches(CriterionModel):
    """The planned share of the audience's units is on the new path.

    A mismatch says that the evidence is not about those whom the plan means: the flag is asked
    about another attribute, clients do not follow it, or one path reports less than the other.
    """

    kind: Literal["exposure_matches"] = "exposure_matches"
    name: CriterionName = "exposure"
    on_fail: OnFail = "hold"
    alpha: float = Field(default=0.001, gt=0, le=0.2)
    """The most often that it fails though the share is as planned."""
    min_units: int = Field(default=100, ge=1, le=1_000_000)
    """So many units must have been seen for a PASS."""

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge."""
        wave = seen.wave
        on, off = wave.split.on, wave.split.off
        units = on + off
        if not units:
            return Judgement(criterion=self.name, verdict="NO_DATA", sentence=_nobody(seen))
        log_e = _mismatch(on, off, wave.planned)
        low, high = split.share_bounds(on, off, self.alpha)
        sentence = (
            f"{on} of {units} units on the new path = {on / units:.1%}, "
            f"between {low:.1%} and {high:.1%}, planned {wave.planned:g} %"
        )
        verdict: Verdict = "PASS"
        ready_in_us = None
        if log_e >= -log(self.alpha):
            verdict = "FAIL"
            if not off:
                sentence += "; nobody reports the old path"
        elif units < self.min_units:
            verdict = "INCONCLUSIVE"
            more = self.min_units - units
            ready_in_us = round(more * max(0, seen.now - wave.settled_at) / units)
            sentence += f"; {more} more units to go, {rough_duration(ready_in_us)}"
        return Judgement(
            criterion=self.name,
            verdict=verdict,
            sentence=sentence,
            numbers={
                "n": units,
                "k": on,
                "estimate": on / units,
                "threshold": wave.planned / _ALL,
                "lower_bound": low,
                "upper_bound": high,
                "log_e_fail": log_e,
            },
            progress=0.0 if verdict == "FAIL" else min(1.0, units / self.min_units),
            ready_in_us=ready_in_us,
        )


def _mismatch(on: int, off: int, planned: float) -> float:
    """Return ln E, the evidence that the share is not the planned one."""
    if planned >= _ALL:
        return sequential.log_e_above(off, on + off, _STRAY)
    if planned <= 0:
        return sequential.log_e_above(on, on + off, _STRAY)
    return split.log_e_mismatch(on, off, planned / _ALL)


def _nobody(seen: Seen) -> str:
    """Why no unit was counted."""
    wave = seen.wave
    if seen.now < wave.settled_at:
        left = rough_duration(wave.settled_at - seen.now)
        return f"no unit counted yet; clients have another {left} to follow the flag"
    if wave.audience.conditions:
        return f"no unit counted yet; executions must tell their audience, {wave.audience.name}"
    return "no unit counted yet"
