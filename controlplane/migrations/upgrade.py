"""A database is brought to the schema that this release knows, or refused."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from events.database import Database
from events.errors import LogUnavailable, SchemaMismatch

HEAD = "0006"
"""The newest revision; a test holds it to the scripts. Asking Alembic takes longer than all
the rest of opening a database that is up to date."""

_LOCK = 7_305_821_450_261_904
"""Any number of our own: who upgrades a PostgreSQL database holds this advisory lock."""


def bring_up_to_date(database: Database) -> None:
    """Upgrade to HEAD, once, though many processes start together.

    Raises SchemaMismatch for a schema newer than this release, LogUnavailable.
    """
    try:
        with database.engine.connect() as connection:
            if revision(connection) == HEAD:
                return
        with database.engine.begin() as connection:
            # SQLite's transactions begin IMMEDIATE: they are lock enough.
            if database.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            if revision(connection) != HEAD:
                _upgrade(connection)
    except DBAPIError as error:
        cause = str(error.orig).strip().split("\n", 1)[0]
        raise LogUnavailable(cause=f"{cause} ({database.url.set(query={})})") from error


def revision(connection: Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  why: slow to import, seldom needed
    from alembic.config import Config  # noqa: PLC0415  why: idem
    from alembic.script import ScriptDirectory  # noqa: PLC0415  why: idem

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    found = revision(connection)
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    if found is not None and found not in {script.revision for script in scripts}:
        raise SchemaMismatch(found=found, known=HEAD)
    command.upgrade(config, "head")
