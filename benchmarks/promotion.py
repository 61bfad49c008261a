"""How often a wave is promoted or rolled back for the wrong reason: python benchmarks/promotion.py.

Each canary runs 20 executions every 5 minutes for 14 days and is looked at every time: 4,032
looks. A rule that compares a point with a threshold takes one of those looks for the truth; the
e-processes hold however often one looks. All verdicts are those of controlplane.statistics. Where
they depend on two counts only, the counts at which they turn are looked up once for each look. The
FAIL of `rate_below` also counts from later windows on, as controlplane/criteria/turns.py does.
Seeded: the tables come out the same everywhere.
"""

import argparse
from collections.abc import Callable, Iterable
from functools import cache
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from controlplane.statistics import betting, changes, sequential

SEED = 20261123
LOOKS = 14 * 24 * 12
BATCH = 20
BOUND = 0.05
ENOUGH = 100
HOUR = 12
WINDOW = 6 * HOUR
STARTS = (0, 1, 2, 3, 5, 8, 13, 21, 34)
ALPHA_PASS = 0.05
ALPHA_FAIL = 0.01
PERMILLE_A_FAILURE = 1_000 // BATCH
EXECUTIONS = (np.arange(LOOKS) + 1) * BATCH

RATES = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10)
TURNED_RATES = (0.06, 0.08, 0.10, 0.20)
GOOD = 8 * WINDOW
HEALTHY = 0.01
CLUSTERED_RATES = (0.02, 0.05, 0.06, 0.10)
CLUSTERINGS = (0.0, 0.05, 0.2)

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


def turning(rate: float, turn: int, runs: int) -> Counts:
    """Draw failures of canaries that are healthy until a look, and fail at a rate from then on."""
    chance = np.random.default_rng([SEED, 5, round(rate * 1_000), turn])
    rates = np.where(np.arange(LOOKS) < turn, HEALTHY, rate)
    return chance.binomial(BATCH, rates, (runs, LOOKS))


def first(hits: Hits, step: int = BATCH, at_least: int = 0) -> When:
    """Return when each canary is first hit; looks at fewer than `at_least` executions are none."""
    late = hits[:, max(0, at_least // step - 1) :]
    hidden = hits.shape[1] - late.shape[1]
    return np.where(late.any(axis=1), (late.argmax(axis=1) + hidden + 1.0) * step, inf)


# Rules that look at points


def last_hour(failures: Counts) -> NDArray[np.float64]:
    total = np.pad(np.cumsum(failures, axis=1), ((0, 0), (HOUR, 0)))
    seen = np.minimum(EXECUTIONS, HOUR * BATCH)
    return np.asarray((total[:, HOUR:] - total[:, :-HOUR]) / seen)


def hour_passes_thrice(failures: Counts) -> When:
    good = last_hour(failures) < BOUND
    good[:, : ENOUGH // BATCH - 1] = False
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


@cache
def log_e_above(k: int, n: int) -> float:
    return sequential.log_e_above(k, n, BOUND)


@cache
def e_reaches(least: float) -> Callable[[int, int], bool]:
    return lambda k, n: log_e_above(k, n) >= log(least)


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


# The rule that also counts from later windows


def rate_below_fails(failures: Counts) -> When:
    """Say when E, the mean over the beginning and later starts, first suffices.

    Looks are passed over at which it cannot: of ten starts at most, weighted, one must reach 10 for
    E to reach 100. The beginning weighs 3/4, a later start 1/8 at most.
    """
    so_far = np.pad(np.cumsum(failures, axis=1), ((0, 0), (1, 0)))
    possible = so_far[:, 1:] >= limits(e_reaches(10 * 4 / 3), above=True)
    look = np.arange(LOOKS)
    for back in STARTS:
        late = look[look // WINDOW > back]
        begun = (late // WINDOW - back) * WINDOW
        least = limits(e_reaches(10 * 8), above=True)[late - begun]
        possible[:, late] |= so_far[:, late + 1] - so_far[:, begun] >= least
    found = (
        next((at + 1.0 for at in np.flatnonzero(some) if convicts(run, int(at))), inf)
        for run, some in zip(so_far, possible, strict=True)
    )
    return np.array(list(found)) * BATCH


def convicts(so_far: NDArray[np.int64], look: int) -> bool:
    def since(window: int) -> float:
        begun = window * WINDOW
        return log_e_above(int(so_far[look + 1] - so_far[begun]), (look + 1 - begun) * BATCH)

    newest = look // WINDOW
    later = [(newest - back, since(newest - back)) for back in STARTS if back < newest]
    return changes.log_e_turned(since(0), later) >= -log(ALPHA_FAIL)


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


# Tables

Rule = Callable[[Counts], When]

PEEKING: dict[str, Rule] = {
    "PASS: rate so far < 5 %": lambda f: first(
        np.cumsum(f, axis=1) < BOUND * EXECUTIONS, at_least=ENOUGH
    ),
    "PASS: last hour < 5 %": lambda f: first(last_hour(f) < BOUND, at_least=ENOUGH),
    "PASS: last hour < 5 %, 3 looks in a row": hour_passes_thrice,
    "PASS: Clopper–Pearson, upper 95 % < 5 %": lambda f: first(
        passes(exact_pass, f), at_least=ENOUGH
    ),
    "**PASS: `rate_below`, alpha 0.05**": lambda f: first(passes(e_pass, f)),
    "FAIL: last hour ≥ 5 %": lambda f: first(last_hour(f) >= BOUND, at_least=ENOUGH),
    "FAIL: Clopper–Pearson, lower 95 % > 5 %": lambda f: first(
        fails(exact_fail, f), at_least=ENOUGH
    ),
    "FAIL: e-process from the beginning only": lambda f: first(fails(e_reaches(1 / ALPHA_FAIL), f)),
    "**FAIL: `rate_below`, alpha 0.01**": rate_below_fails,
}
CLUSTERED: dict[str, Rule] = {
    "PASS: rate so far < 5 %": PEEKING["PASS: rate so far < 5 %"],
    "PASS: last hour < 5 %, 3 looks in a row": hour_passes_thrice,
    "PASS: by execution": PEEKING["**PASS: `rate_below`, alpha 0.05**"],
    "**PASS: by batch**": batches_pass,
    "FAIL: last hour ≥ 5 %": PEEKING["FAIL: last hour ≥ 5 %"],
    "FAIL: by execution": rate_below_fails,
    "**FAIL: by batch**": batches_fail,
}
TURNING: dict[str, tuple[Rule, int]] = {
    "FAIL: e-process from the beginning only": (
        PEEKING["FAIL: e-process from the beginning only"],
        GOOD,
    ),
    "**FAIL: `rate_below`**": (rate_below_fails, GOOD),
    "**FAIL: `rate_below`**, turned in mid-window": (rate_below_fails, GOOD + WINDOW // 2),
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
    table("True error rate", (f"{rate * 100:g} %" for rate in RATES), rows)
    turned = (
        (name, [rule(turning(rate, turn, runs)) - turn * BATCH for rate in TURNED_RATES])
        for name, (rule, turn) in TURNING.items()
    )
    table("Turned to", (f"{rate * 100:g} %" for rate in TURNED_RATES), turned)
    for clustering in CLUSTERINGS:
        drawn = [canaries(rate, clustering, runs) for rate in CLUSTERED_RATES]
        rows = ((name, [rule(failures) for failures in drawn]) for name, rule in CLUSTERED.items())
        table(f"Correlation {clustering}", (f"{rate * 100:g} %" for rate in CLUSTERED_RATES), rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    main(parser.parse_args().runs)
