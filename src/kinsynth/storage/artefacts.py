"""Artefacts: files of the installation, kept by the SHA-256 of their content.

A content has one row in ``artefacts`` at most, and the row names its blob. Blobs are named anew each time a
content gets a row, and a name that was given up is never used again:

    none --announce--> kept --condemn--> condemned --remove--> none
           (a row of artefacts)  (its name in condemned)

- *announce*: the row is written, or touched, before the blob is, so that every blob is known.
- *attach* (``storage.files``): a file names the content, where its row still names the blob that was put.
- *condemn*: where no file names a content and its rest is over, the row becomes a name in ``condemned``, in
  one transaction. From here on nobody can name that blob any more; who puts the content gets another one.
- *remove*: the blob is removed, outside of any transaction, and then its name from ``condemned``. Whoever
  looks next repeats what was cut short; a removal that comes late, or twice, meets only what is condemned.

A writer whose row was condemned before its blob was whole, as another owner named and gave up the same
content meanwhile, removes what it wrote. One thing is left: where it is killed just before it does, its blob
stays, which no row knows, until an installation is restored into the store.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

from sqlalchemy import ColumnElement, delete, exists, insert, select, tuple_, update

from kinsynth.errors import InternalError, KinsynthError, TransientError
from kinsynth.storage import clock
from kinsynth.storage.cipher import Read, seal, unseal
from kinsynth.storage.keys import Key, Keys
from kinsynth.storage.records import Records
from kinsynth.storage.store import Store
from kinsynth.storage.tables import artefacts as rows
from kinsynth.storage.tables import condemned, files
from kinsynth.storage.upsert import upsert
from kinsynth.system import crash
from kinsynth.system.failures import explained

Label = Literal["original", "derived", "protected"]
LABELS: tuple[Label, ...] = ("original", "derived", "protected")
_ENCRYPTED: frozenset[Label] = frozenset({"original", "derived"})
REST_S, RELEASED = 3600.0, 0.0
_TOUCHED_EVERY_S = 600.0
_AT_ONCE = 20


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
        blob: Name of its blob in the store.
    """

    digest: str
    label: Label
    size: int
    key_id: str | None
    blob: str


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
            TransientError: The store or the database is away, or the disk is full; ``artefact.collected``,
                this process stood still for an hour, or another owner gave up the same content meanwhile.
        """
        with path.open("rb") as handle:
            return self._put(handle, label, digest, check)

    def _put(self, handle: BufferedReader, label: Label, digest: str | None, check: Check) -> Stored:
        if digest is None:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            handle.seek(0)
        size = os.fstat(handle.fileno()).st_size
        key = self._key(label)
        stored, known_key = self._announce(digest, label, size, key.id if key else None)
        crash.point("artefacts.announced")
        if known_key != stored.key_id or not self.store.has(stored.blob):
            read = _checked(handle.read, stored, self._touching(stored.blob, check))
            self.store.write(stored.blob, seal(read, key))
            crash.point("artefacts.written")
            self._confirm(stored.blob)
        return stored

    def _key(self, label: Label) -> Key | None:
        return self._keys.newest if self._keys.encrypts_files and label in _ENCRYPTED else None

    def _announce(
        self, digest: str, label: Label, size: int, key_id: str | None
    ) -> tuple[Stored, str | None]:
        """Write a content's row, or touch it; gives also the key of the blob if there is one already."""
        said = {"digest": digest, "label": label, "size": size, "key_id": key_id}
        said |= {"blob": _name_blob(digest, label)}
        mine = (rows.c.digest == digest) & (rows.c.label == label)
        with self._records.write() as connection:
            upsert(connection, rows, [{**said, "created_at": clock.now()}], change=["size", "created_at"])
            known = connection.execute(select(rows.c.blob, rows.c.key_id).where(mine)).one()
        return Stored(digest, label, size, key_id, known.blob), known.key_id

    def _touching(self, blob: str, check: Check) -> Check:
        """Check, and touch the row now and then: what takes hours to be written is no garbage."""
        touched_at = time.monotonic()

        def checked() -> None:
            nonlocal touched_at
            check()
            if time.monotonic() - touched_at > _TOUCHED_EVERY_S:
                touched_at = time.monotonic()
                with self._records.write() as connection:
                    touched = update(rows).where(rows.c.blob == blob).values(created_at=clock.now())
                    if not connection.execute(touched).rowcount:
                        raise collected()

        return checked

    def _confirm(self, blob: str) -> None:
        """Remove a blob that was condemned while it was written: its removal may have come too early."""
        with self._records.read() as connection:
            kept = connection.execute(select(rows.c.blob).where(rows.c.blob == blob)).first()
        if kept is None:
            self.store.remove(blob)
            raise collected()

    def read(self, stored: Stored) -> Iterator[bytes]:
        """Give the content of a file in chunks.

        Raises:
            UserError: ``artefact.missing``; ``keys.missing``.
            InternalError: ``artefact.damaged``, ``keys.tampered``: at the latest after the last chunk.
            TransientError: The store is away.
        """
        running = hashlib.sha256()
        with self.store.open(stored.blob) as read:
            for chunk in unseal(read, self._keys, stored.blob):
                running.update(chunk)
                yield chunk
        if running.hexdigest() != stored.digest:
            raise InternalError(
                "artefact.damaged",
                "The file in the artefact store is not what was put there.",
                where=stored.blob,
                remedy="Bring it back from a backup, or run the execution again.",
            )

    @explained()
    def fetch(self, stored: Stored, path: Path, *, check: Check = no_check) -> None:
        """Write the content of a file to a path; what was there before stays when this fails.

        ``check`` is called with each chunk; what it raises ends this.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as handle:
                for chunk in self.read(stored):
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

        Raises:
            KinsynthError: A blob cannot be removed; those after it were, unless the store is away.
        """
        return self._collect(rows.c.created_at <= clock.now() - rest_s)

    def collect_released(self) -> int:
        """Remove blobs that an owner gave up and nobody else names; quicker than to look at all."""
        return self._collect(rows.c.created_at <= RELEASED)

    def _collect(self, old: ColumnElement[bool]) -> int:
        while self._condemn_some(old):
            crash.point("artefacts.condemned")
        removed, last, failure = 0, "", None
        while blobs := self._find_condemned(after=last):
            gone, failure = self._remove(blobs, failure)
            if failure and not gone:
                break  # the store is away, most likely
            removed, last = removed + self._write_down(gone), blobs[-1]
        if failure:
            raise failure
        return removed

    def _condemn_some(self, old: ColumnElement[bool]) -> int:
        """Condemn blobs of contents that no file names; gives how many, 0 when there are none."""
        unnamed = ~exists().where((files.c.digest == rows.c.digest) & (files.c.label == rows.c.label))
        wanted = select(rows.c.digest, rows.c.label).where(old, unnamed).limit(_AT_ONCE)
        with self._records.read() as connection:  # mostly there is none: ask without a lock
            if not connection.execute(wanted).first():
                return 0
        with self._records.write() as connection:
            held = connection.execute(wanted.with_for_update(skip_locked=True)).all()
            mine = tuple_(rows.c.digest, rows.c.label).in_([tuple(one) for one in held])
            # Asked again: somebody may have named one before we held its row.
            gone = connection.execute(delete(rows).where(mine, old, unnamed).returning(rows.c.blob)).scalars()
            blobs = [{"blob": blob} for blob in gone]
            if blobs:
                connection.execute(insert(condemned), blobs)
        return len(blobs)

    def _find_condemned(self, *, after: str) -> Sequence[str]:
        with self._records.read() as connection:
            some = select(condemned.c.blob).where(condemned.c.blob > after)
            return connection.execute(some.order_by(condemned.c.blob).limit(_AT_ONCE)).scalars().all()

    def _remove(
        self, blobs: Sequence[str], failure: KinsynthError | None
    ) -> tuple[list[str], KinsynthError | None]:
        """Remove condemned blobs; gives those that are gone, and the first failure."""
        gone = []
        for blob in blobs:
            try:
                self.store.remove(blob)
                gone.append(blob)
            except KinsynthError as error:
                failure = failure or error
        crash.point("artefacts.removed")
        return gone, failure

    def _write_down(self, blobs: Sequence[str]) -> int:
        """Write down what was removed; gives how many of these nobody wrote down meanwhile."""
        with self._records.write() as connection:
            return connection.execute(delete(condemned).where(condemned.c.blob.in_(blobs))).rowcount

    def condemn_strangers(self) -> int:
        """Condemn each blob that the records do not know, as what a store held before a backup was restored.

        Returns:
            How many there were; the next collection removes them.
        """
        found = [name for name in self.store.names() if _BLOB.fullmatch(name)]
        with self._records.write() as connection:  # read after the store: what is put meanwhile has its row
            known = {*connection.execute(select(rows.c.blob)).scalars()}
            known |= {*connection.execute(select(condemned.c.blob)).scalars()}
            strangers = [{"blob": name} for name in found if name not in known]
            if strangers:
                connection.execute(insert(condemned), strangers)
        return len(strangers)


_BLOB = re.compile(rf"(?:{'|'.join(LABELS)})/[0-9a-f]{{2}}/[0-9a-f]{{64}}\.[0-9a-f]{{16}}")


def _name_blob(digest: str, label: str) -> str:
    """Give a name that no blob had before."""
    return f"{label}/{digest[:2]}/{digest}.{secrets.token_hex(8)}"


def collected() -> TransientError:
    """Give the error about a blob that was removed before a file named it."""
    return TransientError(
        "artefact.collected",
        "A file was removed from the artefact store before it was named.",
        remedy="Put it again.",
    )


def _checked(read: Read, stored: Stored, check: Check) -> Read:
    """Read a content; at its end, refuse one that is not of the digest, before its blob gets a name."""
    running = hashlib.sha256()

    def checked(size: int) -> bytes:
        check()
        chunk = read(size)
        running.update(chunk)
        if len(chunk) < size and running.hexdigest() != stored.digest:
            raise InternalError(
                "artefact.changed",
                "The file was changed while it was put into the artefact store.",
                where=stored.blob,
                remedy="Try again.",
            )
        return chunk

    return checked
