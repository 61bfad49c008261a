"""Anytime-valid evidence about p_new - p_old, two failure rates; exact, not asymptotic.

Universal inference (Wasserman, Ramdas & Balakrishnan 2020): what both arms showed, averaged over a
prior, against the best that any pair of rates within the null hypothesis makes of it,

    E = average of L(p_new, p_old) over the prior / max of L over p_new - p_old >= margin

At the true pair of rates the ratio would be a martingale that starts at 1, and within the null the
maximum is no smaller: the chance that E ever reaches 1/alpha is at most alpha (Ville 1939). Nothing
is approximated, so it holds with few failures and with none, whatever the two arms' sizes.

Any prior fixed in advance is valid. This one is even odds on "both arms have one rate", which is
what a harmless change looks like, and "each has its own"; rates are Beta(1, 19), a mean of 5 %. For
rates of 0.5 to 5 % and a margin of a point or two this takes about half the executions that
Jeffreys' prior on either arm takes.

L is the product of two binomial likelihoods, so the executions of an arm must be independent.
"""

from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from math import exp, log, log1p
from typing import Final

from controlplane.statistics.sequential import (
    check_counts,
    check_open,
    deviance,
    edge,
    log_density,
)

Arm = tuple[float, float]
"""(failed, n); fractions only in a forecast."""

_PRIOR_FAILED: Final = 1
_PRIOR_SUCCEEDED: Final = 19
_LOG_2: Final = log(2)
_HALVINGS: Final = 100  # of the range of a rate; a float runs out of digits after some 60


def log_e_below(new: tuple[int, int], old: tuple[int, int], margin: float) -> float:
    """Return ln E, the evidence that p_new - p_old < margin. An arm is (failed, n).

    Certify at error level alpha when it reaches ln(1/alpha). Raise ValueError unless
    0 <= failed <= n in both arms and -1 < margin < 1.
    """
    check_counts(*new)
    check_counts(*old)
    _check_margin(margin)
    return _log_evidence(new, old, margin)


def log_e_above(new: tuple[int, int], old: tuple[int, int], margin: float) -> float:
    """Return ln E, the evidence that p_new - p_old > margin. An arm is (failed, n).

    Convict at error level alpha when it reaches ln(1/alpha). Raise ValueError unless
    0 <= failed <= n in both arms and -1 < margin < 1.
    """
    check_counts(*new)
    check_counts(*old)
    _check_margin(margin)
    return _log_evidence(old, new, -margin)


def upper_bound(new: tuple[int, int], old: tuple[int, int], alpha: float) -> float:
    """Return what p_new - p_old stays below, at every look at once, with probability 1 - alpha.

    It is the smallest margin that `log_e_below` certifies, and 1 where it certifies none. Raise
    ValueError unless 0 <= failed <= n in both arms and 0 < alpha < 1.
    """
    check_counts(*new)
    check_counts(*old)
    check_open("alpha", alpha)
    target = -log(alpha)
    inside = _worst_rate(new) - _best_rate(old)
    return edge(inside, 1.0, lambda margin: _log_evidence(new, old, margin) >= target)


def lower_bound(new: tuple[int, int], old: tuple[int, int], alpha: float) -> float:
    """Return what p_new - p_old stays above, at every look at once, with probability 1 - alpha.

    It is the largest margin that `log_e_above` convicts, and -1 where it convicts none. Raise
    ValueError unless 0 <= failed <= n in both arms and 0 < alpha < 1.
    """
    return -upper_bound(old, new, alpha)


def needed_more(
    new: tuple[int, int],
    old: tuple[int, int],
    margin: float,
    alpha: float,
    limit: int,
    *,
    old_grows: bool,
) -> int | None:
    """Return about how many more executions of the new arm certify p_new - p_old < margin.

    At the present rates, none failing in an arm without executions. An old arm that grows keeps its
    present proportion to the new one; where either is empty, they grow one for one. Failures to
    come are counted in fractions, for this is a forecast. Return None when it would not pass within
    `limit` more. Raise ValueError as `log_e_below` does, and for an alpha outside 0..1 or a
    negative limit.
    """
    check_counts(*new)
    check_counts(*old)
    _check_margin(margin)
    check_open("alpha", alpha)
    if limit < 0:
        raise ValueError(f"limit must not be negative: {limit}")
    target = -log(alpha)
    pace = 0.0
    if old_grows:
        pace = old[1] / new[1] if new[1] and old[1] else 1.0

    def passes(more: int) -> bool:
        return _log_evidence(_grown(new, more), _grown(old, pace * more), margin) >= target

    # An old arm that stands still ever weighs less: evidence that arrived may leave again.
    enough = next((more for more in _doublings(limit) if passes(more)), None)
    if enough is None:
        return None
    return bisect_left(range(enough), True, key=passes)  # noqa: FBT003  why: the value searched for


