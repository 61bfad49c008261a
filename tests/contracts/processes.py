"""What runs elsewhere, in threads and processes: writers of known events, and a follower."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from random import Random

from events import NewEvent
from events.database import Database
from events.errors import VersionConflict
from events.log import Query, follow
from events.sql_log import SqlLog
from tests.events.builders import fact

LAST = "the-end"
"""The stream of the event that tells a follower to stop."""
A_WRITER = 1_000_000
"""How far apart the numbers of two writers' events are."""


class ChangeOfMindError(Exception):
    """A transaction is given up on purpose."""


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311  why: reproducible, nothing to keep secret


def open_log(url: str) -> SqlLog:
    return SqlLog(Database(url), "production", lambda: time.time_ns() // 1000)


def batches(writer: int) -> Iterator[list[NewEvent]]:
    """One to twenty events at a time, over a few streams: always the same for one writer."""
    dice = chance(writer)
    number = writer * A_WRITER
    while True:
        size = dice.randint(1, 20)
        yield [fact(number + n, f"flag-{dice.randint(1, 5)}") for n in range(size)]
        number += size


def write(log: SqlLog, database: Database, writer: int, seconds: float) -> tuple[int, int]:
    """Append, roll back and conflict until the time is over; events kept and conflicts met."""
    dice = chance(writer)
    source = batches(writer)
    deadline = time.monotonic() + seconds
    kept = conflicts = 0
    while time.monotonic() < deadline:
        if dice.random() < 0.05:
            roll_back(database)
        expected = guess(log) if dice.random() < 0.2 else {}
        batch = next(source)
        try:
            log.append(batch, expected=expected)
            kept += len(batch)
        except VersionConflict:
            conflicts += 1
    return kept, conflicts


def guess(log: SqlLog) -> dict[str, int]:
    """An expectation that others are about to disprove."""
    newest = log.search(Query(stream="flag-1", newest_first=True, limit=1))
    return {"flag-1": newest[0].version if newest else 0}


def roll_back(database: Database) -> None:
    with suppress(ChangeOfMindError), database.write() as cursor:
        cursor.execute("UPDATE log_head SET position = position + 100")
        raise ChangeOfMindError


def write_in_threads(url: str, writers: range, seconds: float) -> list[tuple[int, int]]:
    log, database = open_log(url), Database(url)
    with ThreadPoolExecutor(len(writers)) as pool:
        return list(pool.map(lambda writer: write(log, database, writer, seconds), writers))


def tail(url: str) -> list[tuple[int, str]]:
    """Position and id of every event, as a follower meets them."""
    seen = []
    with closing(open_log(url)) as log:
        for event in follow(log, idle_timeout=20):
            seen.append((event.position, event.id))
            if event.stream == LAST:
                break
    return seen


def append_and_tell(url: str, writers: range, answers: Connection) -> None:
    """Append without end; tell (writer, number of the batch, positions) once it is answered."""
    log = open_log(url)
    telling = threading.Lock()

    def go_on(writer: int) -> None:
        for number, batch in enumerate(batches(writer)):
            positions = [receipt.position for receipt in log.append(batch)]
            with telling:
                answers.send((writer, number, positions))

    with ThreadPoolExecutor(len(writers)) as pool:
        list(pool.map(go_on, writers))
