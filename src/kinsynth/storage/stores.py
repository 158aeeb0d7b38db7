"""Stores: the one that the settings name."""

from __future__ import annotations

from kinsynth.settings.deployment import Deployment
from kinsynth.storage.bucket import read_bucket
from kinsynth.storage.object_store import ObjectStore
from kinsynth.storage.store import FolderStore, Store


def make_store(deployment: Deployment) -> Store:
    """Give the artefact store of an installation; nothing is asked of it yet.

    Raises:
        SettingsError: ``artefacts.settings``, a setting is missing or not understood.
    """
    if not deployment.artefacts:
        return FolderStore(deployment.data / "artefacts")
    return ObjectStore(read_bucket(deployment))
