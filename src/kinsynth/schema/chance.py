"""How likely it is that something holds in every row by accident."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

RowNumbers = NDArray[np.int64]
_ODDS = 1e-6
FEWEST_ROWS = 20
_REPEATS = 5


def nats() -> float:
    """Give the evidence, in natural logarithms of odds, from which something is no accident."""
    return -math.log(_ODDS)


def is_no_accident(
    left_R: RowNumbers, right_R: RowNumbers, end_R: RowNumbers, known_R: NDArray[np.bool_]
) -> bool:
    """Tell whether two kinds of rows would hardly have led to the same ends if these were given by chance.

    Each row pairs a row of one kind with one of another, and both lead to one end. Had the two ends of a row
    been dealt independently, in the shares in which they occur, a row would have agreed with the probability
    that two ends are equal; rows that repeat a pair, or close a ring of pairs, say nothing of their own.

    Args:
        left_R: Rows of the one kind, shape (R,).
        right_R: Rows of the other kind, shape (R,).
        end_R: The row both lead to, shape (R,).
        known_R: Which rows have all of these, shape (R,).
    """
    left, right, end = left_R[known_R], right_R[known_R], end_R[known_R]
    count = np.unique(end, return_counts=True)[1]
    if len(count) < 2:
        return False
    sides = count_distinct([left]) + count_distinct([right])
    ties = min(count_distinct([left, right]), sides - len(count))
    return bool(-ties * np.log(((count / len(end)) ** 2).sum()) >= nats())


def count_distinct(columns: Sequence[RowNumbers]) -> int:
    """Count the different rows of some columns."""
    return pl.DataFrame({str(place): column for place, column in enumerate(columns)}).n_unique()


def expected_repeats(columns: Sequence[RowNumbers], targets: int) -> float:
    """Give how many pairs of rows would agree on everything if the columns were dealt independently.

    Args:
        columns: The key, then others, each of shape (R,). The key alone would be dealt evenly.
        targets: How many rows the key could name.
    """
    rows = len(columns[0])
    pairs = rows * (rows - 1) / 2
    if len(columns) == 1:
        return pairs / max(targets, 1)
    return pairs * math.prod(_agreeing_pairs(column) / pairs for column in columns)


def never_repeats(columns: Sequence[RowNumbers], targets: int) -> bool:
    """Tell whether no combination repeats although chance would have repeated some.

    Args:
        columns: As for ``expected_repeats``.
        targets: How many rows the key could name.
    """
    rows = len(columns[0])
    if rows < FEWEST_ROWS or expected_repeats(columns, targets) < _REPEATS:
        return False
    return count_distinct(columns) == rows


def _agreeing_pairs(row_R: RowNumbers) -> float:
    count = np.unique(row_R, return_counts=True)[1].astype(np.float64)
    return float((count * (count - 1)).sum() / 2)


def expected_agreements(left_R: RowNumbers, right_R: RowNumbers) -> float:
    """Give in how many rows two columns would agree if they were dealt independently."""
    if not len(left_R):
        return 0.0
    top = int(max(left_R.max(), right_R.max())) + 1
    return float(np.bincount(left_R, minlength=top) @ np.bincount(right_R, minlength=top) / len(left_R))
