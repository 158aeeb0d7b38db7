"""The platform: what every use case works with."""

from __future__ import annotations

from dataclasses import dataclass

from kinsynth.service.analysts import Analysts
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.artefacts import Artefacts
from kinsynth.storage.keys import Keys
from kinsynth.storage.records import Records


@dataclass(frozen=True)
class Platform:
    """An open installation."""

    deployment: Deployment
    records: Records
    artefacts: Artefacts
    keys: Keys
    analysts: Analysts
