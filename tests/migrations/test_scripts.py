"""The scripts build the schema that the code declares, and take it down again."""

import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from controlplane import tables as lease_tables
from controlplane.migrations.upgrade import HEAD, bring_up_to_date, revision
from events import tables as log_tables
from events.database import Database
from projections import tables as row_tables

ROOT = Path(__file__).parents[2]
INI = Config(ROOT / "alembic.ini")
DECLARED = [log_tables.metadata, row_tables.metadata, lease_tables.metadata]
NAMES = {name for metadata in DECLARED for name in metadata.tables}


@pytest.fixture
def config(empty_url: str) -> Config:
    return Config(ROOT / "alembic.ini", cmd_opts=Namespace(x=[f"url={empty_url}"]))


def alembic(url: str, *words: str) -> str:
    done = subprocess.run(  # noqa: S603  why: our own words
        [sys.executable, "-m", "alembic", "-x", f"url={url}", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def revision_of(database: Database) -> str | None:
    with database.engine.connect() as connection:
        return revision(connection)


def test_the_scripts_lead_to_the_declared_tables(empty: Database) -> None:
    bring_up_to_date(empty)
    assert tables(empty) == NAMES | {"alembic_version"}
    with empty.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), DECLARED) == []


def test_the_declared_tables_would_be_missed_in_an_empty_database(empty: Database) -> None:
    with empty.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), DECLARED)


def test_down_to_the_base_and_up_again_leads_to_the_same(empty: Database, config: Config) -> None:
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    assert tables(empty) == {"alembic_version"}
    assert revision_of(empty) is None
    bring_up_to_date(empty)
    assert revision_of(empty) == HEAD
    assert tables(empty) > NAMES


def test_the_command_line_upgrades_what_it_is_pointed_at(
    empty_url: str, empty: Database, config: Config
) -> None:
    alembic(empty_url, "upgrade", "head")
    assert revision_of(empty) == HEAD
    command.check(config)


def test_the_command_line_can_print_what_it_would_do(empty_url: str, empty: Database) -> None:
    script = alembic(empty_url, "upgrade", "head", "--sql")
    assert all(f"CREATE TABLE {name}" in script for name in NAMES)
    assert script.count("CREATE TRIGGER") >= 1
    assert tables(empty) == set()


def test_what_is_known_as_the_newest_revision_is_the_newest_script() -> None:
    assert ScriptDirectory.from_config(INI).get_heads() == [HEAD]


def test_scripts_are_numbered_in_a_row_and_named_for_what_they_do() -> None:
    history = list(reversed(list(ScriptDirectory.from_config(INI).walk_revisions())))
    for number, script in enumerate(history, start=1):
        assert script.revision == f"{number:04}"
        assert script.down_revision == (f"{number - 1:04}" if number > 1 else None)
        assert re.fullmatch(rf"{script.revision}_[a-z0-9_]+\.py", Path(script.path).name)
        assert script.doc
        assert callable(script.module.downgrade)
    assert len(history) == len(list((ROOT / "controlplane/migrations/versions").glob("*.py")))


def test_a_new_script_gets_a_name_of_this_kind() -> None:
    assert INI.get_main_option("file_template") == "%(rev)s_%(slug)s"


def test_the_log_is_protected_from_the_first_moment(empty: Database) -> None:
    bring_up_to_date(empty)
    catalog = "pg_trigger" if empty.dialect == "postgresql" else "sqlite_master"
    column = "tgname" if empty.dialect == "postgresql" else "name"
    statement = text(f"SELECT {column} FROM {catalog} WHERE {column} LIKE 'event_log_%'")  # noqa: S608  why: constants
    with empty.engine.connect() as connection:
        names = {name for (name,) in connection.execute(statement)}
    expected = {
        "postgresql": {"event_log_append_only"},
        "sqlite": {"event_log_no_update", "event_log_no_delete"},
    }
    assert names >= expected[empty.dialect]
