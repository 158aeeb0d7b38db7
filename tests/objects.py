"""One object of each kind in the database, as if somebody had made them; for tests of who may see what."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import insert

from kinsynth.service.people.proofs import digest, make_proof
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import (
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
    made = Objects(
        make_id("src"), make_id("syn"), make_id("exe"), make_id("mod"), make_id("dow"), make_id("tok")
    )
    times = {"created_at": now(), "updated_at": now()}
    with platform.records.write() as connection:
        connection.execute(
            insert(sources).values(id=made.source_id, owner_id=owner_id, name="cells", version=1, **times)
        )
        connection.execute(
            insert(source_versions).values(
                source_id=made.source_id, number=1, digest="0" * 64, created_at=now(), sealed_at=now()
            )
        )
        connection.execute(
            insert(syntheses).values(
                id=made.synthesis_id,
                owner_id=owner_id,
                source_id=made.source_id,
                name="tins",
                version=1,
                **times,
            )
        )
        connection.execute(
            insert(synthesis_versions).values(
                synthesis_id=made.synthesis_id, number=1, document={}, author_id=owner_id, created_at=now()
            )
        )
        connection.execute(
            insert(executions).values(
                id=made.execution_id,
                synthesis_id=made.synthesis_id,
                synthesis_version=1,
                source_id=made.source_id,
                source_version=1,
                owner_id=starter_id or owner_id,
                name="first",
                kind="run",
                document={},
                request={},
                status="succeeded",
                epoch=1,
                lease_expires_at=0.0,
                attempt=1,
                losses=0,
                next_event=1,
                reserved_seconds=0.0,
                used_seconds=0.0,
                reserved_rows=0,
                used_rows=0,
                created_at=now(),
                finished_at=now(),
            )
        )
        connection.execute(
            insert(models).values(
                id=made.model_id,
                execution_id=made.execution_id,
                synthesis_id=made.synthesis_id,
                name="m",
                created_at=now(),
            )
        )
        connection.execute(
            insert(downloads).values(
                id=made.download_id,
                execution_id=made.execution_id,
                format="csv",
                status="ready",
                claimed_until=0.0,
                created_at=now(),
            )
        )
        connection.execute(
            insert(tokens).values(
                id=made.token_id,
                user_id=owner_id,
                name="t",
                description="",
                secret_hash=digest(make_proof()),
                hint="kst_xxxx",
                suspended=False,
                created_at=now(),
            )
        )
    return made


def share(platform: Platform, synthesis_id: str, user_id: str, level: str) -> None:
    """Share a synthesis."""
    with platform.records.write() as connection:
        connection.execute(
            insert(shares).values(synthesis_id=synthesis_id, user_id=user_id, level=level, created_at=now())
        )
