"""How often a wave is promoted or rolled back for the wrong reason: python benchmarks/promotion.py.

Each canary runs 20 executions every 5 minutes for 14 days and is looked at every time: 4,032
looks. A rule that compares a point with a threshold takes one of those looks for the truth; the
e-processes hold however often one looks. All verdicts are those of controlplane.statistics. Where
they depend on two counts only, the counts at which they turn are looked up once for each look.
Seeded: the tables come out the same everywhere.
"""

import argparse
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cache
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from controlplane.statistics import betting, difference, sequential, split

SEED = 20261123
LOOKS = 14 * 24 * 12
BATCH = 20
BOUND = 0.05
ENOUGH = 100
HOUR = 12
ALPHA_PASS = 0.05
ALPHA_FAIL = 0.01
PERMILLE_A_FAILURE = 1_000 // BATCH
EXECUTIONS = (np.arange(LOOKS) + 1) * BATCH

RATES = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10)
CLUSTERED_RATES = (0.02, 0.05, 0.06, 0.10)
CLUSTERINGS = (0.0, 0.05, 0.2)
PLANNED = 0.1
SERVED = (0.1, 0.11, 0.12, 0.15, 0.2, 0.05, 0.0)
UNITS_A_LOOK = 10
UNIT_LOOKS = 6_000
MARGIN = 0.01
PAIRS = ((0.015, 0.005), (0.03, 0.02), (0.06, 0.05), (0.005, 0.005), (0.02, 0.02), (0.05, 0.05))
PAIR_LOOKS = 1_000

Counts = NDArray[np.int64]
"""Failures by canary and look; or, summed over looks, by canary and all looks so far."""
Hits = NDArray[np.bool_]
"""By canary and look: the rule would decide here."""
When = NDArray[np.float64]
"""By canary: after how many executions it was decided; inf where it never was."""


def canaries(rate: float, clustering: float, runs: int) -> Counts:
    """Draw failures per batch; `clustering` is the correlation between two executions of a batch.

    Correlated, each batch has a rate of its own, drawn from a Beta distribution.
    """
    chance = np.random.default_rng([SEED, round(rate * 1_000), round(clustering * 1_000)])
    shape = (runs, LOOKS)
    if not clustering:
        return chance.binomial(BATCH, rate, shape)
    weight = 1 / clustering - 1
    return chance.binomial(BATCH, chance.beta(rate * weight, (1 - rate) * weight, shape))


def first(hits: Hits, step: int = BATCH) -> When:
    """Return when each canary is first hit."""
    return np.where(hits.any(axis=1), (hits.argmax(axis=1) + 1.0) * step, inf)


# Rules that look at points


