"""How often a wave is promoted or rolled back for the wrong reason: python benchmarks/promotion.py.

Each canary runs 20 executions every 5 minutes for 14 days and is looked at every time: 4,032
looks. A rule that compares a point with a threshold takes one of those looks for the truth; the
e-process counts how often it has looked. Seeded: the table comes out the same everywhere.
"""

import argparse
import random
from collections.abc import Callable, Sequence
from math import log
from statistics import median

from controlplane.statistics import sequential

SEED = 20261123
LOOKS = 14 * 24 * 12
EXECUTIONS_A_LOOK = 20
BOUND = 0.05
ENOUGH = 100
WINDOW = 12
RATES = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10)

Rule = Callable[[Sequence[int], int, int], bool]
"""(failures per look, failures in all, executions in all) → decided now."""


def point_passes(_looks: Sequence[int], failures: int, n: int) -> bool:
    """Cumulative rate below the bound, once there are 100 executions."""
    return n >= ENOUGH and failures / n < BOUND


def window_fails(looks: Sequence[int], _failures: int, n: int) -> bool:
    """The last hour's rate at or above the bound."""
    recent = looks[-WINDOW:]
    return n >= ENOUGH and sum(recent) / (len(recent) * EXECUTIONS_A_LOOK) >= BOUND


def e_passes(_looks: Sequence[int], failures: int, n: int) -> bool:
    """The criterion rate_below says PASS at alpha 0.05."""
    return sequential.log_e_below(failures, n, BOUND) >= log(1 / 0.05)


def e_fails(_looks: Sequence[int], failures: int, n: int) -> bool:
    """The criterion rate_below says FAIL at alpha 0.01."""
    return sequential.log_e_above(failures, n, BOUND) >= log(1 / 0.01)


RULES: dict[str, Rule] = {
    "PASS: rate so far < 5 %": point_passes,
    "PASS: e-process, alpha 0.05": e_passes,
    "FAIL: last hour >= 5 %": window_fails,
    "FAIL: e-process, alpha 0.01": e_fails,
}


def canary(rate: float, chance: random.Random) -> dict[str, int]:
    """After how many executions each rule decides; a rule that never does is left out."""
    decided: dict[str, int] = {}
    looks: list[int] = []
    failures = 0
    for look in range(1, LOOKS + 1):
        looks.append(sum(chance.random() < rate for _ in range(EXECUTIONS_A_LOOK)))
        failures += looks[-1]
        n = look * EXECUTIONS_A_LOOK
        for name, rule in RULES.items():
            if name not in decided and rule(looks, failures, n):
                decided[name] = n
        if len(decided) == len(RULES):
            break
    return decided


def main(runs: int) -> None:
    """Print the share of canaries for which each rule ever decides, and how soon."""
    print(f"{runs} canaries a rate, seed {SEED}; share ever decided (median executions)\n")
    print(f"{'true error rate':<30}" + "".join(f"{rate:>15.0%}" for rate in RATES))
    results = {
        rate: [canary(rate, random.Random(f"{SEED}/{rate}/{run}")) for run in range(runs)]
        for rate in RATES
    }
    for name in RULES:
        cells = []
        for rate in RATES:
            times = [decided[name] for decided in results[rate] if name in decided]
            soon = f" ({median(times):.0f})" if times else ""
            cells.append(f"{len(times) / runs:.3f}{soon}")
        print(f"{name:<30}" + "".join(f"{cell:>15}" for cell in cells))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    main(parser.parse_args().runs)
