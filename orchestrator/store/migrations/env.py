"""Alembic's entry: migrates the connection that `orchestrator.store.schema` hands over.

The connection is in a transaction already, so that a migration happens as a whole or not at
all. A new migration is a file ``versions/NNNN_what.py`` with the next number as its revision;
a test compares where the migrations arrive with the tables.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
