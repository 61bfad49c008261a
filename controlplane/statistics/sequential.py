"""Anytime-valid evidence about a failure rate p: look as often as you like, decide when you like.

Against "p >= p0" we bet on every rate q below p0 at once: the likelihood ratio of q to p0, averaged
over the prior Beta(1, 1/p0 - 1), whose mean is p0, truncated to (0, p0). While p >= p0 this average
E is a non-negative supermartingale that starts at 1, so the chance that it ever reaches 1/alpha is
at most alpha (Ville 1939; the mixture, Robbins 1970). Against "p <= p0", the mirror over (p0, 1).

By Bayes' rule E is a Savage-Dickey ratio (Dickey 1971), which is how it is computed:

    E = (posterior mass / prior mass beyond p0) / (posterior density / prior density at p0)

All of it is done in logarithms. A linear incomplete beta underflows to 0 at some 35 000 executions,
and patching that 0 with a tiny constant turns a canary twice as bad as allowed into a certain PASS.

Executions must be independent of one another; failures inside one batch seldom are.
"""

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from math import exp, expm1, inf, lgamma, log, log1p, pi
from typing import Final

_HALF_LOG_2PI: Final = 0.5 * log(2 * pi)
_TOLERANCE: Final = 1e-14  # of the last factor of a continued fraction
_MAX_TERMS: Final = 1_000_000  # their number grows as n**(1/3): 200 at a million executions
_HALVINGS: Final = 50


def log_e_below(failures: int, n: int, p0: float) -> float:
    """Return ln E, the evidence that p < p0, after `failures` in `n` executions.

    Certify at error level alpha when it reaches ln(1/alpha). Raise ValueError unless
    0 <= failures <= n and 0 < p0 < 1.
    """
    check_counts(failures, n)
    check_open("p0", p0)
    return _log_evidence(failures, n, p0)[0]


def log_e_above(failures: int, n: int, p0: float) -> float:
    """Return ln E, the evidence that p > p0, after `failures` in `n` executions.

    Convict at error level alpha when it reaches ln(1/alpha). Raise ValueError unless
    0 <= failures <= n and 0 < p0 < 1.
    """
    check_counts(failures, n)
    check_open("p0", p0)
    return _log_evidence(failures, n, p0)[1]


def needed_without_failures(p0: float, alpha: float) -> int:
    """Return the fewest executions, all of them successes, that certify p < p0 at level alpha.

    Raise ValueError unless p0 and alpha are strictly between 0 and 1.
    """
    check_open("p0", p0)
    check_open("alpha", alpha)
    target = -log(alpha)
    return fewest(lambda n: _log_evidence(0, n, p0)[0] >= target)


def needed_more(failures: int, n: int, p0: float, alpha: float, limit: int) -> int | None:
    """Return about how many more executions, at the present failure rate, certify p < p0.

    The failures to come are counted in fractions, for this is a forecast. Before the first
    execution the forecast is of none. Return None when the present rate would not pass within
    `limit` more. Raise ValueError as `log_e_below` does, and for an alpha outside 0..1 or a
    negative limit.
    """
    check_counts(failures, n)
    check_open("p0", p0)
    check_open("alpha", alpha)
    if limit < 0:
        raise ValueError(f"limit must not be negative: {limit}")
    target = -log(alpha)
    rate = failures / n if n else 0.0

    def passes(more: int) -> bool:
        return _log_evidence(failures + rate * more, n + more, p0)[0] >= target

    return fewest(passes) if passes(limit) else None


def upper_bound(failures: int, n: int, alpha: float) -> float:
    """Return a rate that p stays below, at every look at once, with probability 1 - alpha.

    It is the smallest p0 that `log_e_below` certifies; 1 before the first success. For a two-sided
    interval give alpha/2 to either bound. Raise ValueError unless 0 <= failures <= n and
    0 < alpha < 1.
    """
    check_counts(failures, n)
    check_open("alpha", alpha)
    if failures == n:
        return 1.0
    target = -log(alpha)
    return edge(failures / n, 1.0, lambda p0: _log_evidence(failures, n, p0)[0] >= target)


def lower_bound(failures: int, n: int, alpha: float) -> float:
    """Return a rate that p stays above, at every look at once, with probability 1 - alpha.

    It is the largest p0 that `log_e_above` convicts; 0 while failures are too few to convict any,
    at alpha 5 % fewer than four. Raise ValueError unless 0 <= failures <= n and 0 < alpha < 1.
    """
    check_counts(failures, n)
    check_open("alpha", alpha)
    if failures == 0:
        return 0.0
    target = -log(alpha)
    return edge(failures / n, 0.0, lambda p0: _log_evidence(failures, n, p0)[1] >= target)


def binomial_tail(k: int, n: int, p: float) -> float:
    """Return P(X >= k) for X ~ Bin(n, p), exactly: the p-value of the one-sided binomial test.

    It equals I_p(k, n-k+1) (Abramowitz & Stegun 26.5.24). Unlike an e-value it is good for one look
    only. Raise ValueError when n is negative or p is outside 0..1.
    """
    if n < 0:
        raise ValueError(f"n must not be negative: {n}")
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if k <= 0:
        return 1.0
    if k > n or p == 0:
        return 0.0
    if p == 1:
        return 1.0
    return exp(_log_beta(p, k, n - k + 1)[1])


