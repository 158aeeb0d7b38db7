"""Calendar: a moment as a number of days, weeks or months, the day within, and the time of day.

A unit is chosen by code length: the one whose pairs of distance and day take the fewest bits given the day
of the row before, measured on roots that were not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Rows
from kinsynth.columns.scale import DAY_US, DayScale, MomentScale
from kinsynth.privacy.protection import Numbered, all_units

Unit = Literal["tick", "day", "week", "month"]
LAST_DAY = 31
THURSDAY = 3
BACK_OFF = 8.0
CLOSE_SHARE = 0.1
TOLD = 0.02
DAYS_OF = {"week": 7.0, "month": 365.25 / 12}


class Place(NamedTuple):
    """Where moments lie: the number of the unit, the day within it, the tick within the day."""

    period_R: Rows
    day_R: Rows
    time_R: Rows


@dataclass(frozen=True)
class Calendar:
    """Splits ticks into units of the calendar and joins them again.

    Attributes:
        per_day: Ticks of a day; 0 where ticks are no moments.

    Guarantees:
        ``join`` undoes ``split``. The last day of every month is day 31; a day that a month does not
        have is its last.

    >>> place = Calendar(per_day=1).split(np.array([58, 59]), "month")
    >>> place.period_R, place.day_R
    (array([1, 2]), array([31,  1]))
    """

    per_day: int

    @staticmethod
    def of(scale: Any) -> Calendar:
        """Give the calendar of a scale."""
        if isinstance(scale, MomentScale):
            return Calendar(DAY_US // scale.unit_us)
        return Calendar(1 if isinstance(scale, DayScale) and scale.unit == "day" else 0)

    def split(self, tick_R: Rows, unit: Unit) -> Place:
        """Give the places of ticks; what a unit does not have is 0."""
        if unit == "tick":
            return Place(tick_R, np.zeros_like(tick_R), np.zeros_like(tick_R))
        date_R, time_R = np.divmod(tick_R, self.per_day)
        return Place(*_split_days(date_R, unit), time_R)

    def join(self, place: Place, unit: Unit) -> Rows:
        """Give the ticks of places."""
        if unit == "tick":
            return place.period_R
        return _join_days(place.period_R, place.day_R, unit) * self.per_day + place.time_R

    def begin(self, period_R: Rows, unit: Unit) -> Rows:
        """Give the first tick of days, weeks or months."""
        first_R = np.full_like(period_R, unit == "month")
        return self.join(Place(period_R, first_R, np.zeros_like(period_R)), unit)

    def choose_unit(self, origin_R: Rows, tick_R: Rows, root_R: Numbered) -> Unit:
        """Choose how distances from an origin are counted: the unit of the shortest code."""
        known_R = counted_rows(root_R)
        if not self.per_day or known_R.all() or not known_R.any() or self._are_close(tick_R - origin_R):
            return "tick"
        bits = {
            unit: _distance_bits(origin_R // self.per_day, tick_R // self.per_day, unit, known_R)
            for unit in ("day", "week", "month")
        }
        best: Any = min(bits, key=lambda unit: bits[unit])
        return best if best != "day" else self._choose_time(origin_R, tick_R, known_R)

    def choose_absolute(self, tick_R: Rows, root_R: Numbered) -> Unit:
        """Choose how moments without an origin are counted: by months unless weekdays tell more."""
        known_R = counted_rows(root_R)
        if not self.per_day or known_R.all() or not known_R.any():
            return "tick"
        days = {unit: _split_days(tick_R // self.per_day, unit)[1] for unit in ("week", "month")}
        bits = {
            unit: code_length(day_R, np.zeros_like(day_R), known_R) - np.log2(DAYS_OF[unit])
            for unit, day_R in days.items()
        }
        return "week" if bits["week"] < min(bits["month"], -TOLD) else "month"

    def _are_close(self, distance_R: Rows) -> bool:
        """Tell whether many moments lie within an hour: a time of day of its own would part them."""
        return self.per_day >= 24 and bool((distance_R < self.per_day // 24).mean() > CLOSE_SHARE)

    def _choose_time(self, origin_R: Rows, tick_R: Rows, known_R: NDArray[np.bool_]) -> Unit:
        """Count days and times of day where hours of the day tell more than distances in hours."""
        hour = self.per_day // 24
        if hour < 1:
            return "tick"
        hours = Calendar(24)
        after, before = hours.split(tick_R // hour, "day"), hours.split(origin_R // hour, "day")
        apart = code_length(tick_R // hour - origin_R // hour, np.zeros_like(tick_R), known_R)
        symbol_R = (after.period_R - before.period_R) * 24 + after.time_R
        return "day" if code_length(symbol_R, before.time_R, known_R) < apart else "tick"


def code_length(symbol_R: Rows, context_R: Rows, known_R: NDArray[np.bool_]) -> float:
    """Give the bits a symbol takes given its context.

    Counts are taken from the known rows and measured on the others, so that more codes than the data
    bears cost bits. A context seen rarely leans on the shares of all.

    Args:
        symbol_R: What is coded.
        context_R: What is known when it is coded.
        known_R: Which rows are counted; the others are measured.
    """
    return float(code_lengths(symbol_R, context_R, known_R).mean())


def code_lengths(symbol_R: Rows, context_R: Rows, known_R: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the bits of the symbol of each row that is measured, in their order; as in ``code_length``."""
    symbols, symbol_R = np.unique(symbol_R, return_inverse=True)
    contexts, context_R = np.unique(context_R, return_inverse=True)
    pair_R = context_R * len(symbols) + symbol_R
    share_K = np.bincount(symbol_R[known_R], minlength=len(symbols)) + 0.5
    share_K /= share_K.sum()
    pairs = np.bincount(pair_R[known_R], minlength=len(symbols) * len(contexts))
    rows = np.bincount(context_R[known_R], minlength=len(contexts))
    chance_R = (pairs[pair_R] + BACK_OFF * share_K[symbol_R]) / (rows[context_R] + BACK_OFF)
    bits_R: NDArray[np.float64] = -np.log2(chance_R[~known_R])
    return bits_R


