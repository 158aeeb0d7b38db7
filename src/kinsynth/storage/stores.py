"""Stores: the one that the settings name."""

from __future__ import annotations

from kinsynth.errors import SettingsError
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.store import FolderStore, Store


def make_store(deployment: Deployment) -> Store:
    """Give the artefact store of an installation.

    Raises:
        SettingsError: ``artefacts.address``, the address is not understood.
    """
    if not deployment.artefacts:
        return FolderStore(deployment.data / "artefacts")
    raise SettingsError(
        "artefacts.address",
        "The address of the artefact store is not understood; expected s3://BUCKET/PREFIX.",
        where="KINSYNTH_ARTEFACTS",
        remedy="Correct the setting, or leave it empty for a folder in the data folder.",
    )
