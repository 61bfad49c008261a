"""What Alembic runs: from the command line, or with a connection of ours."""

from alembic import context
from sqlalchemy import Connection, MetaData

from controlplane import tables as lease_tables
from controlplane.settings import Settings
from events import tables as log_tables
from events.database import Database
from projections import tables as row_tables

target_metadata: list[MetaData] = [
    log_tables.metadata,
    row_tables.metadata,
    lease_tables.metadata,
]


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=target_metadata)
    with context.begin_transaction():
        context.run_migrations()


def _run() -> None:
    """Within the transaction of whoever called us, or in one of our own."""
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    address = context.get_x_argument(as_dictionary=True).get("url", Settings().database_url)
    database = Database(address)
    with database.engine.begin() as connection:
        _migrate(connection)
    database.close()


_run()
