"""Alembic's environment: runs the migrations of one store on the connection that ``migrate`` hands over."""

from alembic import context

from dashboard.store import tables, tables_recordings

METADATA = {"figures": tables.figures, "people": tables.people, "recordings": tables_recordings.recordings}

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA[context.config.attributes["store"]],
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
