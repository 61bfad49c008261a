"""How often two arms are compared wrongly: python benchmarks/arms.py.

Of a flag that is served to the planned share of units or to another; and of new code beside the
old one. Looked at, seeded and told as in benchmarks/promotion.py.
"""

import argparse
from bisect import bisect_left, bisect_right
from functools import cache
from math import inf, log

import numpy as np
from numpy.typing import NDArray
from promotion import ALPHA_FAIL, ALPHA_PASS, BATCH, EXECUTIONS, SEED, Counts, When, first, table

from controlplane.statistics import difference, split

PLANNED = 0.1
SERVED = (0.1, 0.11, 0.12, 0.15, 0.2, 0.05, 0.0)
UNITS_A_LOOK = 10
UNIT_LOOKS = 6_000
MARGIN = 0.01
PAIRS = ((0.015, 0.005), (0.03, 0.02), (0.06, 0.05), (0.005, 0.005), (0.02, 0.02), (0.05, 0.05))
PAIR_LOOKS = 1_000


@cache
def split_limits() -> tuple[Counts, Counts]:
    """For each look, the units on down to which, and from which on, the split is not as planned."""
    target = -log(ALPHA_FAIL)
    few, many = [], []
    for n in range(UNITS_A_LOOK, UNITS_A_LOOK * UNIT_LOOKS + 1, UNITS_A_LOOK):
        middle = round(PLANNED * n)

        def log_e(on: int, n: int = n) -> float:
            return split.log_e_mismatch(on, n - on, PLANNED)

        few.append(bisect_right(range(middle), -target, key=lambda on: -log_e(on)) - 1)
        many.append(middle + bisect_left(range(middle, n + 1), target, key=log_e))
    return np.array(few), np.array(many)


def split_alarms(share: float, runs: int) -> When:
    chance = np.random.default_rng([SEED, 2, round(share * 1_000)])
    on = np.cumsum(chance.binomial(UNITS_A_LOOK, share, (runs, UNIT_LOOKS)), axis=1)
    few, many = split_limits()
    return first((on <= few) | (on >= many), UNITS_A_LOOK)


def arm(rate: float, kind: int, runs: int) -> Counts:
    """Return the failures so far, after 20 executions a look."""
    chance = np.random.default_rng([SEED, kind, round(rate * 1_000)])
    return np.cumsum(chance.binomial(BATCH, rate, (runs, PAIR_LOOKS)), axis=1)


def arm_passes(new: NDArray[np.int64], old: NDArray[np.int64]) -> float:
    """Look only where the observed difference is below the margin: elsewhere E is at most 1."""
    for look in np.flatnonzero(new - old < MARGIN * EXECUTIONS[:PAIR_LOOKS]):
        seen = int(EXECUTIONS[look])
        pair = (int(new[look]), seen), (int(old[look]), seen)
        if difference.log_e_below(*pair, MARGIN) >= -log(ALPHA_PASS):
            return float(seen)
    return inf


def asymptotic_passes(new: Counts, old: Counts, at_least: int = 0) -> When:
    """The one-sided asymptotic confidence sequence of Waudby-Smith et al. (2021), eq. 134.

    Its rho is tuned for 5,000 executions (eq. 161).
    """
    n = EXECUTIONS[:PAIR_LOOKS]
    p, q, total = new / n, old / n, 2 * n
    rho = np.sqrt((-2 * log(ALPHA_PASS) + log(-2 * log(ALPHA_PASS) + 1)) / 5_000)
    grown = total * rho**2 + 1
    radius = np.sqrt(2 * grown / (total * rho) ** 2 * np.log1p(np.sqrt(grown) / (2 * ALPHA_PASS)))
    deviation = np.sqrt(2 * (p * (1 - p) + q * (1 - q)))
    return first(p - q + deviation * radius < MARGIN, at_least=at_least)


def main(runs: int) -> None:
    """Print which share of the simulated splits and pairs is ever decided, and how soon."""
    print(f"{runs} rollouts a column, seed {SEED}\n")
    alarms = ("Alarm, alpha 0.01", [split_alarms(share, runs) for share in SERVED])
    table("Served, where 10 % is planned", (f"{share * 100:g} %" for share in SERVED), [alarms])
    both = [(arm(new, 3, runs), arm(old, 4, runs)) for new, old in PAIRS]
    compared = (
        ("**PASS: `difference`**", [np.array(list(map(arm_passes, *pair))) for pair in both]),
        ("PASS: asymptotic", [asymptotic_passes(*pair) for pair in both]),
        ("PASS: asymptotic, from 1000 on", [asymptotic_passes(*pair, 1_000) for pair in both]),
    )
    table(
        "True rate, new / old", (f"{new * 100:g} / {old * 100:g} %" for new, old in PAIRS), compared
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    main(parser.parse_args().runs)
