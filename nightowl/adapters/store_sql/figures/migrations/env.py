"""Runs migrations on the connection that ``store_sql.versions`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], transactional_ddl=True, version_table="figures_version"
)
context.run_migrations()
