"""The platform: what every use case works with."""

from __future__ import annotations

from dataclasses import dataclass

from kinsynth.settings.deployment import Deployment
from kinsynth.storage.records import Records


@dataclass(frozen=True)
class Platform:
    """An open installation.

    Attributes:
        deployment: Its settings.
        records: Its database.
    """

    deployment: Deployment
    records: Records
