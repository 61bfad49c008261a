"""Anytime-valid evidence about the mean failed share of a batch, however its parts hang together.

The executions of one batch seldom fail independently: one bad document fails ten patches. So the
unit here is the batch, and X its failed share, any number from 0 to 1. Against "the mean of X is m0
or more" we bet a fixed part of our winnings on every batch; the winnings are

    K = average over c of the product over batches of  1 + c (m0 - X) / (1 - m0),    0 < c < 1

While E[X | past] >= m0 no factor gains on average, and none is negative: each product, so their
average too, is a non-negative supermartingale that starts at 1. The chance that K ever reaches
1/alpha is at most alpha (Ville 1939; betting on bounded means, Waudby-Smith & Ramdas 2024, whose
lambda is c / (1 - m0)). Against "m0 or less", the mirror: 1 + c (X - m0) / m0.

A bet that adapts to the past depends on the order of the batches. These do not: how many batches
failed to which share is all that counts. Shares are kept in permille, rounded up; evidence that the
mean is low takes them as they are, evidence that it is high takes them one permille lower.
"""

from collections.abc import Mapping
from math import exp, log, log1p
from typing import Final

from controlplane.statistics.sequential import check_open, edge, fewest

_PERMILLE: Final = 1_000
_BETS: Final = tuple(0.999 * 2 ** (-j / 3) for j in range(24))
"""Down to 1/204 of what may be lost. High bets find a clean canary, low ones a close one."""
_LOG_WEIGHTS: Final = tuple(log(bet / sum(_BETS)) for bet in _BETS)
"""In proportion to the bet. Equal weights take 40 % more batches to certify a clean canary."""
_HALVINGS: Final = 30  # of a range of shares, to 1e-9


def log_e_below(shares: Mapping[int, int], m0: float) -> float:
    """Return ln K, the evidence that the mean failed share of a batch is below m0.

    `shares`: the number of batches by failed share in permille, rounded up: 0 where none failed, 1
    for more than 0 and at most 0.001, up to 1000. Certify at error level alpha when it reaches
    ln(1/alpha). Raise ValueError for a share outside 0..1000, a negative number of batches, or
    unless 0 < m0 < 1.
    """
    _check(shares)
    check_open("m0", m0)
    return _log_mixture(_logs_below(shares, m0))


def log_e_above(shares: Mapping[int, int], m0: float) -> float:
    """Return ln K, the evidence that the mean failed share of a batch is above m0.

    `shares` and the errors raised as in `log_e_below`. Convict at error level alpha when it reaches
    ln(1/alpha).
    """
    _check(shares)
    check_open("m0", m0)
    return _log_mixture(_logs_above(shares, m0))


def needed_without_failures(m0: float, alpha: float) -> int:
    """Return the fewest batches, all without a failure, that certify a mean below m0.

    Raise ValueError unless m0 and alpha are strictly between 0 and 1.
    """
    check_open("m0", m0)
    check_open("alpha", alpha)
    return _fewest_more(_logs_below({0: 1}, m0), 0, alpha)


def needed_more(shares: Mapping[int, int], m0: float, alpha: float, limit: int) -> int | None:
    """Return about how many more batches, at the present mix of shares, certify a mean below m0.

    The batches to come are counted in fractions, for this is a forecast. Before the first batch the
    forecast is of none with a failure. Return None when the present mix would not pass within
    `limit` more. Raise ValueError as `log_e_below` does, and for an alpha outside 0..1 or a
    negative limit.
    """
    _check(shares)
    check_open("m0", m0)
    check_open("alpha", alpha)
    if limit < 0:
        raise ValueError(f"limit must not be negative: {limit}")
    batches = sum(shares.values())
    logs = _logs_below(shares if batches else {0: 1}, m0)
    if _log_mixture(_grown(logs, batches, limit)) < -log(alpha):
        return None
    return _fewest_more(logs, batches, alpha)


def upper_bound(shares: Mapping[int, int], alpha: float) -> float:
    """Return a share that the mean stays below, at every look at once, with probability 1 - alpha.

    It is the smallest m0 that `log_e_below` certifies; 1 before the first batch. For a two-sided
    interval give alpha/2 to either bound. Raise ValueError as `log_e_below` does, and unless
    0 < alpha < 1.
    """
    _check(shares)
    check_open("alpha", alpha)
    target = -log(alpha)
    return edge(
        _mean(shares) if any(shares.values()) else 1.0,
        1.0,
        lambda m0: _log_mixture(_logs_below(shares, m0)) >= target,
        _HALVINGS,
    )


def lower_bound(shares: Mapping[int, int], alpha: float) -> float:
    """Return a share that the mean stays above, at every look at once, with probability 1 - alpha.

    It is the largest m0 that `log_e_above` convicts; 0 while too little failed to convict any.
    Raise ValueError as `upper_bound` does.
    """
    _check(shares)
    check_open("alpha", alpha)
    target = -log(alpha)
    certain = {_certain(share): count for share, count in shares.items() if share}
    certain[0] = certain.get(0, 0) + shares.get(0, 0)
    return edge(
        _mean(certain) if any(certain.values()) else 0.0,
        0.0,
        lambda m0: _log_mixture(_logs_above(shares, m0)) >= target,
        _HALVINGS,
    )


def _check(shares: Mapping[int, int]) -> None:
    for share, count in shares.items():
        if not 0 <= share <= _PERMILLE:
            raise ValueError(f"a share must be between 0 and {_PERMILLE} permille, not {share}")
        if count < 0:
            raise ValueError(f"a number of batches must not be negative: {count}")


def _certain(share: int) -> int:
    """Return the permille that failed at least, where `share` failed at most."""
    return max(0, share - 1)


def _mean(shares: Mapping[int, int]) -> float:
    failed = sum(share * count for share, count in shares.items())
    return failed / (_PERMILLE * sum(shares.values()))


def _logs_below(shares: Mapping[int, int], m0: float) -> list[float]:
    gains = [((m0 - share / _PERMILLE) / (1 - m0), count) for share, count in shares.items()]
    return _logs(gains)


def _logs_above(shares: Mapping[int, int], m0: float) -> list[float]:
    gains = [((_certain(share) / _PERMILLE - m0) / m0, count) for share, count in shares.items()]
    return _logs(gains)


def _logs(gains: list[tuple[float, int]]) -> list[float]:
    """Return the ln of what each bet has won; a gain of -1 is all that was put at stake."""
    return [sum(count * log1p(bet * gain) for gain, count in gains) for bet in _BETS]


def _grown(logs: list[float], batches: int, more: int) -> list[float]:
    """Return what the bets win in `more` further batches of the same mix, as logs."""
    factor = (batches + more) / (batches or 1)
    return [factor * one for one in logs]


def _log_mixture(logs: list[float]) -> float:
    weighted = [weight + one for weight, one in zip(_LOG_WEIGHTS, logs, strict=True)]
    most = max(weighted)
    return most + log(sum(exp(one - most) for one in weighted))


def _fewest_more(logs: list[float], batches: int, alpha: float) -> int:
    """Return by how many batches the evidence arrives.

    It is convex in their number and starts at 1, so once there it stays.
    """
    target = -log(alpha)
    return fewest(lambda more: _log_mixture(_grown(logs, batches, more)) >= target)
