"""Removal of an execution: its rows, and the names of its files; blobs that nobody names are collected."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from kinsynth.storage.files import detach
from kinsynth.storage.tables import downloads, events, executions, models, steps, tickets


def remove_execution(connection: Connection, execution_id: str) -> None:
    """Remove a finished execution with its model, downloads and files; what was made from it stays."""
    made = select(downloads.c.id).where(downloads.c.execution_id == execution_id)
    for owner in (*connection.execute(made).scalars().all(), execution_id):
        connection.execute(delete(tickets).where(tickets.c.owner_id == owner))
        detach(connection, owner)
    for table in (downloads, models, events, steps):
        connection.execute(delete(table).where(table.c.execution_id == execution_id))
    children = executions.c.ancestor_id == execution_id
    connection.execute(update(executions).where(children).values(ancestor_id=None))
    connection.execute(delete(executions).where(executions.c.id == execution_id))
