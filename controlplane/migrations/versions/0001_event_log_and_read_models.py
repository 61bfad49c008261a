"""The event log and the read models."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    code = sa.String(63).with_variant(sa.String(63, collation="C"), "postgresql")
    key = sa.String(511).with_variant(sa.String(511, collation="C"), "postgresql")
    op.create_table(
        "event_log",
        sa.Column("environment", sa.String(63), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("stream", sa.String(255), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("type", code, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("actor_kind", sa.String(15), nullable=False),
        sa.Column("actor_id", sa.String(255), nullable=False),
        sa.Column("actor_name", sa.String(255), nullable=False),
        sa.Column("correlation_id", sa.String(255)),
        sa.Column("causation_id", sa.String(36)),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("environment", "position", name="pk_event_log"),
        sa.UniqueConstraint("environment", "id", name="uq_event_log_environment_id"),
        sa.UniqueConstraint(
            "environment", "stream", "version", name="uq_event_log_environment_stream_version"
        ),
    )
    for columns in (
        ("environment", "type", "position"),
        ("environment", "actor_id", "position"),
        ("environment", "correlation_id", "position"),
        ("environment", "occurred_at"),
        ("environment", "recorded_at"),
    ):
        op.create_index(f"ix_event_log_{'_'.join(columns)}", "event_log", list(columns))
    op.create_table(
        "log_head",
        sa.Column("environment", sa.String(63), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("environment", name="pk_log_head"),
    )
    op.create_table(
        "projection_builds",
        sa.Column("environment", sa.String(63), nullable=False),
        sa.Column("projection", sa.String(63), nullable=False),
        sa.Column("build", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
        sa.PrimaryKeyConstraint(
            "environment", "projection", "build", name="pk_projection_builds"
        ),
    )
    op.create_table(
        "projection_rows",
        sa.Column("environment", sa.String(63), nullable=False),
        sa.Column("projection", sa.String(63), nullable=False),
        sa.Column("build", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("key", key, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "environment", "projection", "build", "key", name="pk_projection_rows"
        ),
    )
    _forbid_changes()


def _forbid_changes() -> None:
    """What is in the log stays as it is: the database itself says so."""
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER event_log_no_{verb.lower()} BEFORE {verb} ON event_log "
                "BEGIN SELECT RAISE(ABORT, 'event_log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION event_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'event_log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER event_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION event_log_is_append_only()"
    )
    # The head row is rewritten by every append: room in its page keeps that cheap.
    op.execute("ALTER TABLE log_head SET (fillfactor = 10)")


def downgrade() -> None:
    for table in ("projection_rows", "projection_builds", "log_head", "event_log"):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION event_log_is_append_only()")
