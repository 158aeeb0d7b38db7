"""Stopwatch: the time limit of one table's training, and the only place where a training reads a clock."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]


class Stopwatch:
    """Counts the seconds of a training and says what they still allow.

    Args:
        limit: Seconds the training may take; None for as long as it needs, and then the clock is never read.
        clock: Gives seconds since any moment, never less than before.
        spent: Seconds spent before, by the process whose training is taken up.
    """

    def __init__(self, limit: float | None, clock: Clock, spent: float = 0.0) -> None:
        self.limit, self._clock = limit, clock
        self._begin = 0.0 if limit is None else clock() - spent

    @property
    def spent(self) -> float:
        """Seconds so far; 0 without a limit."""
        return 0.0 if self.limit is None else self._clock() - self._begin

    def take_up(self, limit: float | None, spent: float) -> None:
        """Go on with the limit and the seconds of a saved training."""
        begin = 0.0 if limit is None else self._clock() - spent
        self.limit, self._begin = limit, begin

    def is_past(self, share: float, *, reserve: float) -> bool:
        """Tell whether a share of the limit, less the seconds held in reserve, has gone by."""
        return self.limit is not None and self.spent >= share * (self.limit - reserve)

    def steps_left(self, steps: int, *, reserve: float) -> int | None:
        """Give how many steps the limit still allows at the speed of the first ``steps``; None for any."""
        if self.limit is None:
            return None
        spent = self.spent
        return max(0, int((self.limit - reserve - spent) * steps / max(spent, 1e-9)))
