"""Alembic's door: runs the changes on the connection that ``migrate`` holds."""

from __future__ import annotations

from alembic import context

from kinsynth.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
context.run_migrations()
