"""Seeking anywhere in a log of a million events: python benchmarks/seek.py.

Rollouts run on a clock of their own for three weeks, on several flags, under steady traffic. Then
questions are asked of random moments, by a process that has just opened the database.
"""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from controlplane import FOUR_WAVES
from controlplane.clock import new_id
from controlplane.errors import ControlPlaneError
from controlplane.plane import ControlPlane
from events.timestamps import DAY, SECOND
from projections.catalog import PROJECTIONS

_START = 1_795_000_000 * SECOND
_SPAN = 21 * DAY
_BATCH = 2000
_ASKED = 60


class Clock:
    """Goes as fast as it is set."""

    now = _START

    def __call__(self) -> int:
        """Microseconds since the epoch."""
        return self.now


def fill(url: str, count: int, flags: list[str], chance: random.Random) -> None:
    """Three weeks of rollouts, promoted as soon as they may be, and executions without end."""
    clock = Clock()
    with ControlPlane(url, clock=clock, new_id=new_id) as plane:
        for flag in flags:
            plane.flags.create(flag, owner="team", actor="ann")
            plane.rollouts.start(FOUR_WAVES, flag=flag, actor="ann")
        batches = count // _BATCH
        for number in range(batches):
            since, clock.now = clock.now, _START + _SPAN * (number + 1) // batches
            plane.executions.record(
                [
                    {
                        "id": new_id(),
                        "flag": chance.choice(flags),
                        "cohort": "on" if chance.random() < 0.5 else "off",
                        "unit": f"user-{chance.randrange(50_000)}",
                        "outcome": "failed" if chance.random() < 0.002 else "succeeded",
                        "duration_us": int(chance.lognormvariate(10.5, 0.4)),
                        "replace": 2,
                        "patches_applied": 2,
                        "instance": f"web-{chance.randrange(8)}",
                        "memory_current_bytes": chance.randrange(10**8, 2 * 10**8),
                        "occurred_at": since + (clock.now - since) * place // _BATCH,
                    }
                    for place in range(_BATCH)
                ]
            )
            plane.rollouts.evaluate_all()
            for _, proposal in plane.rollouts.proposals():
                try:
                    plane.rollouts.approve(proposal.id, actor="ben")
                except ControlPlaneError as refusal:
                    print(f"  {refusal}")


def timed(work: Callable[[], object]) -> float:
    """Milliseconds, once."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def ask(
    url: str, label: str, work: Callable[[ControlPlane, int], object], positions: list[int]
) -> None:
    """Each position asked once, by one who has just opened the database."""
    with ControlPlane(url) as plane:
        plane.head()
        times = sorted(timed(lambda at=position: work(plane, at)) for position in positions)
    last = times[int(len(times) * 0.99)]
    print(f"  {label:<46}{statistics.median(times):>9.1f}{last:>9.1f}{times[-1]:>9.1f}")


def measure(url: str, count: int) -> None:
    """Fill, take snapshots, ask."""
    chance = random.Random(7)
    flags = [f"flag-{number}" for number in range(4)]
    with ControlPlane(url) as plane:
        filled = plane.head().position > 0
    took = 0.0 if filled else timed(lambda: fill(url, count, flags, chance)) / 1000
    with ControlPlane(url) as plane:
        head = plane.head().position
        print(f"\n{head:,} events in {took:.0f} s")
        took = timed(plane.projections.take_snapshots) / 1000
        print(f"snapshots in {took:.0f} s, {head / took:,.0f} events/s")
    if url.startswith("sqlite"):
        sizes(url.removeprefix("sqlite:///"))
    positions = [chance.randrange(1, head) for _ in range(_ASKED)]
    print(f"  {'as of a random position, in ms':<46}{'median':>9}{'99 %':>9}{'worst':>9}")
    one, rollout = flags[0], f"{flags[0]}-r1"
    ask(url, "flags.explain", lambda p, at: p.as_of(at).flags.explain(one, "user-17"), positions)
    ask(url, "flags.all", lambda p, at: p.as_of(at).flags.all(), positions)
    ask(url, "alerts.open", lambda p, at: p.as_of(at).alerts.open(), positions)
    ask(url, "rollouts.status", lambda p, at: p.as_of(at).rollouts.status(rollout), positions)
    ask(url, "metrics.totals", lambda p, at: p.as_of(at).metrics.totals(), positions)
    ask(url, "all read models but minutes", everything, positions)
    ask(url, "metrics.totals, late arrivals too", with_late, positions[:10])


def everything(plane: ControlPlane, at: int) -> None:
    """Every row of every read model; of the minutes, those of the last hour."""
    world = plane.as_of(at).world
    for projection in PROJECTIONS.values():
        if projection.name != "metrics":
            world.scan(projection)


def with_late(plane: ControlPlane, at: int) -> None:
    """What came in later is looked for in all that follows."""
    plane.as_of(at, known="now").metrics.totals()


def sizes(path: str) -> None:
    """Of the file, and of what is in it."""
    connection = sqlite3.connect(path)
    rows, size = connection.execute(
        "SELECT COUNT(*), SUM(LENGTH(state)) FROM projection_snapshots"
    ).fetchone()
    [log] = connection.execute("SELECT SUM(LENGTH(data)) FROM event_log").fetchone()
    print(f"{rows:,} rows of snapshots, {size / 2**20:.0f} MiB; {log / 2**20:.0f} MiB of events")
    print(f"the file: {Path(path).stat().st_size / 2**20:.0f} MiB")
    connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--url", help="a database, filled if it is empty")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(given.url or f"sqlite:///{Path(folder) / 'seek.db'}", given.events)
