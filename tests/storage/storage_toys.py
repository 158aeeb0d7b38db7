"""Stores and keys for tests."""

from __future__ import annotations

from pathlib import Path

from kinsynth.settings.deployment import Deployment
from kinsynth.storage.artefacts import Artefacts
from kinsynth.storage.keys import Keys, load_keys, make_key
from kinsynth.storage.records import Records
from kinsynth.storage.store import FolderStore


def make_keys(folder: Path, number: int = 1) -> Keys:
    """Make a key file with so many keys, as an operator would, and read it."""
    path = folder / "keys.txt"
    old = path.read_text().splitlines() if path.exists() else []
    path.write_text("\n".join([make_key() for _ in range(number)] + old))
    return load_keys(Deployment(data=folder, key_file=path))


def make_artefacts(records: Records, folder: Path, *, encrypted: bool = True) -> Artefacts:
    """Make artefacts in a folder."""
    keys = make_keys(folder) if encrypted else load_keys(Deployment(data=folder / "data"))
    return Artefacts(records, FolderStore(folder / "artefacts"), keys)
