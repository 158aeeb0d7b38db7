"""An installation for tests: records, a folder of artefacts, a person, a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert

from kinsynth.service import quotas, sources
from kinsynth.service.actor import Actor
from kinsynth.service.platform import Platform, assemble
from kinsynth.settings.deployment import Deployment, read_deployment
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.records import Records
from kinsynth.storage.tables import users


class Submitted:
    """An engine that delivers to nobody and keeps what it was told."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[str, int]] = []

    def submit(self, execution_id: str, attempt: int) -> None:
        """Take a delivery."""
        self.deliveries.append((execution_id, attempt))


@contextmanager
def running_platform(records: Records, folder: Path, **settings: object) -> Iterator[Platform]:
    """Give an open platform in a folder."""
    deployment = read_deployment(
        data=folder, database=records.url.render_as_string(hide_password=False), **settings
    )
    platform = assemble(deployment, records)
    try:
        yield platform
    finally:
        platform.analysts.close()
        platform.engine.close()


def make_person(platform: Platform, role: str = "user") -> Actor:
    """Make somebody who may use the platform without limit."""
    user_id = make_id("usr")
    with platform.records.write() as connection:
        connection.execute(
            insert(users).values(
                id=user_id,
                email=f"{user_id}@example.org",
                name="Somebody",
                role=role,
                status="active",
                created_at=now(),
                updated_at=now(),
            )
        )
        quotas.grant_defaults(connection, user_id, platform.deployment)
    return Actor(user_id, role, "session")  # type: ignore[arg-type]


def make_source(platform: Platform, actor: Actor, folder: Path, name: str = "shops") -> str:
    """Make a source with one sealed version of all files of a folder."""
    source, _ = sources.create_source(platform, actor, name)
    version, _ = sources.open_version(platform, actor, source.id)
    for path in sorted(folder.iterdir()):
        sources.put_file(
            platform, actor, source.id, version.number, name=path.name, chunks=[path.read_bytes()]
        )
    sources.seal_version(platform, actor, source.id, version.number)
    return source.id


__all__ = ["Deployment", "make_person", "make_source", "running_platform"]
