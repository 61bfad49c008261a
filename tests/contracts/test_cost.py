"""What an answer costs follows the answer, not the log: counted in what a database looks at."""

import sqlite3
from typing import Any, cast

import psycopg
import pytest

from events import Actor, NewEvent
from events.executions import BatchExecuted
from events.flags import FlagEnabled
from events.log import Dimension, Query
from events.sql_log import SqlLog
from events.sql_search import SqlSearch
from events.timestamps import HOUR, MINUTE, SECOND
from tests.conftest import Clock
from tests.contracts.conftest import OpenLog
from tests.events.builders import NOON, fact, uuid

LENGTHS = 1_200, 6_000
"""Events before the hour that is asked about, and as many after it."""
SERVICES = [Actor(kind="token", id=f"service-{n}") for n in range(5)]
PEOPLE = [Actor.person(f"person-{n}") for n in range(5)]
BLOCK = 300
END = NOON + BLOCK * SECOND
BATCH = 30
AT_MOST, A_FEW = 1.5, 600
"""How much more may be looked at where the log has five times the events: halving takes longer."""


def execution(number: int) -> BatchExecuted:
    return BatchExecuted(
        flag=f"flag-{number % 7}", cohort="on", unit="u", outcome="succeeded", duration_us=1
    )


def noise(number: int, now: int) -> NewEvent:
    """What goes on all day: executions, one of fifty told late; one of a hundred of people."""
    late = 6 * HOUR if number % 50 == 7 else 0
    if number % 100 == 0:
        changed = FlagEnabled(flag="other", reason="daily")
        by = PEOPLE[number // 100 % 4 + 1]
        return fact(number, "flag-other", event=changed, actor=by, occurred_at=now)
    stream = f"executions-flag-{number % 7}"
    by = SERVICES[number % 4 + 1]
    return fact(number, stream, event=execution(number), actor=by, occurred_at=now - late)


def asked_about(number: int, now: int) -> NewEvent:
    """The hour of an incident: some of it by somebody who does nothing else all day."""
    if number % 30 == 0:
        return fact(
            number,
            "flag-checkout",
            event=FlagEnabled(flag="checkout", reason="INC-7: by hand"),
            actor=PEOPLE[0],
            occurred_at=now,
            correlation_id="r-1",
            causation_id=uuid(number - 30),
        )
    return noise(number, now)


def fill(log: SqlLog, clock: Clock, length: int) -> None:
    """So many events a minute apart, those asked about, a second apart, and as many again."""
    clock.now = NOON - length * MINUTE
    for first, make, count, pace in (
        (1_000_000, noise, length, MINUTE),
        (BATCH, asked_about, BLOCK, SECOND),
        (2_000_000, noise, length, MINUTE),
    ):
        for start in range(0, count, BATCH):
            log.append([make(first + start + n, clock.now) for n in range(BATCH)])
            clock.advance(BATCH * pace)


class Meter:
    """Counts what a database does for an answer: SQLite its steps, PostgreSQL the rows it reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        fetch = SqlSearch._fetch

        def metered(search: SqlSearch, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
            if search._database.dialect == "sqlite":
                with search._database.read() as cursor:
                    connection = cast("sqlite3.Cursor", cursor).connection
                    connection.set_progress_handler(self._step, 1)
                    try:
                        cursor.execute(sql, parameters)
                        return cursor.fetchall()
                    finally:
                        connection.set_progress_handler(None, 1)
            explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}"
            ((plans,),) = fetch(search, explain, parameters)
            self.count += sum(rows_read(one["Plan"]) for one in plans)
            return fetch(search, sql, parameters)

        monkeypatch.setattr(SqlSearch, "_fetch", metered)

    def _step(self) -> int:
        self.count += 1
        return 0

    def cost(self, log: SqlLog, query: Query, by: tuple[Dimension, ...] | None) -> tuple[int, int]:
        """And how many events were found."""
        self.count = 0
        found = len(log.search(query)) if by is None else sum(n.count for n in log.count(query, by))
        return self.count, found


def rows_read(plan: dict[str, Any]) -> int:
    removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    own = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return round(own + sum(rows_read(one) for one in plan.get("Plans", ())))


HOUR_OF_IT: dict[str, Any] = {"since": NOON, "until": END}
QUESTIONS: dict[str, tuple[dict[str, Any], tuple[Dimension, ...] | None]] = {
    "the newest": ({"newest_first": True, "limit": 20}, None),
    "a time": (HOUR_OF_IT, None),
    "a time, by the other clock": (HOUR_OF_IT | {"clock": "recorded_at"}, None),
    "since a time": ({"since": NOON, "limit": 20}, None),
    "since a time, the newest": ({"since": NOON, "limit": 20, "newest_first": True}, None),
    "a service since a time": ({"since": NOON, "limit": 20, "actor": "service-2"}, None),
    "until a time, the newest": (
        {"until": END, "clock": "recorded_at", "limit": 20, "newest_first": True}, None,
    ),
    "a type in a time": (HOUR_OF_IT | {"type": "flag.*"}, None),
    "a frequent type in a time": (HOUR_OF_IT | {"type": "execution.*"}, None),
    "a stream in a time": (HOUR_OF_IT | {"stream": "executions-flag-3"}, None),
    "a service in a time": (HOUR_OF_IT | {"actor": "service-3"}, None),
    "a kind in a time": (HOUR_OF_IT | {"kind": "token"}, None),
    "people in a time": (HOUR_OF_IT | {"kind": "person"}, None),
    "who did little": ({"actor": "person-0"}, None),
    "who did little, of a frequent type": ({"actor": "person-0", "type": "execution.*"}, None),
    "a rare stream by a busy one": ({"stream": "flag-checkout", "kind": "token"}, None),
    "what belongs together": ({"correlation_id": "r-1"}, None),
    "what belongs together, by all": ({"correlation_id": "r-1", "kind": "person"}, None),
    "what it led to": ({"causation_id": uuid(30)}, None),
    "by its id": ({"id": uuid(60)}, None),
    "positions": ({"after": 500, "before": 600, "type": "execution.*"}, None),
    "a text in a time": (HOUR_OF_IT | {"text": "inc-7"}, None),
    "a time, by type": (HOUR_OF_IT, ("type",)),
    "what belongs together, by day": ({"correlation_id": "r-1"}, ("day",)),
    "a frequent type in a time, by actor": (HOUR_OF_IT | {"type": "execution.*"}, ("actor",)),
}  # fmt: skip


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    return Meter(monkeypatch)


def test_five_times_the_log_costs_the_same_answer_no_more(
    meter: Meter, open_log: OpenLog, url: str, clock: Clock
) -> None:
    costs: dict[str, list[tuple[int, int]]] = {}
    for length in LENGTHS:
        log = open_log(f"log-{length}")
        fill(log, clock, length)
        if url.startswith("postgresql"):  # As its autovacuum does, some time later.
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE event_log")
        for name, (asked, by) in QUESTIONS.items():
            costs.setdefault(name, []).append(meter.cost(log, Query(**asked), by))
    for name, ((short, some), (long, as_many)) in costs.items():
        assert some == as_many, name
        assert long <= AT_MOST * short + A_FEW, f"{name}: {short} became {long}"
