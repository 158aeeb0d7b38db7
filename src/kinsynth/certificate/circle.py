"""Circles in a table that references itself: rows that are their own ancestors."""

from __future__ import annotations

import numpy as np

from kinsynth.certificate.numbering import Keys, Numbers, find_rows, number_pairs


def count_circular(keys: Keys, among: Keys) -> int:
    """Count the rows of a table that reach themselves along a reference to the same table.

    Args:
        keys: The referencing columns.
        among: The referenced columns of the same table.

    Returns:
        Rows on a circle; a row that names itself is one. Rows that only lead into a circle are not counted.
    """
    return count_on_circles(find_rows(*number_pairs(keys, among)))


def count_on_circles(next_R: Numbers) -> int:
    """Count the rows on circles, given the next row of every row; -1 where there is none.

    Steps are doubled until they are at least as many as rows: then every row has stopped or stands on a
    circle, and the rows that are stood on are all rows of the circles. That takes log2(rows) passes.
    """
    rows = len(next_R)
    jump_R = np.append(next_R, -1)  # the last place is where -1 leads
    steps = 1
    while steps < rows and (jump_R >= 0).any():
        jump_R = jump_R[jump_R]
        steps *= 2
    stood_R = np.zeros(rows + 1, np.bool_)
    stood_R[jump_R] = True
    return int(stood_R[:rows].sum())