def looks_enough(hits: Hits) -> Hits:
    """Leave out the looks at fewer than 100 executions."""
    hits[:, : ENOUGH // BATCH - 1] = False
    return hits


def last_hour(failures: Counts) -> NDArray[np.float64]:
    total = np.pad(np.cumsum(failures, axis=1), ((0, 0), (HOUR, 0)))
    seen = np.minimum(EXECUTIONS, HOUR * BATCH)
    return np.asarray((total[:, HOUR:] - total[:, :-HOUR]) / seen)


def rate_passes(failures: Counts) -> When:
    return first(looks_enough(np.cumsum(failures, axis=1) < BOUND * EXECUTIONS))


def hour_passes_thrice(failures: Counts) -> When:
    good = looks_enough(last_hour(failures) < BOUND)
    good[:, 2:] &= good[:, 1:-1] & good[:, :-2]
    good[:, :2] = False
    return first(good)


# Rules that look at two counts


def exact_pass(k: int, n: int) -> bool:
    """The upper end of the one-sided 95 % interval of Clopper & Pearson is below the bound."""
    return 1 - sequential.binomial_tail(k + 1, n, BOUND) < 0.05


def exact_fail(k: int, n: int) -> bool:
    """The lower end of the one-sided 95 % interval of Clopper & Pearson is above the bound."""
    return sequential.binomial_tail(k, n, BOUND) < 0.05


def e_pass(k: int, n: int) -> bool:
    return sequential.log_e_below(k, n, BOUND) >= -log(ALPHA_PASS)


def e_fail(k: int, n: int) -> bool:
    return sequential.log_e_above(k, n, BOUND) >= -log(ALPHA_FAIL)


@cache
def limits(decides: Callable[[int, int], bool], *, above: bool) -> Counts:
    """Return for each look the failures down to which it decides (-1: none), or from which on."""
    k = 0 if above else -1
    found = []
    for n in EXECUTIONS.tolist():
        while k <= n and decides(k if above else k + 1, n) != above:
            k += 1
        found.append(k)
    return np.array(found)


def passes(decides: Callable[[int, int], bool], failures: Counts) -> Hits:
    return np.cumsum(failures, axis=1) <= limits(decides, above=False)


def fails(decides: Callable[[int, int], bool], failures: Counts) -> Hits:
    return np.cumsum(failures, axis=1) >= limits(decides, above=True)


# Rules that look at batches


def batches_pass(failures: Counts) -> When:
    most = np.full(BATCH + 1, log(1 / (1 - BOUND)))
    return np.array([decided(run, betting.log_e_below, ALPHA_PASS, most) for run in failures])


def batches_fail(failures: Counts) -> When:
    share = np.arange(BATCH + 1) / BATCH
    most = np.log(np.maximum(1, share / BOUND))
    return np.array([decided(run, betting.log_e_above, ALPHA_FAIL, most) for run in failures])


def decided(
    run: NDArray[np.int64],
    log_e: Callable[[dict[int, int], float], float],
    alpha: float,
    most: NDArray[np.float64],
) -> float:
    """Return when the evidence of one canary first suffices.

    Looks are passed over at which it cannot: `most` is what a batch adds at most, by its failures.
    """
    possible = np.cumsum(most[run])
    look = 0
    while look < LOOKS:
        kinds = np.bincount(run[: look + 1])
        shares = {k * PERMILLE_A_FAILURE: int(count) for k, count in enumerate(kinds) if count}
        missing = -log(alpha) - log_e(shares, BOUND)
        if missing <= 0:
            return (look + 1.0) * BATCH
        later = int(np.searchsorted(possible, possible[look] + missing - 1e-9))
        look = max(look + 1, later)
    return inf


# Rules that look at units, or at two arms


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


def universal_passes(new: Counts, old: Counts) -> When:
    return np.array([arm_passes(*pair) for pair in zip(new, old, strict=True)])


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
    return first((p - q + deviation * radius < MARGIN) & (n >= at_least))


# Tables

Rule = Callable[[Counts], When]

PEEKING: dict[str, Rule] = {
    "PASS: rate so far < 5 %": rate_passes,
    "PASS: last hour < 5 %": lambda f: first(looks_enough(last_hour(f) < BOUND)),
    "PASS: last hour < 5 %, 3 looks in a row": hour_passes_thrice,
    "PASS: Clopper–Pearson, upper 95 % < 5 %": lambda f: first(looks_enough(passes(exact_pass, f))),
    "**PASS: `rate_below`, alpha 0.05**": lambda f: first(passes(e_pass, f)),
    "FAIL: last hour ≥ 5 %": lambda f: first(looks_enough(last_hour(f) >= BOUND)),
    "FAIL: Clopper–Pearson, lower 95 % > 5 %": lambda f: first(looks_enough(fails(exact_fail, f))),
    "**FAIL: `rate_below`, alpha 0.01**": lambda f: first(fails(e_fail, f)),
}
CLUSTERED: dict[str, Rule] = {
    "PASS: rate so far < 5 %": rate_passes,
    "PASS: last hour < 5 %, 3 looks in a row": hour_passes_thrice,
    "PASS: by execution": lambda f: first(passes(e_pass, f)),
    "**PASS: by batch**": batches_pass,
    "FAIL: last hour ≥ 5 %": lambda f: first(looks_enough(last_hour(f) >= BOUND)),
    "FAIL: by execution": lambda f: first(fails(e_fail, f)),
    "**FAIL: by batch**": batches_fail,
}


def cell(when: When) -> str:
    """Say which share was ever decided, and in brackets the median executions until then."""
    ever = when[np.isfinite(when)]
    soon = f" ({np.median(ever):.0f})" if len(ever) else ""
    return f"{len(ever) / len(when):.3f}{soon}"


def table(head: str, columns: Iterable[str], rows: Iterable[tuple[str, list[When]]]) -> None:
    heads = [head, *columns]
    print(*heads, sep=" | ")
    print(*["---" for _ in heads], sep=" | ")
    for name, whens in rows:
        print(name, *map(cell, whens), sep=" | ", flush=True)
    print()


def main(runs: int) -> None:
    """Print, rule by rule, which share of the simulated rollouts is ever decided, and how soon."""
    print(f"{runs} rollouts a column, seed {SEED}\n")
    drawn = [canaries(rate, 0.0, runs) for rate in RATES]
    rows = ((name, [rule(failures) for failures in drawn]) for name, rule in PEEKING.items())
    table("True error rate", (f"{rate:.0%}" for rate in RATES), rows)
    for clustering in CLUSTERINGS:
        drawn = [canaries(rate, clustering, runs) for rate in CLUSTERED_RATES]
        rows = ((name, [rule(failures) for failures in drawn]) for name, rule in CLUSTERED.items())
        table(f"Correlation {clustering}", (f"{rate:.0%}" for rate in CLUSTERED_RATES), rows)
    alarms = ("Alarm, alpha 0.01", [split_alarms(share, runs) for share in SERVED])
    table("Served, where 10 % is planned", (f"{share:.0%}" for share in SERVED), [alarms])
    both = [(arm(new, 3, runs), arm(old, 4, runs)) for new, old in PAIRS]
    compared = (
        ("**PASS: `difference`**", [universal_passes(*pair) for pair in both]),
        ("PASS: asymptotic", [asymptotic_passes(*pair) for pair in both]),
        ("PASS: asymptotic, from 1000 on", [asymptotic_passes(*pair, 1_000) for pair in both]),
    )
    table("True rate, new / old", (f"{new:.1%} / {old:.1%}" for new, old in PAIRS), compared)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    main(parser.parse_args().runs)
