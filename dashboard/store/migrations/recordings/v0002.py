"""When a recorder was running, and what was thinned."""

import sqlalchemy as sa
from alembic import op

revision = "recordings_0002"
down_revision = "recordings_0001"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "span",
        sa.Column("id", key, nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.Column("build", sa.String(), nullable=False),
        sa.Column("style", sa.LargeBinary(length=16), nullable=False),
        sa.Column("ended", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "thinned",
        sa.Column("step_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("last_id", key, nullable=False),
        sa.PrimaryKeyConstraint("step_ms"),
    )
