"""How alembic runs here: on the connection, and in the transaction, that `schema.migrate` hands over."""

from __future__ import annotations

from alembic import context

from fleetscan.store.schema import VERSION_TABLE
from fleetscan.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
