"""The command line: reads arguments, calls the pipeline, shows what it says. Does no work of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from types import FrameType

__all__ = ["main"]

_INTERRUPTED = 130


def main(words: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code: 0, 2, 70, 75 or 130.

    Args:
        words: The words after the program's name; None for those of this process.

    Guarantees:
        Ctrl-C shows no trace, also while the program is still being imported.
    """
    usual = signal.signal(signal.SIGINT, _leave)
    from kinsynth.cli.program import run

    try:
        signal.signal(signal.SIGINT, usual)
        run(words)
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None


def _leave(_number: int, _frame: FrameType | None) -> None:
    """End at once: nothing has begun that would have to be undone."""
    os._exit(_INTERRUPTED)
