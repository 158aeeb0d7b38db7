"""Check keys on data: nulls, duplicates, orphans, and which row a foreign key names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.table import Relation

Family = Literal["number", "text", "date", "time", "datetime", "boolean", "none", "other"]

_SHOWN_ROWS = 20
_WHOLE = 2.0**53


@dataclass(frozen=True)
class KeyCheck:
    """What stands in the way of a primary key.

    Attributes:
        rows: Rows of the table.
        nulls: Rows with a missing value in a key column.
        duplicates: Rows whose key stands in an earlier row.
        null_rows: Numbers, from 1, of the first of these rows.
        duplicate_rows: Numbers, from 1, of the first of these rows.
    """

    rows: int
    nulls: int
    duplicates: int
    null_rows: tuple[int, ...] = ()
    duplicate_rows: tuple[int, ...] = ()

    @property
    def is_key(self) -> bool:
        """Whether every row has a key of its own."""
        return self.nulls == 0 and self.duplicates == 0


def check_primary_key(table: pa.Table, columns: Sequence[str]) -> KeyCheck:
    """Count missing and repeated keys.

    >>> check_primary_key(pa.table({"id": [1, 1, None]}), ["id"])
    KeyCheck(rows=3, nulls=1, duplicates=1, null_rows=(3,), duplicate_rows=(2,))
    """
    frame = key_frame(table, columns)
    missing = frame.select(pl.any_horizontal(pl.all().is_null()).alias("x"))["x"].to_numpy()
    repeated = ~frame.select(pl.struct(pl.all()).is_first_distinct().alias("x"))["x"].to_numpy() & ~missing
    return KeyCheck(
        table.num_rows,
        int(missing.sum()),
        int(repeated.sum()),
        _first_rows(missing),
        _first_rows(repeated),
    )


def _first_rows(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Number the first marked rows from 1."""
    return tuple(int(row) + 1 for row in np.flatnonzero(mask)[:_SHOWN_ROWS])


def row_numbers(child: pa.Table, relation: Relation, parent: pa.Table) -> NDArray[np.int64]:
    """Give the row of the parent that each row of the child names.

    Returns:
        Row numbers from 0, shape (rows of the child,); -1 where the key is missing or names no row.
        The first row counts when the referenced columns repeat.
    """
    left, right = _comparable_frames(child, relation, parent)
    names = left.columns
    right = right.with_row_index("row").unique(names, keep="first", maintain_order=True)
    joined = left.join(right, on=names, how="left", maintain_order="left")
    return joined["row"].cast(pl.Int64).fill_null(-1).to_numpy().astype(np.int64, copy=False)


def orphans(child: pa.Table, relation: Relation, parent: pa.Table) -> NDArray[np.bool_]:
    """Mark rows whose key is complete and names no row of the parent.

    >>> relation = Relation("orders", ("customer",), "customers", ("id",))
    >>> orphans(pa.table({"customer": [1, 9, None]}), relation, pa.table({"id": [1, 2]})).tolist()
    [False, True, False]
    """
    return (row_numbers(child, relation, parent) < 0) & ~missing_keys(child, relation.columns)


def missing_keys(table: pa.Table, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Mark rows with a missing value in one of the columns."""
    missing = np.zeros(table.num_rows, dtype=bool)
    for name in columns:
        missing |= table.column(name).is_null().to_numpy()
    return missing


def family(storage: pa.DataType) -> Family:
    """Give the family of types whose values can be compared with each other."""
    kinds = pa.types
    if kinds.is_integer(storage) or kinds.is_floating(storage) or kinds.is_decimal(storage):
        return "number"
    if kinds.is_string(storage) or kinds.is_large_string(storage) or kinds.is_string_view(storage):
        return "text"
    named: tuple[tuple[Family, bool], ...] = (
        ("date", kinds.is_date32(storage)),
        ("time", kinds.is_time(storage)),
        ("datetime", kinds.is_timestamp(storage) or kinds.is_date64(storage)),
        ("boolean", kinds.is_boolean(storage)),
        ("none", kinds.is_null(storage)),
    )
    return next((name for name, holds in named if holds), "other")


def comparable(left: pa.DataType, right: pa.DataType) -> bool:
    """Tell whether values of two types can be equal."""
    families = {family(left), family(right)}
    return len(families) == 1 or "none" in families


def key_frame(table: pa.Table, columns: Sequence[str]) -> pl.DataFrame:
    """Give key columns for comparison, named by their place; equal numbers are equal whatever their type."""
    return pl.DataFrame({str(place): comparison(table.column(name)) for place, name in enumerate(columns)})


def comparison(values: pa.ChunkedArray) -> pl.Series:
    """Give values in the form in which keys are compared: whole numbers as int64 where they fit."""
    series = pl.Series(values.cast(pa.string()) if pa.types.is_null(values.type) else values)
    if series.dtype.is_float():
        whole = series.drop_nulls()
        fits = bool(((whole == whole.round()) & (whole.abs() < _WHOLE)).all())
        return series.cast(pl.Int64) if fits else series.cast(pl.Float64)
    if series.dtype.is_integer() or series.dtype.is_decimal():
        narrow = series.cast(pl.Int64, strict=False)
        same = narrow.null_count() == series.null_count() and bool(
            (narrow.cast(series.dtype) == series).all()
        )
        return narrow if same else series.cast(pl.Decimal(38, _scale(series)))
    return series


def _scale(series: pl.Series) -> int:
    """Give the decimals of a number type."""
    return series.dtype.scale if isinstance(series.dtype, pl.Decimal) else 0


def _comparable_frames(
    child: pa.Table, relation: Relation, parent: pa.Table
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give both sides' keys with equal types; sides that cannot be compared never match."""
    left = key_frame(child, relation.columns)
    right = key_frame(parent, relation.references_columns)
    for name in left.columns:
        if left[name].dtype != right[name].dtype:
            common = (
                pl.Float64 if left[name].dtype.is_numeric() and right[name].dtype.is_numeric() else pl.String
            )
            left = left.with_columns(pl.col(name).cast(common))
            right = right.with_columns(pl.col(name).cast(common))
    return left, right
