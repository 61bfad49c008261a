"""The database forbids changes; who changes it nevertheless, is found out."""

from pathlib import Path

import pytest

from events.chain import Head
from events.database import Cursor, Database
from events.errors import ChainBroken, LogUnavailable
from events.log import EventLog, Query
from events.sql_log import SqlLog
from events.tables import event_log
from tests.conftest import Clock, only_postgresql, only_sqlite
from tests.events.builders import enabled, fact, facts, uuid

MARK = "of which there is but one"
ALTERATIONS = {
    "environment": "'staging'",
    "position": "99",
    "id": f"'{uuid(99)}'",
    "stream": "stream || ' '",
    "version": "99",
    "type": "'flag.disabled'",
    "schema_version": "2",
    "occurred_at": "occurred_at + 1",
    "recorded_at": "recorded_at - 1",
    "actor_kind": "'system'",
    "actor_id": "'Ann'",
    "actor_name": "''",
    "correlation_id": "''",
    "causation_id": "'x'",
    "data": "data || ' '",
    "hash": "(SELECT hash FROM event_log WHERE position = 1)",
}


@pytest.fixture
def log(database: Database, clock: Clock) -> SqlLog:
    log = SqlLog(database, "production", clock)
    log.append([*facts(1, 2), fact(3, event=enabled(MARK)), *facts(4, 5)])
    return log


def drop_triggers(database: Database, cursor: Cursor) -> None:
    names = ["event_log_no_update", "event_log_no_delete"]
    if database.dialect == "postgresql":
        names = ["event_log_append_only ON event_log"]
    for name in names:
        cursor.execute(f"DROP TRIGGER {name}")


def tamper(database: Database, *statements: str) -> None:
    with database.write() as cursor:
        drop_triggers(database, cursor)
        for statement in statements:
            cursor.execute(statement)


def broken_at(log: EventLog, witness: Head | None = None) -> object:
    with pytest.raises(ChainBroken) as caught:
        log.verify((witness,) if witness else ())
    return caught.value.details["position"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event_log SET data = '{}' WHERE position = 1",
        "UPDATE event_log SET actor_name = 'Eve'",
        "DELETE FROM event_log WHERE position = 3",
        "DELETE FROM event_log",
    ],
)
def test_the_database_refuses_to_change_the_log(
    log: SqlLog, database: Database, statement: str
) -> None:
    with pytest.raises(LogUnavailable, match="event_log is append-only"), database.write() as c:
        c.execute(statement)
    assert log.verify().position == 5


@only_postgresql
def test_the_database_refuses_to_empty_the_log(log: SqlLog, database: Database) -> None:
    with pytest.raises(LogUnavailable, match="event_log is append-only"), database.write() as c:
        c.execute("TRUNCATE event_log")
    assert log.verify().position == 5


def test_every_column_is_covered() -> None:
    assert list(ALTERATIONS) == [column.name for column in event_log.columns]


def test_an_altered_column_is_found(log: SqlLog, database: Database) -> None:
    tamper(database)
    for column, value in ALTERATIONS.items():
        with database.write() as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT * FROM event_log")
            cursor.execute(
                f"UPDATE event_log SET {column} = {value} WHERE position = 3"  # noqa: S608  why: ours
            )
        assert broken_at(log) == 3, column
        with database.write() as cursor:
            cursor.execute("DELETE FROM event_log")
            cursor.execute("INSERT INTO event_log SELECT * FROM kept")
            cursor.execute("DROP TABLE kept")
        assert log.verify().position == 5


@pytest.mark.parametrize(
    ("statements", "position"),
    [
        (["DELETE FROM event_log WHERE position = 1"], 1),
        (["DELETE FROM event_log WHERE position = 4"], 4),
        (["DELETE FROM event_log WHERE position = 5"], 5),
        (["DELETE FROM event_log"], 1),
        (
            [
                "DELETE FROM event_log WHERE position = 3",
                "UPDATE event_log SET position = position - 1 WHERE position = 4",
                "UPDATE event_log SET position = position - 1 WHERE position = 5",
                "UPDATE log_head SET position = 4",
            ],
            3,
        ),
        (
            [
                "UPDATE event_log SET position = 0 WHERE position = 2",
                "UPDATE event_log SET position = 2 WHERE position = 4",
                "UPDATE event_log SET position = 4 WHERE position = 0",
            ],
            2,
        ),
        (["UPDATE log_head SET position = 6"], 6),
        (["UPDATE log_head SET hash = (SELECT hash FROM event_log WHERE position = 4)"], 5),
        (["UPDATE log_head SET position = 0"], 0),
    ],
)
def test_a_deletion_a_swap_or_another_head_is_found(
    log: SqlLog, database: Database, statements: list[str], position: int
) -> None:
    tamper(database, *statements)
    assert broken_at(log) == position


