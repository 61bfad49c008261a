"""What an answer from history costs, by how long the log is: python benchmarks/audit.py.

Answers of up to a few thousand events should cost the same on a log of a hundred thousand events
and on one of ten million. The log is made up: days of executions by services, and among every
thousand of them a few events of flags, rollouts, alerts and refused commands. Of a hundred
executions one was told late, as by a client that had been offline.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
from event_log import databases

from controlplane.migrations.upgrade import bring_up_to_date
from events.access import DENIAL_STREAM, CommandDenied
from events.alerts import AlertRaised, alert_stream
from events.chain import chain
from events.codec import encode
from events.database import Database
from events.event import Actor, Event, NewEvent
from events.executions import BatchExecuted
from events.flags import EVERYONE, ExposureChanged, flag_stream
from events.judgements import WaveJudged, judgement_stream
from events.log import Dimension, Query
from events.sql_log import SqlLog
from events.tables import event_log as table
from events.timestamps import DAY, HOUR, MINUTE, SECOND

BEGIN = 1_790_000_000 * SECOND
PACE_US = 50_000
"""Between two events: twenty a second, 1.7 million a day."""
A_TRANSACTION = 100_000
ROUNDS = 15
FLAGS = [f"flag-{n}" for n in range(20)]
SERVICES = [Actor(kind="token", id=f"service-{n}", name=f"service-{n}") for n in range(10)]
PEOPLE = [Actor.person(f"person-{n}") for n in range(50)]
SCHEDULER = Actor(kind="scheduler", id="evaluation", name="evaluation")

_INSERT = f"INSERT INTO event_log VALUES ({', '.join('?' * len(table.columns))})"  # noqa: S608  why: constants
_MOVE_HEAD = "UPDATE log_head SET position = ?, hash = ?, recorded_at = ? WHERE environment = ?"

Made = tuple[str, Event, Actor, int, str | None, str | None]


def execution(number: int, chance: random.Random) -> Made:
    """An execution; one of a hundred was told hours late."""
    flag = FLAGS[int(len(FLAGS) * chance.random() ** 2)]
    event = BatchExecuted(
        flag=flag,
        cohort="on",
        unit=f"user-{number % 5000}",
        outcome="succeeded",
        duration_us=1000 + number % 5000,
        replace=2,
        patches_applied=2,
    )
    late_us = chance.randrange(10 * MINUTE, 6 * HOUR) if chance.random() < 0.01 else 0
    by = SERVICES[int(len(SERVICES) * chance.random() ** 2)]
    return f"executions-{flag}", event, by, late_us, None, None


def rare(number: int, chance: random.Random, previous: str | None) -> Made:
    """One of what people, rules and the scheduler do."""
    flag = chance.choice(FLAGS)
    rollout = f"{flag}-r{number // 500_000 + 1}"
    reason = f"because of INC-{chance.randrange(10_000)}"
    match chance.randrange(10):
        case 0 | 1:
            moved = ExposureChanged(
                flag=flag, audience=EVERYONE, before=10, after=25, reason=reason
            )
            return flag_stream(flag), moved, chance.choice(PEOPLE), 0, rollout, previous
        case 2:
            raised = AlertRaised(
                alert=f"{flag}/SLOW_BATCH_DETECTED/{number}", rule="SLOW_BATCH_DETECTED", flag=flag,
                severity="warning", value=1200, threshold=1000, unit="ms", sample=400,
                summary=reason,
            )  # fmt: skip
            stream = alert_stream(flag, "SLOW_BATCH_DETECTED")
            return stream, raised, Actor.system("alert-rules"), 0, rollout, None
        case 3:
            denied = CommandDenied(
                command="set_percentage", method="POST", path="/", token="", address="::1",
                status=403, problem="NotPermitted", reason=reason,
            )  # fmt: skip
            return DENIAL_STREAM, denied, chance.choice(PEOPLE), 0, None, None
        case _:
            judged = WaveJudged(
                rollout=rollout, wave=1, as_of=number, judged_at=BEGIN, evaluator=1,
                evidence_digest="0" * 64, verdict="INCONCLUSIVE", reason=reason, judgements=(),
            )  # fmt: skip
            return judgement_stream(rollout), judged, SCHEDULER, 0, rollout, previous


def history(count: int, after: int) -> Iterator[tuple[NewEvent, int]]:
    """So many events, and when each is recorded."""
    chance = random.Random(after)
    previous: str | None = None
    for number in range(after, after + count):
        made = execution(number, chance)
        if number % 250 == 0:
            made = rare(number, chance, previous)
        stream, event, by, late_us, correlation, cause = made
        now = BEGIN + number * PACE_US
        id_ = str(UUID(int=(now // 1000) << 80 | 0x7 << 76 | 0x2 << 62 | number))
        new = NewEvent(
            stream=stream, event=event, id=id_, occurred_at=now - late_us, actor=by,
            correlation_id=correlation, causation_id=cause,
        )  # fmt: skip
        if number % 250 == 0:
            previous = id_
        yield new, now


def fill(database: Database, log: SqlLog, upto: int) -> None:
    """Bring the log to so many events: its own chain and statement, in large transactions."""
    head, versions = log.head(), dict[str, int]()
    with database.read() as cursor:
        cursor.execute("SELECT stream, MAX(version) FROM event_log GROUP BY stream")
        versions.update(cursor.fetchall())
    while head.position < upto:
        count = min(A_TRANSACTION, upto - head.position)
        rows = []
        for new, now in history(count, head.position):
            version = versions[new.stream] = versions.get(new.stream, 0) + 1
            more, head = chain(log.environment, head, now, [(new, version, encode(new.event))])
            rows += more
        with database.write() as cursor:
            cursor.executemany(database.sql(_INSERT), rows)
            moved = (head.position, head.hash, head.recorded_at, log.environment)
            cursor.execute(database.sql(_MOVE_HEAD), moved)
        print(f"\r  {head.position:,} events", end="", file=sys.stderr)


def questions(last: int) -> dict[str, Query | tuple[Query, tuple[Dimension, ...]]]:
    """What auditors ask, each with an answer of up to a few thousand events."""
    middle = BEGIN + last * PACE_US // 2
    hour = (middle, middle + HOUR)
    day = (middle, middle + DAY)
    return {
        "newest 100 of all": Query(newest_first=True, limit=100),
        "one stream, newest 100": Query(stream="executions-flag-0", newest_first=True, limit=100),
        "a slice, newest 1000": Query(type="flag.*", newest_first=True),
        "all but executions, newest 1000": Query(
            type=("flag.*", "rollout.*", "alert.*", "access.*"), newest_first=True
        ),
        "a rollout, all of it": Query(correlation_id="flag-3-r1", limit=5000),
        "a person, newest 1000": Query(actor="person-7", newest_first=True),
        "people, newest 1000": Query(kind="person", newest_first=True),
        "a service in 3 minutes (occurred)": Query(
            actor="service-0", since=middle, until=middle + 3 * MINUTE, limit=5000
        ),
        "a service in 3 minutes (recorded)": Query(
            actor="service-0", since=middle, until=middle + 3 * MINUTE, clock="recorded_at",
            limit=5000,
        ),
        "a type in a day": Query(type="flag.exposure_changed", since=day[0], until=day[1]),
        "executions in 2 minutes": Query(
            type="execution.*", since=middle, until=middle + 2 * MINUTE, limit=5000
        ),
        "a stream in 5 minutes": Query(
            stream="executions-flag-0", since=middle, until=middle + 5 * MINUTE, limit=5000
        ),
        "all in 2 minutes": Query(since=middle, until=middle + 2 * MINUTE, limit=5000),
        "a person's changes in a day": Query(
            actor="person-7", type="flag.*", since=day[0], until=day[1]
        ),
        "who is refused, in an hour": Query(type="access.*", since=hour[0], until=hour[1]),
        "a stream by a person": Query(stream="flag-flag-3", actor="person-7"),
        "a reason, in a day": Query(text="INC-77", since=day[0], until=day[1]),
        "what led to what": Query(causation_id=_id_of(last // 2 // 250 * 250)),
        "count by actor: changes in a day": (
            Query(type="flag.*", since=day[0], until=day[1]), ("actor",),
        ),
        "count by day and type: a rollout": (Query(correlation_id="flag-3-r1"), ("day", "type")),
        "count by type: 2 minutes": (
            Query(since=middle, until=middle + 2 * MINUTE), ("type",),
        ),
    }  # fmt: skip


def _id_of(number: int) -> str:
    now = BEGIN + number * PACE_US
    return str(UUID(int=(now // 1000) << 80 | 0x7 << 76 | 0x2 << 62 | number))


def median_ms(work: Callable[[], object]) -> float:
    """Of several rounds, the first one left out."""
    work()
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return statistics.median(took) * 1000


def measure(log: SqlLog) -> dict[str, tuple[float, int]]:
    """For each question the median, and how many events answer it."""
    found = {}
    for name, question in questions(log.head().position).items():
        if isinstance(question, Query):
            count = len(log.search(question))
            found[name] = median_ms(lambda asked=question: log.search(asked)), count
        else:
            count = sum(one.count for one in log.count(*question))
            found[name] = median_ms(lambda asked=question: log.count(*asked)), count
    return found


def main(url: str, sizes: list[int]) -> None:
    """One log that grows, measured at each size."""
    database = Database(url)
    bring_up_to_date(database)
    log = SqlLog(database, "production", lambda: BEGIN)
    columns = []
    for size in sizes:
        started = time.perf_counter()
        fill(database, log, size)
        if database.dialect == "postgresql":  # As its autovacuum does, some time later.
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE event_log")
        print(f", filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        columns.append(measure(log))
    heads = "".join(f"{size:>14,}{'':>9}" for size in sizes)
    print(f"\n{database.dialect + ', ms (events found)':<40}{heads}")
    for name in columns[0]:
        cells = "".join(f"{ms:>14.1f}{f'({count})':>9}" for ms, count in (c[name] for c in columns))
        print(f"{name:<40}{cells}")
    log.close()
    database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sqlite", help="A file to fill, or to go on with; default: a new one")
    parser.add_argument("--postgresql", help="postgresql://…; default: one of our own")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--events", type=float, nargs="+", default=[0.1, 1], help="In millions.")
    given = parser.parse_args()
    numbers = [round(millions * 1_000_000) for millions in given.events]
    with databases(given.postgresql) as (sqlite, postgresql):
        if given.only != "postgresql":
            main(f"sqlite:///{given.sqlite}" if given.sqlite else sqlite, numbers)
        if given.only != "sqlite":
            main(postgresql, numbers)
