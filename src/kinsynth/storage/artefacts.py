"""Artefacts: files of the installation, kept by the SHA-256 of their content.

A row of ``artefacts`` is written before its blob, so that every blob is known; a row of ``files`` after it,
so that nobody is shown what is not there. A blob that no file names is garbage and is removed an hour after
it was last put, or at once when an owner gave it up. Who puts a blob and who removes it wait for each other
at its row, which says before that the blob goes: who put it earlier cannot name it any more, wherever a
removal is cut short.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

from sqlalchemy import ColumnElement, delete, exists, select, tuple_, update

from kinsynth.errors import InternalError
from kinsynth.storage import clock
from kinsynth.storage.cipher import Read, seal, unseal
from kinsynth.storage.keys import Key, Keys
from kinsynth.storage.records import Records
from kinsynth.storage.store import Store
from kinsynth.storage.tables import artefacts as rows
from kinsynth.storage.tables import files
from kinsynth.storage.upsert import upsert
from kinsynth.system import crash
from kinsynth.system.failures import explained

Label = Literal["original", "derived", "protected"]
LABELS: tuple[Label, ...] = ("original", "derived", "protected")
_ENCRYPTED: frozenset[Label] = frozenset({"original", "derived"})
REST_S, RELEASED, DOOMED = 3600.0, 0.0, -1.0
_REMOVED_AT_ONCE = 20


Check = Callable[[], None]


def no_check() -> None:
    """Let everything pass."""


@dataclass(frozen=True)
class Stored:
    """A file that is in the store.

    Attributes:
        digest: SHA-256 of its content, hexadecimal.
        label: ``original`` (raw data, checkpoints), ``derived`` (models) or ``protected`` (results).
        size: Bytes of its content.
        key_id: Key it is encrypted with, None for none.
    """

    digest: str
    label: Label
    size: int
    key_id: str | None = None


class Artefacts:
    """The files of an installation.

    Args:
        records: Where every blob has a row.
        store: Where blobs are.
        keys: Keys of the installation.
    """

    def __init__(self, records: Records, store: Store, keys: Keys) -> None:
        self._records, self.store, self._keys = records, store, keys

    @explained()
    def put_file(
        self, path: Path, label: Label, *, digest: str | None = None, check: Check = no_check
    ) -> Stored:
        """Keep a file.

        Args:
            path: The file; it may be replaced meanwhile, its content may not be changed in place.
            label: How sensitive it is.
            digest: SHA-256 of its content where it is known.
            check: Called with each chunk; what it raises ends this, and nothing is kept.

        Returns:
            What ``files.attach`` takes; until then the blob is garbage that rests for an hour.

        Raises:
            InternalError: ``artefact.changed``, the content is not of the digest, or was changed meanwhile.
            TransientError: The store or the database is away, or the disk is full.
        """
        with path.open("rb") as handle:
            return self._put(handle, label, digest, check)

    def _put(self, handle: BufferedReader, label: Label, digest: str | None, check: Check) -> Stored:
        if digest is None:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            handle.seek(0)
        size = os.fstat(handle.fileno()).st_size
        key = self._key(label)
        wanted = Stored(digest, label, size, key.id if key else None)
        known_key = self._announce(wanted)
        crash.point("artefacts.announced")
        name = blob_name(digest, label)
        if known_key != wanted.key_id or not self.store.has(name):
            self.store.write(name, seal(_checked(handle.read, digest, name, check), key))
            crash.point("artefacts.written")
        return wanted

    def _key(self, label: Label) -> Key | None:
        return self._keys.newest if self._keys.encrypts_files and label in _ENCRYPTED else None

    def _announce(self, wanted: Stored) -> str | None:
        """Write a blob's row, or touch it; gives the key of the blob if there is one already."""
        mine = (rows.c.digest == wanted.digest) & (rows.c.label == wanted.label)
        with self._records.write() as connection:
            said = {
                "digest": wanted.digest,
                "label": wanted.label,
                "size": wanted.size,
                "key_id": wanted.key_id,
            }
            upsert(connection, rows, [{**said, "created_at": clock.now()}], change=["size", "created_at"])
            key_id: str | None = connection.execute(select(rows.c.key_id).where(mine)).scalar_one()
            return key_id

    def read(self, digest: str, label: Label) -> Iterator[bytes]:
        """Give the content of a file in chunks.

        Raises:
            UserError: ``artefact.missing``; ``keys.missing``.
            InternalError: ``artefact.damaged``, ``keys.tampered``: at the latest after the last chunk.
            TransientError: The store is away.
        """
        name, running = blob_name(digest, label), hashlib.sha256()
        with self.store.open(name) as read:
            for chunk in unseal(read, self._keys, name):
                running.update(chunk)
                yield chunk
        if running.hexdigest() != digest:
            raise InternalError(
                "artefact.damaged",
                "The file in the artefact store is not what was put there.",
                where=name,
                remedy="Bring it back from a backup, or run the execution again.",
            )

    @explained()
    def fetch(self, digest: str, label: Label, path: Path, *, check: Check = no_check) -> None:
        """Write the content of a file to a path; what was there before stays when this fails.

        ``check`` is called with each chunk; what it raises ends this.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as handle:
                for chunk in self.read(digest, label):
                    check()
                    handle.write(chunk)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def collect(self, *, rest_s: float = REST_S) -> int:
        """Remove blobs that no file names.

        Args:
            rest_s: Seconds since it was last put during which a blob is left alone: somebody may be about
                to name it.

        Returns:
            How many were removed.
        """
        return self._collect(rows.c.created_at <= clock.now() - rest_s)

    def collect_released(self) -> int:
        """Remove blobs that an owner gave up and nobody else names; quicker than to look at all."""
        return self._collect(rows.c.created_at <= RELEASED)

    def _collect(self, old: ColumnElement[bool]) -> int:
        removed = 0
        while found := self._collect_some(old):
            removed += found
        return removed

    def _collect_some(self, old: ColumnElement[bool]) -> int:
        """Remove some; their rows are held meanwhile: who puts one of them again waits, and writes it."""
        unnamed = ~exists().where((files.c.digest == rows.c.digest) & (files.c.label == rows.c.label))
        wanted = select(rows.c.digest, rows.c.label).where(old, unnamed).limit(_REMOVED_AT_ONCE)
        with self._records.read() as connection:  # mostly there is none: ask without a lock
            if not connection.execute(wanted).first():
                return 0
        with self._records.write() as connection:
            held = connection.execute(wanted.with_for_update(skip_locked=True)).all()
            mine = tuple_(rows.c.digest, rows.c.label).in_([tuple(one) for one in held])
            # Asked again: somebody may have named one before we held its row.
            connection.execute(update(rows).where(mine, old, unnamed).values(created_at=DOOMED))
        crash.point("artefacts.doomed")
        with self._records.write() as connection:
            doomed = rows.c.created_at == DOOMED  # nobody has put it again
            gone = delete(rows).where(mine, doomed, unnamed).returning(rows.c.digest, rows.c.label)
            names = [blob_name(digest, label) for digest, label in connection.execute(gone)]
            for name in names:
                self.store.remove(name)
            crash.point("artefacts.removed")
        return len(names)

    def adopt(self) -> int:
        """Write a row for each blob that has none, as after a backup was restored; gives how many there were.

        Blobs that no file names are collected as any others.
        """
        with self._records.read() as connection:
            known = {blob_name(*one) for one in connection.execute(select(rows.c.digest, rows.c.label))}
        strangers = [name for name in self.store.names() if name not in known and _is_blob(name)]
        for name in strangers:
            label, _, digest = name.split("/")
            with self._records.write() as connection:
                said = {"digest": digest, "label": label, "size": 0, "key_id": _UNKNOWN_KEY}
                upsert(connection, rows, [{**said, "created_at": clock.now()}], change=["created_at"])
        return len(strangers)


_UNKNOWN_KEY = "unknown"  # no key's id: whoever puts the content again writes it again


def blob_name(digest: str, label: str) -> str:
    """Give the name of a blob."""
    return f"{label}/{digest[:2]}/{digest}"


def _is_blob(name: str) -> bool:
    label, _, rest = name.partition("/")
    return label in LABELS and rest.count("/") == 1


def _checked(read: Read, digest: str, name: str, check: Check) -> Read:
    """Read a content; at its end, refuse one that is not of the digest, before its blob gets a name."""
    running = hashlib.sha256()

    def checked(size: int) -> bytes:
        check()
        chunk = read(size)
        running.update(chunk)
        if len(chunk) < size and running.hexdigest() != digest:
            raise InternalError(
                "artefact.changed",
                "The file was changed while it was put into the artefact store.",
                where=name,
                remedy="Try again.",
            )
        return chunk

    return checked
