"""Labels: one number for each row that stands for several of its numbers. No torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinsynth.encoded import RowArray


def join_labels(columns: Sequence[RowArray]) -> RowArray:
    """Give a label of each row, at least 0; two rows have the same where they agree in every column.

    Args:
        columns: Numbers from -1, at least one column, each of shape (R,).

    >>> join_labels([np.array([7, -1, 7, 7]), np.array([0, 0, 0, 2])]).tolist()
    [5, 1, 5, 7]
    """
    label_R = columns[0] + 1
    for column_R in columns[1:]:
        size = int(column_R.max(initial=-1)) + 2
        label_R = np.unique(label_R, return_inverse=True)[1] * size + column_R + 1
    return label_R


def join_known(columns: Sequence[RowArray], rows: int) -> RowArray:
    """Give a label of each row as ``join_labels`` does, but one of its own to a row with an unknown number.

    Args:
        columns: Numbers, -1 for unknown, each of shape (R,). Without a column all rows agree.
        rows: Number of rows R.

    >>> join_known([np.array([7, -1, -1, 7])], 4).tolist()
    [8, 9, 10, 8]
    """
    if not columns:
        return np.zeros(rows, dtype=np.int64)
    label_R = join_labels(columns)
    unknown = np.flatnonzero(np.any([column_R < 0 for column_R in columns], axis=0))
    label_R[unknown] = label_R.max(initial=-1) + 1 + np.arange(len(unknown))
    return label_R
