"""Keys of an installation: 32 bytes each, named by a short id; the newest encrypts, all decrypt."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from kinsynth.errors import InternalError, SettingsError, UserError
from kinsynth.settings.deployment import Deployment
from kinsynth.system.failures import explained
from kinsynth.system.files import sync_folder

BYTES = 32
NO_KEY = "0" * 16


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        secret: 32 bytes; never shown.
        id: 16 hexadecimal digits that follow from it and tell nothing about it.
    """

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Name the key."""
        return hashlib.sha256(b"kinsynth key id\x00" + self.secret).hexdigest()[:16]


@dataclass(frozen=True)
class Keys:
    """The keys of an installation.

    Attributes:
        all: The keys, the newest first.
        encrypts_files: Whether raw data, checkpoints and models are encrypted; secrets always are.
    """

    all: tuple[Key, ...]
    encrypts_files: bool

    @property
    def newest(self) -> Key:
        """Give the key that encrypts."""
        return self.all[0]

    def find(self, key_id: str) -> Key:
        """Give a key by its id.

        Raises:
            UserError: ``keys.missing``, something was encrypted with a key that is not given any more.
        """
        for key in self.all:
            if key.id == key_id:
                return key
        raise UserError(
            "keys.missing",
            f"Key {key_id} is needed to read what was encrypted with it.",
            where="KINSYNTH_KEY_FILE",
            remedy="Add the old key to the key file, below the newest.",
        )


@explained()
def load_keys(deployment: Deployment) -> Keys:
    """Read the keys that the settings name, or the one in the data folder, made when there is none.

    Raises:
        SettingsError: ``keys.file``, the file holds something else than keys.
    """
    if deployment.key_file is not None:
        return Keys(_read(deployment.key_file), encrypts_files=True)
    path = deployment.data / "keys"
    if not path.exists():
        _make(path)
    return Keys(_read(path), encrypts_files=False)


def make_key() -> str:
    """Make a key, as a line of a key file."""
    return base64.b64encode(secrets.token_bytes(BYTES)).decode()


def _make(path: Path) -> None:
    """Make the file of a new key; of several processes at once one wins, and its key is whole."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".keys.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(make_key() + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        temporary.unlink()


def _read(path: Path) -> tuple[Key, ...]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line and line[0] != "#"]
    if not numbered:
        raise _refusal(path, "no key is in it")
    return tuple(Key(_decode(path, number, line)) for number, line in numbered)


def _decode(path: Path, number: int, line: str) -> bytes:
    try:
        secret = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise _refusal(path, f"line {number} is not base64") from None
    if len(secret) != BYTES:
        raise _refusal(path, f"line {number} holds {len(secret)} bytes")
    if len(set(secret)) < BYTES // 4:
        raise _refusal(path, f"the key of line {number} is not random")
    return secret


def _refusal(path: Path, what: str) -> SettingsError:
    return SettingsError(
        "keys.file",
        f"The key file cannot be used: {what}; expected base64 of {BYTES} random bytes, one key a line.",
        where=str(path),
        remedy="Make a key with: head -c 32 /dev/urandom | base64",
    )


def tampered(where: str) -> InternalError:
    """Give the error about something encrypted that was changed, cut or moved."""
    return InternalError(
        "keys.tampered",
        "What was encrypted was changed afterwards, or its key is another one.",
        where=where,
        remedy="Bring it back from a backup.",
    )
