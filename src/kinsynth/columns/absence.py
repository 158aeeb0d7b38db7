"""Absences: long gaps of a sequence of moments, counted in days, with the time of day at which it goes on.

A gap of seconds tells rows of one evening apart; one of weeks, told coarsely, tells no time of day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinsynth.columns.base import Rows
from kinsynth.columns.calendar import TOLD, Place, code_length, counted_rows
from kinsynth.columns.step import Flags
from kinsynth.privacy.protection import Numbered, number_of_roots

LONG = 4  # a gap of this part of a day is an absence
HOURS = 24


@dataclass(frozen=True)
class Absences:
    """Which rows of a sequence come after an absence, and when.

    Attributes:
        long_R: Which rows do.
        day_R: Midnights passed since the row before.
        time_R: Tick within the day.
        per_day: Ticks of a day.
    """

    long_R: Flags
    day_R: Rows
    time_R: Rows
    per_day: int

    @staticmethod
    def of(tick_R: Rows, gap_R: Rows, per_day: int) -> Absences:
        """Find the absences of rows that lie some ticks behind the ones before them."""
        day_R, time_R = np.divmod(tick_R, per_day)
        return Absences(gap_R >= per_day // LONG, day_R - (tick_R - gap_R) // per_day, time_R, per_day)

    def place(self, gap_R: Rows) -> Place:
        """Give the gaps, and the days and times of absences."""
        return Place(gap_R, self.day_R, self.time_R)

    def step(self, before_T: Rows, step_T: Rows, turn: Rows) -> Rows:
        """Give the steps of some rows from the ticks before: those of absences end at their time of day.

        An absence that is none, because the time comes too early for it, lasts a day longer.
        """
        moved_T = (before_T // self.per_day + self.day_R[turn]) * self.per_day + self.time_R[turn] - before_T
        short_T = moved_T < self.per_day // LONG
        return np.where(self.long_R[turn], moved_T + self.per_day * short_T, step_T)


def are_told(tick_R: Rows, gap_R: Rows, root_R: Numbered, per_day: int, minimum: int) -> bool:
    """Tell whether hours of the day after absences differ by more than chance.

    Counted on the absences of every other root, measured on the others; ``minimum`` roots of each must have
    one, and as many other gaps.
    """
    if per_day < HOURS:
        return False
    long_R = gap_R >= per_day // LONG
    if number_of_roots(root_R[~long_R]) < minimum:
        return False
    hour_L, root_L = (tick_R % per_day * HOURS // per_day)[long_R], root_R[long_R]
    known_L = counted_rows(root_L)
    enough = min(number_of_roots(root_L[part_L]) for part_L in (known_L, ~known_L)) >= minimum
    return enough and bool(code_length(hour_L, np.zeros_like(hour_L), known_L) < np.log2(HOURS) - TOLD)
