"""What proposals of keys need to know about a column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import pyarrow as pa

from kinsynth.schema.keys import Family, comparison, family
from kinsynth.schema.names import Words, unprefixed, words
from kinsynth.system.mapping import let_go

KEY_FAMILIES: tuple[Family, ...] = ("number", "text")
MOMENTS: tuple[Family, ...] = ("date", "datetime")
_LONG_CODE = 40


@dataclass(frozen=True)
class Profile:
    """What proposals need to know about a column."""

    table: str
    name: str
    label: str
    position: int
    rows: int
    nulls: int
    family: Family
    cells: pa.ChunkedArray

    @property
    def values(self) -> pl.Series:
        """The values in a form that can be compared; made anew each time, for no table has room for all."""
        let_go()
        return comparison(self.cells)

    @cached_property
    def dtype(self) -> pl.DataType:
        """The type of these values."""
        return self.values.dtype

    @cached_property
    def distinct(self) -> pl.Series:
        """The distinct values; only asked for where names or shape make the column a candidate."""
        return self.values.drop_nulls().unique(maintain_order=True)

    @cached_property
    def spread(self) -> float:
        """Largest minus smallest number, plus 1."""
        numbers = self.values.drop_nulls().cast(pl.Float64).to_numpy()
        return float(numbers.max() - numbers.min()) + 1 if len(numbers) else 0.0

    @property
    def words(self) -> Words:
        """The words of the name, without a prefix that all columns of the table share."""
        return words(self.label)

    @property
    def is_unique(self) -> bool:
        """Whether no value is missing and none repeats."""
        return self.nulls == 0 and self.values.n_unique() == self.rows


def profile_columns(
    name: str, table: pa.Table, families: tuple[Family, ...] = KEY_FAMILIES
) -> dict[str, Profile]:
    """Profile the columns that could be part of a key: those of some families, and those without a value."""
    profiles = {}
    labels = unprefixed(table.column_names)
    for position, column in enumerate(table.column_names):
        values = table.column(column)
        kind: Family = "none" if values.null_count == len(values) else family(values.type)
        if kind in (*families, "none"):
            series = comparison(values)
            let_go()
            if series.dtype == pl.Float64:
                continue
            profiles[column] = Profile(
                name, column, labels[column], position, len(series), series.null_count(), kind, values
            )
    return profiles


def is_code(column: Profile) -> bool:
    """Tell whether values look like made keys: whole numbers in a row, or words without spaces."""
    if column.family == "number":
        numbers = column.distinct.cast(pl.Float64).to_numpy()
        return bool(column.spread <= 2 * len(numbers) + 10 or (np.diff(numbers) > 0).all())
    if column.family != "text":
        return False
    lengths = column.distinct.str.len_chars().to_numpy()
    spaced = column.distinct.str.contains(r"\s").to_numpy()
    return bool(lengths.max() <= _LONG_CODE and spaced.mean() < 0.01)
