"""When a recorder was running, and what was thinned. Recordings of before name no span that vouches for them: they go."""

import sqlalchemy as sa
from alembic import op

revision = "recordings_0002"
down_revision = "recordings_0001"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.drop_index("recording_by_panel", table_name="recording")
    op.drop_table("recording")
    op.drop_table("body")
    op.create_table(
        "body",
        sa.Column("hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("zstd", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recorded",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "recording",
        sa.Column("id", key, nullable=False),
        sa.Column("panel", sa.Integer(), nullable=False),
        sa.Column("shape", sa.LargeBinary(length=16), nullable=False),
        sa.Column("props", sa.LargeBinary(length=16), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=True),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("recording_by_panel", "recording", ["panel", "from_at"], unique=False)
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
