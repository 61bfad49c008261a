"""Indexes that lead to any answer, and cost an append less."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PREFIX = "ix_event_log_environment"
_STRAYS = "abs(occurred_at - recorded_at) > 300000000"


def upgrade() -> None:
    for gone in ("actor_id_position", "correlation_id_position", "occurred_at", "recorded_at"):
        op.drop_index(f"{_PREFIX}_{gone}", "event_log")
    _create("actor_kind", "actor_id", "position")
    _create("correlation_id", "position", where="correlation_id IS NOT NULL")
    _create("causation_id", "position", where="causation_id IS NOT NULL")
    _create("type", "occurred_at", "position", where=_STRAYS)


def downgrade() -> None:
    for gone in (
        *("actor_kind_actor_id_position", "correlation_id_position"),
        *("causation_id_position", "type_occurred_at_position"),
    ):
        op.drop_index(f"{_PREFIX}_{gone}", "event_log")
    _create("actor_id", "position")
    _create("correlation_id", "position")
    _create("occurred_at")
    _create("recorded_at")


def _create(*columns: str, where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        f"{_PREFIX}_{'_'.join(columns)}",
        "event_log",
        ["environment", *columns],
        sqlite_where=condition,
        postgresql_where=condition,
    )
