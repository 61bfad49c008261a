"""Where a seek into the past begins."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "projection_snapshots",
        sa.Column("environment", sa.String(63), nullable=False),
        sa.Column("projection", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column(
            "key",
            sa.String(511).with_variant(sa.String(511, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("position", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint(
            "environment",
            "projection",
            "version",
            "key",
            "position",
            name="pk_projection_snapshots",
        ),
    )


def downgrade() -> None:
    op.drop_table("projection_snapshots")