def test_an_event_put_behind_the_head_is_found(log: SqlLog, database: Database) -> None:
    tamper(
        database,
        "CREATE TABLE forged AS SELECT * FROM event_log WHERE position = 5",
        f"UPDATE forged SET position = 6, version = 6, id = '{uuid(6)}'",  # noqa: S608  why: ours
        "INSERT INTO event_log SELECT * FROM forged",
    )
    assert broken_at(log) == 6


@pytest.mark.parametrize("position", [0, -7])
def test_an_event_put_before_the_first_is_found(
    log: SqlLog, database: Database, position: int
) -> None:
    tamper(
        database,
        "CREATE TABLE forged AS SELECT * FROM event_log WHERE position = 5",
        f"UPDATE forged SET position = {position}, version = 6, id = '{uuid(6)}'",  # noqa: S608  why: ours
        "INSERT INTO event_log SELECT * FROM forged",
    )
    assert broken_at(log) == position


def test_a_log_cut_off_together_with_its_head_needs_a_witness(
    log: SqlLog, database: Database
) -> None:
    noted = log.head()
    tamper(
        database,
        "DELETE FROM event_log WHERE position > 3",
        "UPDATE log_head SET position = 3, hash = (SELECT hash FROM event_log WHERE position = 3)",
    )
    assert log.verify().position == 3
    assert broken_at(log, noted) == 4


@only_sqlite
def test_text_that_is_no_text_is_found_and_named(log: SqlLog, database: Database) -> None:
    tamper(database, "UPDATE event_log SET data = CAST(x'7bff7d' AS TEXT) WHERE position = 3")
    assert broken_at(log) == 3


@only_sqlite
def test_a_value_of_another_type_is_found(log: SqlLog, database: Database) -> None:
    tamper(database, "UPDATE event_log SET hash = 7 WHERE position = 4")
    assert broken_at(log) == 4


def named_by_readers(log: EventLog, text: str | None = None) -> None:
    for reading in (log.read, lambda: log.search(Query(text=text, limit=9))):
        with pytest.raises(ChainBroken, match="altered at position 3: it cannot be read"):
            reading()


@pytest.mark.parametrize(
    "change",
    [
        'data = \'{"reason":"half a word\'',
        "data = '[1]'",
        "data = '{\"flag\":7}'",
        "occurred_at = 9223372036854775807",
        "version = -3",
    ],
)
def test_what_nobody_can_have_written_is_named_by_whoever_reads_it(
    log: SqlLog, database: Database, change: str
) -> None:
    tamper(database, f"UPDATE event_log SET {change} WHERE position = 3")  # noqa: S608  why: constants
    named_by_readers(log, "half a word" if "half" in change else None)


@only_sqlite
@pytest.mark.parametrize(
    "change", ["data = x'7b7d'", "stream = x'7b7d'", "recorded_at = 'noon'", "actor_id = x'00'"]
)
def test_another_type_is_named_by_whoever_reads_it(
    log: SqlLog, database: Database, change: str
) -> None:
    tamper(database, f"UPDATE event_log SET {change} WHERE position = 3")  # noqa: S608  why: constants
    named_by_readers(log)


@only_postgresql
def test_nothing_in_the_place_of_data_is_named_by_whoever_reads_it(
    log: SqlLog, database: Database
) -> None:
    tamper(
        database,
        "ALTER TABLE event_log ALTER data DROP NOT NULL",
        "UPDATE event_log SET data = NULL WHERE position = 3",
    )
    named_by_readers(log)


@only_sqlite
@pytest.mark.parametrize("bit", [0, 3, 5, 7])
def test_a_bit_that_flips_in_the_file_is_found(
    log: SqlLog, database: Database, clock: Clock, bit: int
) -> None:
    log.close()
    database.close()
    file = Path(database.url.database or "")
    content = bytearray(file.read_bytes())
    assert content.count(MARK.encode()) == 1
    content[content.index(MARK.encode())] ^= 1 << bit
    file.write_bytes(content)
    assert broken_at(SqlLog(database, "production", clock)) == 3


def test_progress_is_told_while_a_long_log_is_verified(log: SqlLog) -> None:
    log.append(facts(6, 6001))
    told: list[tuple[int, int]] = []
    log.verify(progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (6001, 6001)
    assert told == sorted(told)
    assert len(told) > 1
