"""Arrow types a column may have: those of one cell; others that hold the same values become one of these."""

from __future__ import annotations

import pyarrow as pa

from kinsynth.errors import SourceError

MOST_DIGITS = 38  # of decimals
_KEPT = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_string,
)


def kept_type(field: pa.Field, *, where: str) -> pa.DataType:
    """Give the type under which a column is kept.

    Raises:
        SourceError: ``source.column_type``: lists, structs, maps, binary, durations, extensions, and decimals
            of more than 38 digits.

    >>> kept_type(pa.field("a", pa.dictionary(pa.int8(), pa.large_string())), where="t")
    DataType(string)
    """
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_decimal256(kind) and kind.precision <= MOST_DIGITS:
        return pa.decimal128(kind.precision, kind.scale)
    if not any(kept(kind) for kept in _KEPT) or pa.types.is_decimal256(kind):
        raise SourceError(
            "source.column_type",
            f"The column has the type {type(kind).__name__ if pa.types.is_nested(kind) else kind}, "
            "which a cell cannot hold.",
            where=f"{where}: {field.name}",
            remedy="Flatten the column, turn it into text, or leave it out.",
        )
    return kind


def kept_column(column: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    """Decode a dictionary, or turn wide texts, half floats and wide decimals into plain ones."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column if column.type == kind else column.cast(kind)