def counted_rows(root_R: Numbered) -> NDArray[np.bool_]:
    """Mark the rows of every other root: a code length is counted on them and measured on the others."""
    counted_R: NDArray[np.bool_] = all_units(root_R)[0] % 2 == 0
    return counted_R


def moment_bits(tick_R: Rows, known_R: NDArray[np.bool_], per_day: int) -> float:
    """Give the bits of a moment: as it is, or as day and time of day; of a day as it is, or as month and day.

    Args:
        tick_R: Moments, in ticks.
        known_R: Which rows are counted; the others are measured.
        per_day: Ticks of a day.
    """
    parts = Calendar(per_day).split(tick_R, "month" if per_day == 1 else "day")
    apart = (parts.period_R, parts.day_R if per_day == 1 else parts.time_R)
    return min(spread_bits(tick_R, known_R), sum(spread_bits(part_R, known_R) for part_R in apart))


def spread_bits(tick_R: Rows, known_R: NDArray[np.bool_]) -> float:
    """Give the bits of a whole number by a histogram of the known rows, measured on the others.

    Cells hold equal shares; a number that fills one has it alone.
    """
    known = tick_R[known_R]
    edges = np.quantile(known, np.linspace(0, 1, max(2, int(len(known) ** 0.5)) + 1), method="nearest")
    alone = edges[1:][edges[1:] == edges[:-1]]
    edges = np.unique(np.concatenate([edges, alone + 1, [tick_R.min(), tick_R.max() + 1]]))
    cell_R = np.searchsorted(edges, tick_R, side="right") - 1
    count_K = np.bincount(cell_R[known_R], minlength=len(edges) - 1) + 0.5
    bits_K = np.log2(np.diff(edges).astype(float)) - np.log2(count_K / count_K.sum())
    return float(bits_K[cell_R[~known_R]].mean())


def _distance_bits(origin_R: Rows, date_R: Rows, unit: Unit, known_R: NDArray[np.bool_]) -> float:
    period_R, day_R = _split_days(date_R, unit)
    before_R, context_R = _split_days(origin_R, unit)
    return code_length((period_R - before_R) * (LAST_DAY + 1) + day_R, context_R, known_R)


def _split_days(date_R: Rows, unit: Unit) -> tuple[Rows, Rows]:
    if unit == "month":
        month_R = months_of(date_R)
        day_R = date_R - first_days(month_R) + 1
        return month_R, np.where(day_R == _lengths(month_R), LAST_DAY, day_R)
    if unit == "week":
        return (date_R + THURSDAY) // 7, (date_R + THURSDAY) % 7
    return date_R, np.zeros_like(date_R)


def _join_days(period_R: Rows, day_R: Rows, unit: Unit) -> Rows:
    if unit == "month":
        return first_days(period_R) + np.minimum(day_R, _lengths(period_R)) - 1
    return period_R * 7 + day_R - THURSDAY if unit == "week" else period_R


def months_of(date_R: Rows) -> Rows:
    """Give the month that holds each day, both counted from January 1970.

    >>> months_of(np.array([-1, 0, 31]))
    array([-1,  0,  1])
    """
    month_R: Rows = date_R.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return month_R


def first_days(month_R: Rows) -> Rows:
    """Give the first day of each month, both counted from January 1970.

    >>> first_days(np.array([-1, 0, 1]))
    array([-31,   0,  31])
    """
    first_R: Rows = month_R.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return first_R


def _lengths(month_R: Rows) -> Rows:
    return first_days(month_R + 1) - first_days(month_R)
