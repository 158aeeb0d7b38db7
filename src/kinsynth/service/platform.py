"""The platform: what every use case works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kinsynth.executions.dbos import DbosEngine
from kinsynth.executions.port import Engine
from kinsynth.service.analysis.analysts import Analysts
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.artefacts import Artefacts
from kinsynth.storage.keys import Keys, load_keys
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.stores import make_store
from kinsynth.system.failures import explained


@dataclass(frozen=True)
class Platform:
    """An open installation.

    Attributes:
        deployment: Its settings.
        records: Its database.
        artefacts: Its files.
        keys: Its keys.
        analysts: Child processes that read files.
        engine: What brings executions to workers.
    """

    deployment: Deployment
    records: Records
    artefacts: Artefacts
    keys: Keys
    analysts: Analysts
    engine: Engine

    @property
    def scratch(self) -> Path:
        """Folder in which the workers of this machine unpack raw data."""
        return self.deployment.data / "scratch" / "executions"

    def close(self) -> None:
        """End child processes and close all connections."""
        self.analysts.close()
        self.engine.close()
        self.records.close()


@explained()
def open_platform(deployment: Deployment) -> Platform:
    """Open an installation: its folder and its tables are made where they are missing.

    Raises:
        KinsynthError: A setting is wrong, or the database is away.
    """
    deployment.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    records = Records(deployment.database_url)
    migrate(records)
    return assemble(deployment, records)


@contextmanager
def opened_platform(deployment: Deployment) -> Iterator[Platform]:
    """Open an installation for a while."""
    platform = open_platform(deployment)
    try:
        yield platform
    finally:
        platform.close()


def assemble(deployment: Deployment, records: Records) -> Platform:
    """Put an installation together around its database, whose tables are of this version."""
    keys = load_keys(deployment)
    return Platform(
        deployment=deployment,
        records=records,
        artefacts=Artefacts(records, make_store(deployment), keys),
        keys=keys,
        analysts=Analysts(deployment),
        engine=DbosEngine(records, deployment.poll_s),
    )
