"""Failures of the machine, files and memory, as errors that say what can be done: decided here only."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from kinsynth.errors import KinsynthError, OutOfMemory, TransientError, UserError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_BUSY = {errno.EAGAIN, errno.EBUSY, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ETIMEDOUT}
_PATH = {
    errno.EACCES,
    errno.EEXIST,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}
_TORCH_HAS_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


@contextmanager
def explained() -> Iterator[None]:
    """Let failures of the machine leave the block as errors of ours; also a decorator.

    Raises:
        UserError: ``machine.path``: a file or folder is missing, is something else, or may not be used.
        TransientError: ``machine.disk_full`` or ``machine.busy``.
        OutOfMemory: ``machine.memory``.
    """
    try:
        yield
    except (OSError, MemoryError, RuntimeError) as error:
        if (ours := explain(error)) is None:
            raise
        raise ours from error


def explain(error: BaseException | None) -> KinsynthError | None:
    """Give our error for a failure of the machine; None for anything else.

    Guarantees:
        Of the failure's own text only the name of the file and the system's word for the cause are kept.

    >>> explain(OSError(errno.ENOSPC, "No space left on device")).code
    'machine.disk_full'
    """
    if _is_memory(error):
        return OutOfMemory(
            "machine.memory",
            "The machine has less memory than the work needs.",
            remedy="Close other programs, take a smaller model or fewer rows, then try again.",
        )
    if not isinstance(error, OSError) or isinstance(error, BrokenPipeError):
        return None
    where = str(error.filename or "")
    cause = os.strerror(error.errno or 0)  # a library's own text could hold anything
    if error.errno in _FULL:
        return TransientError(
            "machine.disk_full",
            "No space is left on the disk.",
            where=where,
            remedy="Make room, then try again.",
        )
    if error.errno in _BUSY:
        message = f"The machine could not serve a file: {cause}."
        return TransientError("machine.busy", message, where=where, remedy="Try again.")
    if error.errno in _PATH:
        remedy = "Check the path and its rights."
        return UserError("machine.path", f"{cause}.", where=where, remedy=remedy)
    return None


def _is_memory(error: BaseException | None) -> bool:
    """Tell whether memory ended; torch says so in the words of a RuntimeError."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    words = str(error) if isinstance(error, RuntimeError) else ""
    return isinstance(error, MemoryError) or any(said in words for said in _TORCH_HAS_NO_MEMORY)
