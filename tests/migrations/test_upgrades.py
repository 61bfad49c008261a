"""A database that an earlier release filled is brought up to date with all that it holds."""

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from controlplane import ControlPlane
from controlplane.migrations.upgrade import HEAD, revision
from events.chain import Head
from events.database import Database
from events.log import Query
from events.sql_log import SqlLog
from events.timestamps import HOUR
from tests.events.builders import fact
from tests.migrations.test_scripts import ROOT

EVENTS = 25
SCRIPTS = Config()
SCRIPTS.set_main_option("script_location", str(ROOT / "controlplane/migrations"))


def move(database: Database, to: str) -> None:
    """Up or down to a revision."""
    with database.engine.begin() as connection:
        SCRIPTS.attributes["connection"] = connection
        ahead = (revision(connection) or "") < to
        (command.upgrade if ahead else command.downgrade)(SCRIPTS, to)
        assert revision(connection) == to


@pytest.fixture
def noted(empty: Database) -> Head:
    """The head of a log that was filled at schema 0001."""
    move(empty, "0001")
    log = SqlLog(empty, "production", lambda: 1)
    log.append([fact(number) for number in range(EVENTS)])
    return log.head()


def test_a_log_of_schema_0001_is_kept_and_goes_on(
    empty_url: str, empty: Database, noted: Head
) -> None:
    with empty.engine.connect() as connection:
        assert revision(connection) == "0001"
        assert not inspect(connection).has_table("leases")
    with ControlPlane(empty_url) as plane:
        assert plane.verify(expect=f"{noted.position}:{noted.hash.hex()}") == noted
        assert plane.head().position == EVENTS
        assert plane.schedule() is None
        one = plane.candidate("a", evaluates_every_us=1)
        assert one.renew()
        assert plane.verify().position == EVENTS + 1
    with empty.engine.connect() as connection:
        assert revision(connection) == HEAD
        assert connection.execute(text("SELECT holder, token FROM leases")).all() == [("a", 1)]


def test_the_log_of_schema_0001_stays_append_only(
    empty_url: str, empty: Database, noted: Head
) -> None:
    with ControlPlane(empty_url):
        pass
    with (
        empty.engine.connect() as connection,
        pytest.raises(Exception, match="event_log is append-only"),
    ):
        connection.execute(text("DELETE FROM event_log"))
    with empty.engine.connect() as connection:
        count = connection.execute(text("SELECT COUNT(*) FROM event_log")).scalar()
    assert count == noted.position


def test_every_step_down_and_up_again_keeps_the_log_and_its_answers(empty: Database) -> None:
    move(empty, HEAD)
    log = SqlLog(empty, "production", lambda: 9 * HOUR)
    times = [number * HOUR for number in range(EVENTS)]  # Told late, in time, and early.
    head = log.append([fact(n, occurred_at=at) for n, at in enumerate(times)])[-1].position
    in_between = Query(since=6 * HOUR, until=13 * HOUR)
    steps = sorted(
        script.revision for script in ScriptDirectory.from_config(SCRIPTS).walk_revisions()
    )
    for step in [*steps[-2::-1], *steps[1:]]:
        move(empty, step)
        assert [event.position for event in log.search(in_between)] == [7, 8, 9, 10, 11, 12, 13]
        assert log.head().position == head == EVENTS
    log.append([fact(EVENTS, occurred_at=7 * HOUR)])
    assert [event.position for event in log.search(in_between)][-1] == EVENTS + 1
