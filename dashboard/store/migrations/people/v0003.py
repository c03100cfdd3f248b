"""Walls as devices: codes that walls show, tokens that take over, networks, render receipts."""

import sqlalchemy as sa
from alembic import op

revision = "people_0003"
down_revision = "people_0002"


def upgrade() -> None:
    op.add_column("device", sa.Column("network", sa.Text(), nullable=False, server_default=""))
    op.add_column("device", sa.Column("copied_at", sa.BigInteger(), nullable=True))
    op.add_column("device_session", sa.Column("follows", sa.LargeBinary(length=32), nullable=True))
    op.add_column("device_session", sa.Column("used_at", sa.BigInteger(), nullable=True))
    op.add_column("device_session", sa.Column("replaced_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "pairing",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("claim_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code_hash"),
        sa.UniqueConstraint("claim_hash"),
    )
    op.create_table(
        "wall",
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("faults", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("stream_since", sa.BigInteger(), nullable=True),
        sa.Column("stream_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_table(
        "wall_hour",
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("troubled", sa.Integer(), nullable=False),
        sa.Column("behind_seconds", sa.Integer(), nullable=False),
        sa.Column("heap_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "hour"),
    )