def _check_margin(margin: float) -> None:
    if not -1 < margin < 1:
        raise ValueError(f"margin must be strictly between -1 and 1, not {margin}")


def _doublings(limit: int) -> Iterator[int]:
    yield 0
    more = 1
    while more < limit:
        yield more
        more *= 2
    yield limit


def _grown(arm: Arm, more: float) -> Arm:
    failed, n = arm
    return failed + (failed / n * more if n else 0.0), n + more


def _worst_rate(arm: Arm) -> float:
    """Return the highest rate under which what was seen is likeliest."""
    failed, n = arm
    return failed / n if n else 1.0


def _best_rate(arm: Arm) -> float:
    """Return the lowest rate under which what was seen is likeliest."""
    failed, n = arm
    return failed / n if n else 0.0


@lru_cache(maxsize=2**14)  # a look a minute later, or under another plan, has the same counts
def _log_evidence(new: Arm, old: Arm, margin: float) -> float:
    """Return ln E for p_new - p_old < margin.

    All is measured from the likeliest pair of rates, where each arm has its own: how far the null
    stays below it, less how far the prior does.
    """
    separate = _log_shortfall(new) + _log_shortfall(old)
    together = (new[0] + old[0], new[1] + old[1])
    rate = _posterior_mean(together)
    common = (
        _log_divergence(new, rate, 1 - rate)
        + _log_divergence(old, rate, 1 - rate)
        - _log_average(together, rate)
    )
    least, most = sorted((separate, common))
    averaged = least - log1p(exp(least - most)) + _LOG_2
    return _log_null(new, old, margin) - averaged


def _log_null(new: Arm, old: Arm, margin: float) -> float:
    """Return ln of the greatest likelihood over the greatest with p_new - p_old >= margin.

    That is 0 where the likeliest pair is in the null. Otherwise, the likelihood being log-concave,
    the likeliest pair of the null is on its edge, p_new = p_old + margin.
    """
    if _worst_rate(new) - _best_rate(old) >= margin:
        return 0.0
    lower, upper, gap = (old, new, margin) if margin >= 0 else (new, old, -margin)
    rate = _likeliest(lower, upper, gap)
    above = _log_divergence(upper, rate + gap, (1 - gap) - rate)
    return _log_divergence(lower, rate, 1 - rate) + above


def _likeliest(lower: Arm, upper: Arm, gap: float) -> float:
    """Return the likeliest rate of `lower`, given that the rate of `upper` is higher by `gap`.

    The slope of the log-likelihood falls, so its sign shows the way. Where `lower` has no failures
    that may be to 0, exactly; where `upper` has successes it is never to the other end.
    """
    (failed, n), (upper_failed, upper_n) = lower, upper
    low, high = 0.0, 1 - gap
    for _ in range(_HALVINGS):
        rate = (low + high) / 2
        if rate in (low, high):
            break
        slope = failed / rate - (n - failed) / (1 - rate)
        slope += upper_failed / (rate + gap) - (upper_n - upper_failed) / ((1 - gap) - rate)
        if slope > 0:
            low = rate
        else:
            high = rate
    return low


def _log_shortfall(arm: Arm) -> float:
    """Return ln of an arm's greatest likelihood over its average under the prior; it is >= 0."""
    rate = _posterior_mean(arm)
    return _log_divergence(arm, rate, 1 - rate) - _log_average(arm, rate)


def _log_average(arm: Arm, rate: float) -> float:
    """Return ln of an arm's likelihood, averaged over the prior, over that at `rate`.

    It is the prior density over the posterior density there (Dickey 1971), which saves the
    difference of two large logarithms.
    """
    failed, n = arm
    a, b = _PRIOR_FAILED + failed, _PRIOR_SUCCEEDED + (n - failed)
    prior = log_density(rate, 1 - rate, _PRIOR_FAILED, _PRIOR_SUCCEEDED)
    return prior - log_density(rate, 1 - rate, a, b)


def _posterior_mean(arm: Arm) -> float:
    failed, n = arm
    return (failed + _PRIOR_FAILED) / (n + _PRIOR_FAILED + _PRIOR_SUCCEEDED)


def _log_divergence(arm: Arm, rate: float, rest: float) -> float:
    """Return ln of an arm's greatest likelihood over that at `rate`, of which 1 less is `rest`."""
    failed, n = arm
    return deviance(failed, n * rate) + deviance(n - failed, n * rest)
