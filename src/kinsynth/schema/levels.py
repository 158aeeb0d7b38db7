"""How deep each row of a table that references itself stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RowNumbers = NDArray[np.int64]


@dataclass(frozen=True)
class Levels:
    """The levels of the rows of a table that references itself.

    Attributes:
        level_R: 0 for a row that points at none or at itself, else one more than that of the row it points
            at, shape (R,).
        circular_R: Rows on a circle of two or more rows, shape (R,).
        cut_R: Of each such circle the row with the smallest number, which counts as pointing at none,
            shape (R,).
    """

    level_R: RowNumbers
    circular_R: NDArray[np.bool_]
    cut_R: NDArray[np.bool_]


def find_levels(row_R: RowNumbers) -> Levels:
    """Find the level of each row by doubling steps: about 2 log2(R) passes over the rows.

    Args:
        row_R: The row that each row points at, -1 for none, shape (R,).

    >>> find_levels(np.array([-1, 0, 1, 3, 5, 4])).level_R.tolist()
    [0, 1, 2, 0, 0, 1]
    """
    number_R = np.arange(len(row_R), dtype=np.int64)
    next_R = np.where(row_R == number_R, -1, row_R)
    circular_R = _on_circles(next_R)
    cut_R = circular_R & (_smallest_ahead(next_R, circular_R) == number_R)
    return Levels(_steps_to_top(np.where(cut_R, -1, next_R)), circular_R, cut_R)


def _doublings(rows: int) -> range:
    """Give as many numbers as doublings lead over all rows."""
    return range(max(rows, 1).bit_length())


def _on_circles(next_R: RowNumbers) -> NDArray[np.bool_]:
    """Mark the rows on circles: those that are reached after more steps than there are rows."""
    jump_R = next_R
    for _ in _doublings(len(next_R)):
        jump_R = np.append(jump_R, -1)[jump_R]
    marked_R = np.zeros(len(next_R), dtype=bool)
    marked_R[jump_R[jump_R >= 0]] = True
    return marked_R


def _smallest_ahead(next_R: RowNumbers, circular_R: NDArray[np.bool_]) -> RowNumbers:
    """Give for each row on a circle the smallest number along it."""
    smallest_R = np.arange(len(next_R), dtype=np.int64)
    jump_R = np.where(circular_R, next_R, smallest_R)
    for _ in _doublings(len(next_R)):
        smallest_R = np.minimum(smallest_R, smallest_R[jump_R])
        jump_R = jump_R[jump_R]
    return smallest_R


def _steps_to_top(next_R: RowNumbers) -> RowNumbers:
    """Count the steps until a row that points at none; there are no circles."""
    steps_R, jump_R = (next_R >= 0).astype(np.int64), next_R
    while (jump_R >= 0).any():
        steps_R = steps_R + np.append(steps_R, 0)[jump_R]
        jump_R = np.append(jump_R, -1)[jump_R]
    return steps_R
