"""One object of each kind in the database, as if somebody had made them; for tests of who may see what."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import JSON, Table, insert

from kinsynth.service.people.proofs import digest, make_proof
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import (
    destinations,
    downloads,
    executions,
    models,
    shares,
    source_versions,
    sources,
    syntheses,
    synthesis_versions,
    tokens,
)


@dataclass(frozen=True)
class Objects:
    """Ids of one object of each kind, all of one owner."""

    source_id: str
    destination_id: str
    synthesis_id: str
    execution_id: str
    model_id: str
    download_id: str
    token_id: str

    def ids(self) -> dict[str, str]:
        """All ids by the name of their path parameter."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def add_objects(platform: Platform, owner_id: str, starter_id: str = "") -> Objects:
    """Make them; the execution was started by another where one is given."""
    made = Objects(*(make_id(kind) for kind in ("src", "des", "syn", "exe", "mod", "dow", "tok")))
    execution = {
        "synthesis_id": made.synthesis_id,
        "source_id": made.source_id,
        "owner_id": starter_id or owner_id,
        "kind": "run",
        "status": "succeeded",
    }
    with platform.records.write() as connection:
        for table, values in (
            (sources, {"id": made.source_id, "owner_id": owner_id, "version": 1}),
            (source_versions, {"source_id": made.source_id, "number": 1, "sealed_at": now()}),
            (destinations, {"id": made.destination_id, "owner_id": owner_id}),
            (
                syntheses,
                {"id": made.synthesis_id, "owner_id": owner_id, "source_id": made.source_id, "version": 1},
            ),
            (synthesis_versions, {"synthesis_id": made.synthesis_id, "number": 1, "author_id": owner_id}),
            (executions, {"id": made.execution_id, **execution}),
            (
                models,
                {"id": made.model_id, "execution_id": made.execution_id, "synthesis_id": made.synthesis_id},
            ),
            (
                downloads,
                {
                    "id": made.download_id,
                    "execution_id": made.execution_id,
                    "format": "csv",
                    "status": "ready",
                },
            ),
            (tokens, {"id": made.token_id, "user_id": owner_id, "secret_hash": digest(make_proof())}),
        ):
            connection.execute(insert(table).values(**_plain_values(table) | values))
    return made


def _plain_values(table: Table) -> dict[str, Any]:
    """Something for each column that needs a value; the caller says what matters."""
    found: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "created_at":
            found[column.name] = now()
        elif not column.nullable and not column.foreign_keys and not column.primary_key:
            found[column.name] = {} if isinstance(column.type, JSON) else column.type.python_type()
    return found


def share(platform: Platform, synthesis_id: str, user_id: str, level: str) -> None:
    """Share a synthesis."""
    with platform.records.write() as connection:
        connection.execute(
            insert(shares).values(synthesis_id=synthesis_id, user_id=user_id, level=level, created_at=now())
        )
