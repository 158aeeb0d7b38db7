"""Removal of an execution: its rows, and the names of its files; blobs that nobody names are collected."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from kinsynth.service.receipts import write_receipt
from kinsynth.storage.files import Detached, detach
from kinsynth.storage.tables import downloads, events, executions, models, steps, tickets


def remove_execution(connection: Connection, execution_id: str) -> None:
    """Remove a finished execution with its model, downloads and files; what was made from it stays.

    What it had is written down in a receipt.
    """
    removed = [*remove_downloads(connection, execution_id), detach(connection, execution_id)]
    write_receipt(connection, "execution", execution_id, removed)
    for table in (models, events, steps):
        connection.execute(delete(table).where(table.c.execution_id == execution_id))
    children = executions.c.ancestor_id == execution_id
    connection.execute(update(executions).where(children).values(ancestor_id=None))
    connection.execute(delete(executions).where(executions.c.id == execution_id))


def remove_downloads(connection: Connection, execution_id: str) -> list[Detached]:
    """Remove the downloads of an execution with their tickets and files; gives what each lost."""
    mine = downloads.c.execution_id == execution_id
    made = connection.execute(select(downloads.c.id).where(mine)).scalars().all()
    connection.execute(delete(tickets).where(tickets.c.owner_id.in_(made)))
    connection.execute(delete(downloads).where(mine))
    return [detach(connection, one) for one in made]
