"""Store: bytes under names, each whole or absent; a folder, or a bucket."""

from __future__ import annotations

import errno
import fcntl
import functools
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from kinsynth.errors import UserError
from kinsynth.storage.cipher import Read
from kinsynth.system import crash
from kinsynth.system.failures import explained
from kinsynth.system.files import sync_folder

_PART = ".part."
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # a folder that has none: age is all there is
_UNKNOWN = "unknown"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Store(Protocol):
    """Where blobs are kept. Names are ours: letters, digits, dots and slashes.

    Every method raises ``TransientError`` where the store is away for now.
    """

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Keep the chunks under a name, in place of what was there; on the disk when this returns."""

    def open(self, name: str) -> AbstractContextManager[Read]:
        """Give what reads a blob.

        Raises:
            UserError: ``artefact.missing``.
        """

    def has(self, name: str) -> bool:
        """Tell whether a blob is there."""

    def remove(self, name: str) -> None:
        """Remove a blob; nothing happens when it is not there."""

    def names(self) -> Iterator[str]:
        """Give the names of all blobs."""

    def check(self) -> None:
        """Write, read and remove a blob.

        Raises:
            KinsynthError: The store cannot be used as it is set up.
        """

    def remove_parts(self, *, older_than_s: float, now: float) -> int:
        """Remove what writers that were killed left half written; gives how many there were.

        Args:
            older_than_s: Age from which on nobody writes any more, where it cannot be asked who does.
            now: Seconds since 1970.
        """


def missing(name: str) -> UserError:
    """Give the error about a blob that is gone."""
    return UserError(
        "artefact.missing",
        "The file is not in the artefact store any more.",
        where=name,
        remedy="Bring it back from a backup, or run the execution again.",
    )


class FolderStore:
    """A store in a folder.

    Args:
        folder: The folder, made when it is missing; only its owner may look into it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @explained()
    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Keep the chunks under a name: written beside it, synced, renamed."""
        final = self.folder / name
        self._make(final.parent)
        temporary, descriptor = _open_part(final)
        try:
            with os.fdopen(descriptor, "wb") as handle:
                for chunk in chunks:
                    handle.write(chunk)
                handle.flush()
                os.fsync(handle.fileno())
                crash.point("store.before_rename")
                temporary.replace(final)  # before its lock is let go
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(final.parent)
        crash.point("store.after_rename")

    @contextmanager
    def open(self, name: str) -> Iterator[Read]:
        """Give what reads a blob; it stays readable when the blob is replaced or removed meanwhile."""
        with explained():
            try:
                handle = (self.folder / name).open("rb")
            except FileNotFoundError:
                raise missing(name) from None
            with handle:
                yield handle.read

    def has(self, name: str) -> bool:
        """Tell whether a blob is there."""
        return (self.folder / name).is_file()

    @explained()
    def remove(self, name: str) -> None:
        """Remove a blob."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)

    @explained()
    def names(self) -> Iterator[str]:
        """Give the names of all blobs."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and not path.name.startswith(_PART):
                yield path.relative_to(self.folder).as_posix()

    def check(self) -> None:
        """Write and remove a blob."""
        try_out(self)

    @explained()
    def remove_parts(self, *, older_than_s: float, now: float) -> int:
        """Remove what writers that were killed left half written; gives how many there were.

        Its writer holds a lock on each, which the kernel lets go when the writer is gone: parts of this
        machine are removed then, and only then. Whether a writer on another machine that shares the folder,
        or one from before this machine was started anew, is gone cannot be asked: there the age decides.

        Args:
            older_than_s: Age from which on nobody writes any more, where it cannot be asked who does.
            now: Seconds since 1970 by the clock of the file system.
        """
        return sum(
            _remove_part(path, old=now - written_at > older_than_s)
            for path in self.folder.rglob(f"{_PART}*")
            if (written_at := _modified(path)) is not None
        )

    def _make(self, folder: Path) -> None:
        """Make a folder and those above it, each for its owner only."""
        if folder.is_dir():
            return
        if folder != self.folder:
            self._make(folder.parent)
        folder.mkdir(parents=folder == self.folder, exist_ok=True, mode=0o700)
        sync_folder(folder.parent)


def try_out(store: Store) -> None:
    """Write a small blob, read it and remove it.

    Raises:
        KinsynthError: The store refused, or gave other bytes back.
    """
    name, content = f"check/{secrets.token_hex(8)}", secrets.token_bytes(16)
    store.write(name, [content])
    with store.open(name) as read:
        if read(len(content) + 1) != content:
            raise UserError(
                "artefacts.unusable",
                "The artefact store gives other bytes back than were written.",
                where="KINSYNTH_ARTEFACTS",
                remedy="Look at the store; name another one.",
            )
    store.remove(name)


def _open_part(final: Path) -> tuple[Path, int]:
    """Make a file beside another one, for this process alone; gives path and descriptor, locked.

    Its name says under which start of which machine's system it was made: a lock is known there only.
    """
    while True:
        path = final.with_name(f"{_PART}{_read_boot()}.{final.name}.{secrets.token_hex(8)}")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _lock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:  # or else it was removed before it was locked
                return path, descriptor
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        os.close(descriptor)


def _remove_part(path: Path, *, old: bool) -> bool:
    """Remove a part whose writer is gone; tell whether it was."""
    if _read_boot() == _UNKNOWN or not path.name.startswith(f"{_PART}{_read_boot()}."):
        if old:
            path.unlink(missing_ok=True)
        return old
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        gone = _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB) or old
        if gone:
            path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    else:
        return gone
    finally:
        os.close(descriptor)


def _lock(descriptor: int, how: int) -> bool:
    """Lock a file; false where its file system has no locks.

    Raises:
        BlockingIOError: Somebody else has it, and ``how`` is not to wait.
    """
    try:
        fcntl.flock(descriptor, how)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


@functools.cache
def _read_boot() -> str:
    """Give the id of this start of the machine's system; ``unknown`` where none is given."""
    return _BOOT.read_text().strip() if _BOOT.exists() else _UNKNOWN


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None
