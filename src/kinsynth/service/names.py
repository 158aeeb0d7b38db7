"""Names: what people call their objects."""

from __future__ import annotations

from sqlalchemy import Connection, Table, update

from kinsynth.service.actor import Actor
from kinsynth.service.audit import record
from kinsynth.service.permissions import require
from kinsynth.storage.clock import now


def rename(
    connection: Connection, actor: Actor, operation: str, table: Table, object_id: str, *, name: str
) -> None:
    """Give an object another name; one that knows when it was changed last knows it from then on.

    Raises:
        AccessError: As ``permissions.require``.
    """
    require(connection, actor, operation, object_id)
    values = {"name": name} | ({"updated_at": now()} if "updated_at" in table.c else {})
    connection.execute(update(table).where(table.c.id == object_id).values(values))
    record(connection, actor, operation, object_id)
