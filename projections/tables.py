"""The read models' tables. Everything in them can be thrown away and computed again."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from events.tables import NAMING

metadata = MetaData(naming_convention=NAMING)

# One build of one projection: how far it has folded the log, and whether readers use it.
projection_builds = Table(
    "projection_builds",
    metadata,
    Column("environment", String(63), nullable=False),
    Column("projection", String(63), nullable=False),
    Column("build", Integer, nullable=False, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("active", Boolean(create_constraint=False), nullable=False),
    PrimaryKeyConstraint("environment", "projection", "build"),
)

# Compared byte by byte, so that ranges of keys mean the same on every database.
_KEY = String(511).with_variant(String(511, collation="C"), "postgresql")

# The folded states of a build, by key, as canonical JSON.
projection_rows = Table(
    "projection_rows",
    metadata,
    Column("environment", String(63), nullable=False),
    Column("projection", String(63), nullable=False),
    Column("build", Integer, nullable=False, autoincrement=False),
    Column("key", _KEY, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("environment", "projection", "build", "key"),
)

# States as they were at marks along the log, by key, as packed JSON; without a key: the mark.
projection_snapshots = Table(
    "projection_snapshots",
    metadata,
    Column("environment", String(63), nullable=False),
    Column("projection", String(63), nullable=False),
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("key", _KEY, nullable=False),
    Column("position", BigInteger, nullable=False, autoincrement=False),
    Column("state", LargeBinary, nullable=False),
    PrimaryKeyConstraint("environment", "projection", "version", "key", "position"),
)
