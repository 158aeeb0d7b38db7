"""Summaries of sets of rows: one number, or the code of one category, for each parent. Plain numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kinsynth.columns.base import Rows
from kinsynth.columns.sketch import Numbers


@dataclass(frozen=True)
class Sets:
    """The known values of some parents, those of one parent together.

    Attributes:
        value_R: Values, none missing, shape (R,).
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        start_G: First row of each parent that has any, shape (G,).
    """

    value_R: Numbers
    parent_R: Rows
    start_G: Rows

    @property
    def lengths(self) -> Rows:
        """Number of rows of each parent that has any."""
        return np.diff(self.start_G, append=len(self.value_R))


def _mean(sets: Sets) -> Numbers:
    return np.asarray(np.add.reduceat(sets.value_R, sets.start_G) / sets.lengths, dtype=np.float64)


def _largest(sets: Sets) -> Numbers:
    return np.maximum.reduceat(sets.value_R, sets.start_G)


def _spread(sets: Sets) -> Numbers:
    return _largest(sets) - np.minimum.reduceat(sets.value_R, sets.start_G)


def _deviation(sets: Sets) -> Numbers:
    centred_R = sets.value_R - np.repeat(_mean(sets), sets.lengths)
    return np.asarray(np.sqrt(np.add.reduceat(centred_R**2, sets.start_G) / sets.lengths), dtype=np.float64)


def _first(sets: Sets) -> Numbers:
    return sets.value_R[sets.start_G]


def _last(sets: Sets) -> Numbers:
    last_G: Numbers = sets.value_R[sets.start_G + sets.lengths - 1]
    return last_G


def _repeated(sets: Sets) -> Numbers:
    """Give the share of rows, but for the first, that have the value of the row before, 0 for one row."""
    same_R = np.zeros(len(sets.value_R))
    same_R[1:] = sets.value_R[1:] == sets.value_R[:-1]
    same_R[sets.start_G] = 0
    return np.asarray(np.add.reduceat(same_R, sets.start_G) / np.maximum(sets.lengths - 1, 1))


def _distinct(sets: Sets) -> Numbers:
    _, new_R = _sorted(sets)
    return np.add.reduceat(new_R.astype(np.float64), sets.start_G)


def _most_frequent(sets: Sets) -> Numbers:
    """Give the value that most rows of each parent have, the smallest of several."""
    sorted_R, new_R = _sorted(sets)
    start_S = np.flatnonzero(new_R)
    rows_S, owner_S = np.diff(start_S, append=len(sorted_R)), sets.parent_R[start_S]
    best = np.lexsort((-rows_S, owner_S))
    return sorted_R[start_S[best[np.flatnonzero(np.diff(owner_S[best], prepend=-1))]]]


def _sorted(sets: Sets) -> tuple[Numbers, Rows]:
    """Sort the values of each parent, and say where a new value begins."""
    sorted_R = sets.value_R[np.lexsort((sets.value_R, sets.parent_R))]
    new_R = np.ones(len(sorted_R), dtype=np.int64)
    new_R[1:] = (np.diff(sets.parent_R) != 0) | (np.diff(sorted_R) != 0)
    return sorted_R, new_R


STATISTICS: dict[str, Callable[[Sets], Numbers]] = {
    "mean": _mean,
    "spread": _spread,
    "deviation": _deviation,
    "largest": _largest,
    "first": _first,
    "last": _last,
    "most_frequent": _most_frequent,
    "distinct": _distinct,
    "repeated": _repeated,
}
OF_NUMBERS = ("mean", "spread", "deviation", "largest", "first", "last")
OF_CATEGORIES = ("most_frequent", "distinct", "repeated")
IN_ORDER = ("first", "last", "repeated")


def summarise(statistic: str, value_R: Numbers, parent_R: Rows, parents: int) -> Numbers:
    """Sum up the values of each parent's rows.

    Args:
        statistic: One of ``STATISTICS``.
        value_R: Values or codes, NaN where missing, shape (R,).
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        parents: Number of parents P.

    Returns:
        One number for each parent, NaN where it has no value, shape (P,).

    >>> summarise("mean", np.array([1.0, 3.0, np.nan]), np.array([0, 0, 1]), 2)
    array([ 2., nan])
    """
    known_R = ~np.isnan(value_R)
    value_R, parent_R = value_R[known_R], parent_R[known_R]
    result_P = np.full(parents, np.nan)
    if not len(value_R):
        return result_P
    sets = Sets(value_R, parent_R, np.flatnonzero(np.diff(parent_R, prepend=-1)))
    with np.errstate(over="ignore", invalid="ignore"):
        found_G = STATISTICS[statistic](sets)
    result_P[parent_R[sets.start_G]] = np.where(np.isfinite(found_G), found_G, np.nan)
    return result_P
