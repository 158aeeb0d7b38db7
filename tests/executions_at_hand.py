"""Executions at hand for tests: rows with the people, the source and the synthesis they need."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select

from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions, sources, syntheses, users

TIMES = {"created_at": 0, "updated_at": 0}


def add_execution(records: Records, **values: Any) -> str:
    """Add a queued execution, with what it needs the first time, and give its id."""
    with records.write() as connection:
        if connection.execute(select(users.c.id).where(users.c.id == "usr_a")).first() is None:
            add_surroundings(connection)
        return insert_execution(connection, **values)


def insert_execution(connection: Connection, **values: Any) -> str:
    """Write the row of an execution, queued unless said otherwise, and give its id."""
    row = _ROW | {"id": make_id("exe"), "created_at": now()} | values
    connection.execute(insert(executions).values(row))
    return str(row["id"])


def read_row(records: Records, execution_id: str) -> Any:
    """Give an execution's row."""
    with records.read() as connection:
        return connection.execute(select(executions).where(executions.c.id == execution_id)).one()


def add_person(connection: Connection, user_id: str) -> None:
    """Write the row of a person."""
    said = {"id": user_id, "email": f"{user_id}@example.org", "name": "Ä", "role": "user"}
    connection.execute(insert(users).values(**said, status="active", **TIMES))


def add_surroundings(connection: Connection) -> None:
    """Write the rows that an execution needs: a person, a source and a synthesis."""
    add_person(connection, "usr_a")
    owned = {"owner_id": "usr_a", "name": "A", "version": 1}
    connection.execute(insert(sources).values(id="src_a", **owned, **TIMES))
    connection.execute(insert(syntheses).values(id="syn_a", source_id="src_a", **owned, **TIMES))


_ROW: dict[str, Any] = {
    "synthesis_id": "syn_a",
    "synthesis_version": 1,
    "source_id": "src_a",
    "source_version": 1,
    "owner_id": "usr_a",
    "name": "First",
    "kind": "run",
    "document": {},
    "request": {},
    "status": "queued",
    "epoch": 0,
    "lease_expires_at": 0,
    "attempt": 1,
    "losses": 0,
    "next_event": 1,
    "reserved_seconds": 0,
    "used_seconds": 0,
    "charged_seconds": 0,
    "reserved_rows": 0,
    "used_rows": 0,
}
