"""Anytime-valid check that units are split as planned: is the flag on for the share it should be.

Each unit is on with probability `share`, if the plan is carried out. Against that we bet on every
other share at once: the likelihood ratio of q to the planned share, averaged over a Beta prior
around it. With as many units on and off as were seen, this is the beta-binomial case of the
Dirichlet-multinomial e-process (Lindon & Malek 2022). If the plan is carried out, the chance that E
ever reaches 1/alpha is at most alpha (Ville 1939).

By Bayes' rule E is the prior density over the posterior density, both at the planned share
(Dickey 1971).
"""

from math import inf, log
from typing import Final

from controlplane.statistics.sequential import check_open, edge, log_density

_PRIOR_UNITS: Final = 100
"""What the prior weighs. At a planned 10 %, 30 to 300 find 11 % to 15 % about equally soon."""


def log_e_mismatch(on: int, off: int, share: float) -> float:
    """Return ln E, the evidence that units are not switched on with probability `share`.

    `on` and `off` count distinct units. Convict at error level alpha when it reaches ln(1/alpha).
    At a share of 1 one unit off is a contradiction: inf; so is one unit on at a share of 0. Raise
    ValueError for a negative count or a share outside 0..1.
    """
    _check(on, off)
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, not {share}")
    if share in (0, 1):
        return inf if (on if share == 0 else off) else 0.0
    return _log_evidence(on, off, share)


def share_bounds(on: int, off: int, alpha: float) -> tuple[float, float]:
    """Return two shares that enclose the true one, at every look at once, with chance 1 - alpha.

    Strictly between them lie the shares that `log_e_mismatch` does not convict: E is log-convex in
    the share. Raise ValueError for a negative count, or unless 0 < alpha < 1.
    """
    _check(on, off)
    check_open("alpha", alpha)
    if not on + off:
        return 0.0, 1.0
    target = -log(alpha)
    seen = on / (on + off)

    def rejected(share: float) -> bool:
        return _log_evidence(on, off, share) >= target

    return edge(seen, 0.0, rejected), edge(seen, 1.0, rejected)


def _check(on: int, off: int) -> None:
    if on < 0 or off < 0:
        raise ValueError(f"counts must not be negative: {on} on, {off} off")


def _log_evidence(on: int, off: int, share: float) -> float:
    a, b = _PRIOR_UNITS * share, _PRIOR_UNITS * (1 - share)
    prior = log_density(share, 1 - share, a, b)
    return prior - log_density(share, 1 - share, a + on, b + off)
