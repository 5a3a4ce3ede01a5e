"""Run by Alembic. The connection comes from dynamic_api.migrations."""

from alembic import context

from dynamic_api.core.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
