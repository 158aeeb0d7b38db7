"""Originals: a table that was copied equals its source, cell for cell and in the order of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def count_differences(table: pa.Table, original: pa.Table) -> int:
    """Count the rows that differ from the original's row at the same place.

    Other names, types or order of columns make every row differ; a lost or an added row differs.
    """
    most = int(max(table.num_rows, original.num_rows, 1))
    if table.column_names != original.column_names or table.schema.types != original.schema.types:
        return most
    rows = min(table.num_rows, original.num_rows)
    differs_R = np.zeros(rows, np.bool_)
    for left, right in zip(table.slice(0, rows).columns, original.slice(0, rows).columns, strict=True):
        differs_R |= _differing(left, right)
    return int(differs_R.sum()) + int(abs(table.num_rows - original.num_rows))


def _differing(left: pa.ChunkedArray, right: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Mark the places where two columns differ; missing equals missing, not-a-number equals itself."""
    left_missing_R, right_missing_R = left.is_null().to_numpy(), right.is_null().to_numpy()
    if pa.types.is_null(left.type):
        return np.zeros(len(left), np.bool_)
    unequal = pc.not_equal(left, right)
    if pa.types.is_floating(left.type):
        unequal = pc.and_(unequal, pc.invert(pc.and_(pc.is_nan(left), pc.is_nan(right))))
    marks_R: NDArray[np.bool_] = pc.fill_null(unequal, False).to_numpy() | (left_missing_R != right_missing_R)
    return marks_R
