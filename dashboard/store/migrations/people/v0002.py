"""Modes of groups of screens that somebody switched on by hand."""

import sqlalchemy as sa
from alembic import op

revision = "people_0002"
down_revision = "people_0001"


def upgrade() -> None:
    op.create_table(
        "mode_override",
        sa.Column("screen_group", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("screen_group"),
    )
