"""Judges the claim `the share of what is bad is below p0`, however often one looks.

Shared by every criterion that counts: an error rate counts failures; a quantile below T says that
less than 1 - q of all executions take longer than T.

A wave passes on its own audience. It fails on that, and on everybody who has the new code: the
evidence against it is the mean of the two e-values. A mean of e-processes is one (Vovk & Wang
2021), so looking at both needs no correction, and without other audiences it is the first of them.
Nor does a good day excuse a bad one: the evidence against is also counted from later starts
(controlplane.statistics.changes).
"""

from collections.abc import Sequence
from math import exp, fsum, inf, log

from msgspec import Struct

from controlplane.criteria.samples import Sample
from controlplane.criteria.turns import Turn
from controlplane.criteria.verdict import ClaimModel, Seen
from controlplane.durations import rough_duration
from controlplane.statistics.changes import log_e_turned
from controlplane.statistics.sequential import edge
from events.judgements import Judgement, Verdict
from events.timestamps import SECOND
from projections.arms import Arm
from projections.waves import WaveEvidence

_HALVINGS = 40  # of a range of shares, to 1e-12
_ALMOST = 0.999


class Evidence(Struct, frozen=True):
    """What a claim is judged on."""

    samples: tuple[Sample, ...]
    """The wave's own, then everybody's where there are others."""
    turns: tuple[Turn, ...] | None = None
    """The wave's own since later starts; None where a claim does not look for a turn."""

    def log_e_above(self, p0: float) -> float:
        """Return ln E, the evidence against the claim."""
        whole = log_mean([sample.log_e_above(p0) for sample in self.samples])
        if self.turns is None:
            return whole
        later = [(turn.number, turn.sample.log_e_above(p0)) for turn in self.turns]
        return log_e_turned(whole, later)

    def lower_bound(self, alpha: float) -> float:
        """Return the largest p0 that the evidence convicts; 0 where it convicts none.

        The evidence falls as p0 rises to the highest share of a sample; from there on it is none.
        """
        later = [turn.sample.share for turn in self.turns or ()]
        highest = max([*(sample.share for sample in self.samples), *later])
        return edge(highest, 0.0, lambda p0: self.log_e_above(p0) >= -log(alpha), _HALVINGS)

    def worst(self, p0: float) -> str:
        """What speaks most against the claim, for a sentence."""
        own = self.samples[0]
        heavy = max(self.samples, key=lambda sample: sample.log_e_above(p0))
        where, weight = "" if heavy is own else "with other audiences ", heavy.log_e_above(p0)
        told = heavy.text(certain=True)
        for turn in self.turns or ():
            since = turn.sample.log_e_above(p0) - log(turn.number * (turn.number + 1))
            if since > weight:
                where, weight = "", since
                lately = f"in the last {rough_duration(turn.ago_us)}"
                when = lately if turn.ago_us >= SECOND else "just now"
                told = f"{turn.sample.text(certain=True)} {when}"
        return f"{where}{told}"


def judge_share(
    name: str, claim: ClaimModel, seen: Seen, evidence: Evidence, p0: float, need: str
) -> Judgement:
    """PASS on what possibly was bad, FAIL on what certainly was.

    `need`: what is claimed, as in `error rate < 5 %`.
    """
    own = evidence.samples[0]
    log_e_pass, log_e_fail = own.log_e_below(p0), evidence.log_e_above(p0)
    verdict = verdict_of(claim, log_e_pass, log_e_fail)
    if verdict != "FAIL" and not own.n:
        sentence = (
            f"no executions yet; {need} needs at least {own.needed_at_least(p0, claim.alpha_pass)}"
        )
        return Judgement(criterion=name, verdict="NO_DATA", sentence=sentence)
    upper, lower = own.upper_bound(claim.alpha_pass), evidence.lower_bound(claim.alpha_fail)
    more = None
    if verdict == "FAIL":
        sentence = f"{evidence.worst(p0)}, lower bound {lower:.1%}, need {need}"
    else:
        sentence = f"{own.text(certain=False)}, upper bound {upper:.1%}, need {need}"
    if verdict == "INCONCLUSIVE":
        more = own.needed_more(p0, claim.alpha_pass)
        sentence += outlook(seen, more)
    everybody = evidence.samples[-1]
    return Judgement(
        criterion=name,
        verdict=verdict,
        sentence=sentence,
        numbers={
            **own.numbers(),
            "n_all": everybody.n,
            "k_all": everybody.numbers()["k"],
            "threshold": p0,
            "lower_bound": lower,
            "upper_bound": upper,
            "log_e_pass": log_e_pass,
            "log_e_fail": log_e_fail,
        },
        progress=progress(verdict, log_e_pass, claim.alpha_pass),
        ready_in_us=seen.time_for(more),
    )


def exposed(wave: WaveEvidence) -> tuple[Arm, ...]:
    """The wave's own executions; then, where there are others, those of everybody exposed."""
    if not wave.others.executions:
        return (wave.own,)
    return wave.own, wave.own.merged(wave.others)


def verdict_of(claim: ClaimModel, log_e_pass: float, log_e_fail: float) -> Verdict:
    """FAIL where there is enough against the claim, else PASS where there is enough for it."""
    if log_e_fail >= -log(claim.alpha_fail):
        return "FAIL"
    return "PASS" if log_e_pass >= -log(claim.alpha_pass) else "INCONCLUSIVE"


def progress(verdict: Verdict, log_e: float, alpha: float) -> float:
    """The share of the evidence needed to pass, from 0 to 1; 1 only for a PASS."""
    return 1.0 if verdict == "PASS" else max(0.0, min(_ALMOST, log_e / -log(alpha)))


def outlook(seen: Seen, more: int | None) -> str:
    """How many more executions a PASS takes, and how long these take: the end of a sentence."""
    if more is None:
        return "; at this rate it will not pass"
    needed_us = seen.time_for(more)
    lasting = "" if needed_us is None else f", {rough_duration(needed_us)}"
    return f"; about {more} more executions at this rate{lasting}"


def log_mean(logs: Sequence[float]) -> float:
    """Return the logarithm of the mean of e-values that are given as logarithms."""
    most = max(logs)
    if most == -inf:
        return most
    return most + log(fsum(exp(one - most) for one in logs) / len(logs))
