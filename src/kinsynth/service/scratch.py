"""Scratch folders: where a process unpacks raw data to work on it; gone when the work or the process is."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kinsynth.system import crash

_GATE, _OWNER = ".gate", ".owner"


@contextmanager
def open_scratch(root: Path, name: str) -> Iterator[Path]:
    """Give a new private folder, and remove it afterwards.

    Args:
        root: Folder of all scratch folders of this machine.
        name: Name of the new one.
    """
    folder = root / name
    with _gate(root):
        folder.mkdir(mode=0o700)
        owner = (folder / _OWNER).open("w")
        fcntl.flock(owner, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        crash.point("scratch.before_removal")
        shutil.rmtree(folder, ignore_errors=True)  # a dying process may still write: what is left is swept
        owner.close()


def sweep(root: Path) -> int:
    """Remove the folders of processes that were killed; gives how many there were."""
    removed = 0
    with _gate(root):
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            with (folder / _OWNER).open("a") as owner:
                if _is_free(owner):
                    shutil.rmtree(folder)
                    removed += 1
    return removed


@contextmanager
def _gate(root: Path) -> Iterator[None]:
    """Let one process at a time make or sweep folders."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (root / _GATE).open("a") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _is_free(owner: IO[str]) -> bool:
    """Tell whether the process that made a folder is gone: the kernel let go of its lock."""
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
