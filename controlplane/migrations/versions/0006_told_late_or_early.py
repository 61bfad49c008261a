"""What was told late is looked for apart from what was told early: of that there is hardly any."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BOTH = "ix_event_log_environment_type_occurred_at_position"
_STRAYS = "abs(occurred_at - recorded_at) > 300000000"
_TOLD = {
    "ix_event_log_late": "recorded_at - occurred_at > 300000000",
    "ix_event_log_early": "occurred_at - recorded_at > 300000000",
}


def upgrade() -> None:
    op.drop_index(_BOTH, "event_log")
    for name, where in _TOLD.items():
        _create(name, where)


def downgrade() -> None:
    for name in _TOLD:
        op.drop_index(name, "event_log")
    _create(_BOTH, _STRAYS)


def _create(name: str, where: str) -> None:
    op.create_index(
        name,
        "event_log",
        ["environment", "type", "occurred_at", "position"],
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
