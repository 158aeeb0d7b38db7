"""The platform: what every use case works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kinsynth.executions.port import Engine
from kinsynth.service.engines import open_engine
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.artefacts import Artefacts
from kinsynth.storage.keys import Keys, load_keys
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.stores import open_store


@dataclass(frozen=True)
class Platform:
    """An open installation.

    Attributes:
        deployment: Its settings.
        records: Its database.
        keys: Its keys.
        artefacts: Its files.
        engine: What brings executions to workers.
    """

    deployment: Deployment
    records: Records
    keys: Keys
    artefacts: Artefacts
    engine: Engine

    @property
    def scratch(self) -> Path:
        """Folder in which workers of this machine unpack raw data."""
        return self.deployment.data / "scratch"

    def close(self) -> None:
        """Close all connections."""
        self.engine.close()
        self.records.close()


def open_platform(deployment: Deployment) -> Platform:
    """Open an installation: its folder and its tables are made where they are missing.

    Raises:
        KinsynthError: A setting is wrong, or the database is away.
    """
    deployment.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = load_keys(deployment)
    records = Records(deployment.database_url)
    migrate(records)
    artefacts = Artefacts(records, open_store(deployment), keys)
    return Platform(deployment, records, keys, artefacts, open_engine(deployment))
