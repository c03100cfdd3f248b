"""The index of waits holds what its own condition asks for: without it SQLite goes to the table for every row."""

import sqlalchemy as sa
from alembic import op

revision = "figures_0002"
down_revision = "figures_0001"

WHERE = sa.text("accepted_at IS NOT NULL AND deleted_at IS NULL")


def upgrade() -> None:
    op.drop_index("case_accepted", table_name="case")
    op.create_index(
        "case_accepted", "case", ["accepted_at", "dim", "submitted_at", "deleted_at"], unique=False,
        sqlite_where=WHERE, postgresql_where=WHERE,
    )
