"""Ctrl-C: the first asks to stop at the next safe point, the second stops now."""

from __future__ import annotations

import signal
from types import FrameType

from kinsynth.errors import Interrupted


class Interruption:
    """Listens to the signals of Ctrl-C and of a polite end while the block runs."""

    def __init__(self) -> None:
        self._requested = False
        self._previous: dict[int, signal.Handlers | int | None] = {}

    def __enter__(self) -> Interruption:
        """Begin to listen."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._hear)  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def requested(self) -> bool:
        """Tell whether the user asked to stop."""
        return self._requested

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self._requested:
            raise Interrupted("execution.interrupted", "The execution was stopped at once.")
        self._requested = True
