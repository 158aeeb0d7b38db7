"""Variable: one column of every compared part, as numbers, whatever it is stored as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.schema.table import Column
from kinsynth.settings.treatment import ORDERED

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_ORDERED_TYPES = (*ORDERED, "coordinates")
_LEFT_OUT = ("text", "identifier")


@dataclass(frozen=True)
class Variable:
    """The values of one column in the original, the synthetic and perhaps the held-out rows.

    Attributes:
        column: What it is in the schema.
        parts: Values of each part, shape (R,); NaN is missing. A category is the number of its label.
        labels: Categories, most frequent in the original first; None for an ordered variable.
    """

    column: Column
    parts: tuple[FloatArray, ...]
    labels: tuple[str, ...] | None

    @property
    def ordered(self) -> bool:
        """Whether distances between values mean something."""
        return self.labels is None

    def taken(self, rows: Sequence[IntArray], name: str) -> Variable:
        """Give the variable at other rows of each part; -1 is a row without a value."""
        column = Column(name, self.column.type, self.column.storage, True, self.column.text)
        return Variable(column, tuple(map(_take, self.parts, rows)), self.labels)


def _take(values: FloatArray, rows: IntArray) -> FloatArray:
    """Take values at rows; NaN at -1."""
    return np.where(rows >= 0, np.append(values, np.nan)[rows], np.nan)


def is_comparable(column: Column) -> bool:
    """Tell whether a column's values say something: not free text, not an identifier."""
    return column.type not in _LEFT_OUT


def read_variable(column: Column, parts: Sequence[pa.ChunkedArray]) -> Variable:
    """Read one column of every part, the original first."""
    if column.type in _ORDERED_TYPES and not _is_textual(parts[0].type):
        return Variable(column, tuple(map(as_numbers, parts)), None)
    return _read_categories(column, parts)


def _is_textual(kind: pa.DataType) -> bool:
    """Tell whether values have no order of their own."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
        or pa.types.is_binary(kind)
    )


def as_numbers(values: pa.ChunkedArray) -> FloatArray:
    """Turn ordered values into numbers: days for dates, microseconds for times; missing becomes NaN."""
    kind = values.type
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        values = values.cast(pa.int32())
    elif pa.types.is_timestamp(kind) or pa.types.is_time64(kind) or pa.types.is_date64(kind):
        values = values.cast(pa.int64())
    numbers = pc.cast(values, pa.float64(), safe=False).to_numpy()
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _read_categories(column: Column, parts: Sequence[pa.ChunkedArray]) -> Variable:
    """Number the categories of all parts together, the most frequent of the original first."""
    codes_parts, labels = number_jointly([_as_text(part) for part in parts])
    counts = np.bincount(codes_parts[0][codes_parts[0] >= 0], minlength=len(labels))
    order = sorted(range(len(labels)), key=lambda code: (-counts[code], labels[code]))
    rank = np.empty(len(labels) + 1)
    rank[order], rank[-1] = np.arange(len(labels)), np.nan
    return Variable(
        column, tuple(rank[codes] for codes in codes_parts), tuple(labels[code] for code in order)
    )


def _as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write values as text; missing stays missing."""
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string(), safe=False)


def number_jointly(parts: Sequence[pa.ChunkedArray]) -> tuple[list[IntArray], list[str]]:
    """Number equal values of several arrays equally; a missing value becomes -1."""
    whole = pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)
    encoded = whole.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    borders = np.cumsum([len(part) for part in parts])[:-1]
    return np.split(codes, borders), encoded.dictionary.to_pylist()
