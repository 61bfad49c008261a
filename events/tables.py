"""The log's tables. `event_log` is only ever inserted into; triggers see to that."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from events.timestamps import MINUTE

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# Compared byte by byte everywhere, so that ranges mean the same on every database.
CODE = String(63).with_variant(String(63, collation="C"), "postgresql")

metadata = MetaData(naming_convention=NAMING)

STRAY_US = 5 * MINUTE
"""An event that happened further than this from when it was recorded is a stray."""
LATE = f"recorded_at - occurred_at > {STRAY_US}"
"""What holds for a stray that was told late, as by a client that had been offline."""
EARLY = f"occurred_at - recorded_at > {STRAY_US}"
"""What holds for one that was told before it happened, by a clock that is wrong. There are few."""


def _partial(condition: str, *columns: str, name: str | None = None) -> Index:
    where = text(condition)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


# The environment leads every key, so that a distributed SQL engine can shard by it.
event_log = Table(
    "event_log",
    metadata,
    Column("environment", String(63), nullable=False),
    Column("position", BigInteger, nullable=False, autoincrement=False),
    Column("id", String(36), nullable=False),
    Column("stream", String(255), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("type", CODE, nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor_kind", String(15), nullable=False),
    Column("actor_id", String(255), nullable=False),
    Column("actor_name", String(255), nullable=False),
    Column("correlation_id", String(255)),
    Column("causation_id", String(36)),
    Column("data", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("environment", "position"),
    UniqueConstraint("environment", "id"),
    UniqueConstraint("environment", "stream", "version"),
    Index(None, "environment", "type", "position"),
    Index(None, "environment", "actor_kind", "actor_id", "position"),
    # The most events, executions, belong to nothing and have no cause: they cost nothing here.
    _partial("correlation_id IS NOT NULL", "environment", "correlation_id", "position"),
    _partial("causation_id IS NOT NULL", "environment", "causation_id", "position"),
    # Times lead to positions by halving, since recorded_at never falls. What happened long before
    # or after it was recorded is not found so: it is here.
    *(
        _partial(told, "environment", "type", "occurred_at", "position", name=name)
        for told, name in ((LATE, "ix_event_log_late"), (EARLY, "ix_event_log_early"))
    ),
)

log_head = Table(
    "log_head",
    metadata,
    Column("environment", String(63), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("environment"),
)
