"""Files in place of memory: mapped, and let go of, so that a process is as large as what it works on."""

from __future__ import annotations

import mmap
import weakref
from pathlib import Path

_MAPPED: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def map_file(path: Path) -> mmap.mmap:
    """Map a file that is not empty; its content takes memory only where it is touched."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _MAPPED.add(mapped)
    return mapped


def let_go() -> None:
    """Drop the touched pages of all mapped files from this process; touched again, they come back."""
    if hasattr(mmap, "MADV_DONTNEED"):
        for mapped in list(_MAPPED):
            if not mapped.closed:
                mapped.madvise(mmap.MADV_DONTNEED)
