"""Files in place of memory: mapped, and let go of, so that a process is as large as what it works on."""

from __future__ import annotations

import mmap
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAPPED: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def map_file(path: Path) -> mmap.mmap:
    """Map a file that is not empty; its content takes memory only where it is touched."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _MAPPED.add(mapped)
    return mapped


def allocate_in(folder: Path) -> Callable[[tuple[int, ...], np.dtype[Any]], NDArray[Any]]:
    """Give what makes arrays of zeros that are files of a folder; a file goes with its array."""
    folder.mkdir(parents=True, exist_ok=True)
    return partial(_allocate, folder)


def _allocate(folder: Path, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
    size = int(np.prod(shape)) * kind.itemsize
    if not size:
        return np.zeros(shape, kind)
    with TemporaryFile(dir=folder) as file:
        file.truncate(size)
        mapped = mmap.mmap(file.fileno(), size)
    _MAPPED.add(mapped)
    return np.frombuffer(mapped, kind).reshape(shape)


def let_go() -> None:
    """Drop the touched pages of all mapped files from this process; touched again, they come back."""
    if hasattr(mmap, "MADV_DONTNEED"):
        for mapped in list(_MAPPED):
            if not mapped.closed:
                mapped.madvise(mmap.MADV_DONTNEED)
