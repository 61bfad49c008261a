"""A database that an earlier release filled is brought up to date with all that it holds."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from controlplane import ControlPlane
from controlplane.migrations.upgrade import HEAD, revision
from events.chain import Head
from events.database import Database
from events.sql_log import SqlLog
from tests.events.builders import fact
from tests.migrations.test_scripts import ROOT

EVENTS = 25


@pytest.fixture
def noted(empty: Database) -> Head:
    """The head of a log that was filled at schema 0001."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "controlplane/migrations"))
    with empty.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
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