def check_counts(failures: int, n: int) -> None:
    """Raise ValueError unless 0 <= failures <= n."""
    if not 0 <= failures <= n:
        raise ValueError(f"failures must be between 0 and n: {failures} of {n}")


def check_open(name: str, value: float) -> None:
    """Raise ValueError unless the value is strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must be strictly between 0 and 1, not {value}")


@lru_cache(maxsize=2**14)  # a look a minute later, or under another plan, has the same counts
def _log_evidence(failures: float, n: float, p0: float) -> tuple[float, float]:
    """Return ln E for p < p0 and ln E for p > p0, by the Savage-Dickey ratio of the module."""
    b = (1 - p0) / p0
    prior_density = log1p(-p0) / p0  # ln of p0 * (1-p0) * Beta(1, b) density at p0
    prior_above = b * log1p(-p0)
    prior_below = log(-expm1(prior_above))
    density, below, above = _log_beta(p0, 1 + failures, b + (n - failures))
    gain = prior_density - density
    return below - prior_below + gain, above - prior_above + gain


def _log_beta(x: float, a: float, b: float) -> tuple[float, float, float]:
    """Return ln D, ln I and ln(1 - I): D = x**a (1-x)**b / B(a, b), I = I_x(a, b), 0 < x < 1.

    On its side of the mean a tail is D over a continued fraction: it cannot underflow. The other is
    its complement. I_x(a, b) = 1 - I_{1-x}(b, a) swaps the two (A&S 26.5.2).
    """
    y = 1 - x
    density = log_density(x, y, a, b)
    if (a + 1) * y >= (b + 1) * x:
        lower = density - log(_fraction(x, a, b))
        return density, lower, _log_complement(lower)
    upper = density - log(_fraction(y, b, a))
    return density, _log_complement(upper), upper


def _log_complement(log_p: float) -> float:
    """Return ln(1 - p); of a p that rounding carried to 1 or beyond, no evidence: -inf."""
    return log1p(-exp(log_p)) if log_p < 0 else -inf


def log_density(x: float, y: float, a: float, b: float) -> float:
    """Return ln(x**a y**b / B(a, b)) by the saddle point (Loader 2000).

    At a million executions a difference of lgammas is good to eight decimals only.
    """
    n = a + b
    stirling = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    loss = deviance(a, n * x) + deviance(b, n * y)
    return 0.5 * log(a * b / n) - _HALF_LOG_2PI + stirling - loss


def deviance(observed: float, expected: float) -> float:
    """Return observed * ln(observed/expected) + expected - observed, without their cancellation.

    Of 0 observed it is what was expected. Neither may be negative, nor expected 0 otherwise.
    """
    if not observed:
        return expected
    surplus = (expected - observed) / observed
    if 2 * expected < observed:  # towards -1, surplus no longer knows what was expected
        return observed * (surplus + log(observed) - log(expected))
    return observed * (surplus - log1p(surplus))


def _stirling_error(z: float) -> float:
    """Return ln(z!) less Stirling's formula for it (A&S 6.1.40)."""
    if z < 16:  # noqa: PLR2004  why: from here on five terms of the series are exact to a double
        return lgamma(z + 1) - (z + 0.5) * log(z) + z - _HALF_LOG_2PI
    s = 1 / (z * z)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / z


def _fraction(x: float, a: float, b: float) -> float:
    """Return x**a (1-x)**b / (B(a, b) I_x(a, b)) for x <= (a+1)/(a+b+2).

    The continued fraction of DiDonato & Morris (1992, Algorithm 708) by Lentz's method. For such x
    all partial denominators are positive, so it needs no guard against a division by zero.
    """
    start = a * (1 - x) - b * x + 1
    step = 2 - x
    total = a + b - 1
    odd = a + 1
    ratio = a / odd
    fraction = c = ratio * start
    d = m = 0.0
    for _ in range(_MAX_TERMS):
        m += 1
        term = m * (b - m) * x / odd
        numerator = ratio * (total + m) * x * term
        odd += 2
        ratio = (a + m) / odd
        denominator = m + term + ratio * (start + m * step)
        d = 1 / (denominator + numerator * d)
        c = denominator + numerator / c
        factor = c * d
        fraction *= factor
        if -_TOLERANCE < factor - 1 < _TOLERANCE:
            return fraction
    raise ArithmeticError(f"I_x(a, b) did not converge at x={x}, a={a}, b={b}")


def fewest(passes: Callable[[int], bool]) -> int:
    """Return the smallest count that passes, given that beyond it all do, by doubling."""
    high = 1
    while not passes(high):
        high *= 2
    return bisect_left(range(high), True, key=passes)  # noqa: FBT003  why: the value searched for


def edge(
    inside: float,
    outside: float,
    rejected: Callable[[float], bool],
    halvings: int = _HALVINGS,
) -> float:
    """Return, by bisection from a rate kept, the nearest rate rejected, or `outside` if none is.

    E grows with the distance of p0 from the observed rate, so there is one such edge.
    """
    for _ in range(halvings):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        if rejected(middle):
            outside = middle
        else:
            inside = middle
    return outside
