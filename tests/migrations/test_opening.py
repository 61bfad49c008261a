"""Opening a database brings it up to date, once, or refuses what it does not know."""

import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from sqlalchemy import text

from controlplane import ControlPlane
from controlplane.migrations.upgrade import HEAD, bring_up_to_date, revision
from events.database import Database
from events.errors import LogUnavailable, SchemaMismatch
from events.sql_log import SqlLog
from tests.events.builders import fact

OPENERS = 3
TOGETHER_SECONDS = 1.5
"""How long a process may take to start before all of them open the database."""


def open_and_append(url: str, number: int, at: float) -> int:
    """Wait for the moment, open the database and append one event; its position."""
    time.sleep(max(0.0, at - time.time()))
    with ControlPlane(url) as plane:
        return plane.log.append([fact(number)])[0].position


def test_processes_that_open_a_new_database_together_all_succeed(empty_url: str) -> None:
    at = time.time() + TOGETHER_SECONDS
    with ProcessPoolExecutor(OPENERS, get_context("spawn")) as pool:
        answers = [pool.submit(open_and_append, empty_url, n, at) for n in range(OPENERS)]
        assert sorted(answer.result() for answer in answers) == [1, 2, 3]
    with ControlPlane(empty_url) as plane:
        assert plane.verify().position == OPENERS


def test_threads_that_open_a_new_database_together_all_succeed(empty_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(open_and_append, empty_url, number, 0.0) for number in range(8)]
        assert sorted(answer.result() for answer in answers) == list(range(1, 9))


def test_opening_again_changes_nothing(empty: Database) -> None:
    for _ in range(3):
        bring_up_to_date(empty)
    with empty.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [
            (HEAD,)
        ]


@pytest.mark.parametrize("newer", ["9999", "0007", "0", "abcdef012345"])
def test_a_schema_that_this_release_does_not_know_is_refused(url: str, newer: str) -> None:
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": newer})
    refusal = rf"^The database is at schema {newer}, which this release \({HEAD}\) does not know"
    with pytest.raises(SchemaMismatch, match=refusal):
        ControlPlane(url)
    with database.engine.connect() as connection:
        assert revision(connection) == newer
    database.close()


def test_an_upgrade_that_fails_half_way_leaves_nothing_behind(empty: Database) -> None:
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE projection_rows (mine INTEGER)"))
    with pytest.raises(LogUnavailable, match="projection_rows"):
        bring_up_to_date(empty)
    with empty.engine.begin() as connection:
        assert revision(connection) is None
        connection.execute(text("DROP TABLE projection_rows"))
    bring_up_to_date(empty)
    assert SqlLog(empty, "production", lambda: 0).append([fact(1)])[0].position == 1


def test_opening_what_is_up_to_date_does_not_load_alembic(url: str) -> None:
    check = f"""
import sys
from controlplane import ControlPlane
with ControlPlane({url!r}):
    sys.exit("alembic" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", check], check=True)  # noqa: S603  why: our own words
