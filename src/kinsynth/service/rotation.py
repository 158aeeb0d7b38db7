"""Rotation: what is encrypted with an old key is encrypted with the newest."""

from __future__ import annotations

from kinsynth.service.platform import Platform
from kinsynth.storage.secrets import reencrypt


def rotate_keys(platform: Platform) -> int:
    """Encrypt every secret with the newest key; gives how many were changed. Files keep their key."""
    return reencrypt(platform.records, platform.keys)
