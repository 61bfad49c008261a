"""Deciding three weeks again, against reading them: python benchmarks/rehearse.py.

Four rollouts under steady traffic, as in benchmarks/seek.py. The floor is a pass over the same log
that decodes every event and does nothing with it.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from seek import fill

from controlplane import FOUR_WAVES, ControlPlane, rulebook
from projections.timelines import stretch

_RUNS = 3
_STRICTER = {"ERROR_RATE_CRITICAL": {"threshold": 0.1}}


def seconds(work: Callable[[], object]) -> float:
    """The median of a few runs."""
    found = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def measure(url: str, count: int) -> None:
    """Fill, read, rehearse."""
    flags = [f"flag-{number}" for number in range(4)]
    with ControlPlane(url) as plane:
        filled = plane.head().position > 0
    if not filled:
        fill(url, count, flags, random.Random(7))
    plans = {share: FOUR_WAVES.to_json() for share in (0.04, 0.03, 0.02, 0.01)}
    for share, plan in plans.items():
        for stage in (*plan["waves"], plan["soak"]):
            for criterion in stage["criteria"]:
                if criterion["kind"] == "rate_below":
                    criterion["bound"] = share
    books = [rulebook(plan, name=f"bound {share:.0%}") for share, plan in plans.items()]
    with ControlPlane(url) as plane:
        head, rollout = plane.head().position, f"{flags[0]}-r1"
        tried: dict[str, Callable[[], object]] = {
            "one plan": lambda: plane.rehearse(rulebooks=books[:1], rollout=rollout),
            "four plans": lambda: plane.rehearse(rulebooks=books, rollout=rollout),
            "one set of rules": lambda: plane.rehearse(rules=_STRICTER, rollout=rollout),
        }
        floor = seconds(lambda: sum(1 for _ in stretch(plane.log, 0, head)))
        print(f"{head:,} events, of which a quarter are of the rollout's flag")
        print(f"  {'read and decoded':<20}{floor:>7.1f} s{head / floor:>12,.0f} events/s")
        for name, work in tried.items():
            took = seconds(work)
            rate = head / took
            print(f"  {name:<20}{took:>7.1f} s{rate:>12,.0f} events/s{took / floor:>7.1f} x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--url", help="a database, filled if it is empty")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(given.url or f"sqlite:///{Path(folder) / 'rehearse.db'}", given.events)
