"""Judges the claim `the share of bad executions is below p0`, however often one looks.

Shared by every criterion that counts: an error rate counts failures; a quantile below T says
that less than 1 - q of all executions take longer than T.
"""

from math import log

from msgspec import Struct

from controlplane.statistics import sequential
from events.rollouts import Judgement, Verdict

_FAR = 1_000_000
"""Executions further away than this are not worth promising."""


class Count(Struct, frozen=True):
    """Bad executions among n. `certain` <= the truth <= `possible`: equal where counted exactly."""

    n: int
    certain: int
    possible: int


def judge_share(  # the numbers a sentence needs
    name: str, count: Count, p0: float, words: tuple[str, str], alpha_pass: float, alpha_fail: float
) -> Judgement:
    """PASS on what possibly was bad, FAIL on what certainly was.

    `words`: what is bad (`failed`), what is needed (`error rate < 5 %`). The test is the
    Bernoulli mixture e-process of controlplane.statistics.sequential, valid at every look.
    """
    bad, need = words
    if count.n == 0:
        first = sequential.needed_without_failures(p0, alpha_pass)
        sentence = f"no executions yet; {need} needs at least {first}"
        return Judgement(criterion=name, verdict="NO_DATA", sentence=sentence)
    log_e_pass = sequential.log_e_below(count.possible, count.n, p0)
    log_e_fail = sequential.log_e_above(count.certain, count.n, p0)
    verdict: Verdict = "INCONCLUSIVE"
    if log_e_fail >= log(1 / alpha_fail):
        verdict = "FAIL"
    elif log_e_pass >= log(1 / alpha_pass):
        verdict = "PASS"
    upper = sequential.upper_bound(count.possible, count.n, alpha_pass)
    sentence = (
        f"{count.possible} of {count.n} {bad} = {count.possible / count.n:.1%}, "
        f"upper bound {upper:.1%}, need {need}"
    )
    if verdict == "INCONCLUSIVE":
        sentence += _outlook(count, p0, alpha_pass)
    if verdict == "FAIL":
        lower = sequential.lower_bound(count.certain, count.n, alpha_fail)
        sentence = (
            f"{count.certain} of {count.n} {bad} = {count.certain / count.n:.1%}, "
            f"lower bound {lower:.1%}, need {need}"
        )
    return Judgement(
        criterion=name,
        verdict=verdict,
        sentence=sentence,
        numbers={
            "n": count.n,
            "certain": count.certain,
            "possible": count.possible,
            "p0": p0,
            "upper_bound": upper,
            "log_e_pass": log_e_pass,
            "log_e_fail": log_e_fail,
        },
        progress=1.0
        if verdict == "PASS"
        else max(0.0, min(0.999, log_e_pass / log(1 / alpha_pass))),
    )


def _outlook(count: Count, p0: float, alpha: float) -> str:
    more = sequential.needed_more(count.possible, count.n, p0, alpha, _FAR)
    if more is None:
        return "; at this rate it will not pass"
    return f"; about {more} more executions at this rate"
