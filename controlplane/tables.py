"""What the schedulers share. What is in it is of the moment; history is in the log."""

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
)

from events.tables import NAMING

metadata = MetaData(naming_convention=NAMING)

leases = Table(
    "leases",
    metadata,
    Column("environment", String(63), nullable=False),
    Column("name", String(63), nullable=False),
    Column("holder", String(255), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("ttl_us", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("environment", "name"),
)

MOST_ERROR = 500
"""Characters of an error that are kept."""

webhook_standings = Table(
    "webhook_standings",
    metadata,
    Column("environment", String(63), nullable=False),
    Column("name", String(63), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column("delivered_at", BigInteger, nullable=False),
    Column("error", String(MOST_ERROR), nullable=False),
    PrimaryKeyConstraint("environment", "name"),
)
