"""Held reads with what was decided about them, and tickets until the end of their day."""

import sqlalchemy as sa
from alembic import op

revision = "figures_0003"
down_revision = "figures_0002"


def upgrade() -> None:
    op.create_table(
        "hold",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("guard", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("message_en", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.String()),
        sa.Column("generation", sa.Integer()),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("who", sa.String()),
        sa.Column("why", sa.Text()),
    )
    op.create_table(
        "ticket",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("key", sa.LargeBinary(16), primary_key=True),
        sa.Column("ticket", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
