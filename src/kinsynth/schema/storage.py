"""Arrow types by the spelling that ``Column.storage`` uses."""

from __future__ import annotations

import re

import pyarrow as pa

_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)")
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns), tz=(.+)\]")
_DECIMALS = {"32": pa.decimal32, "64": pa.decimal64, "128": pa.decimal128, "256": pa.decimal256}


def storage_type(storage: str) -> pa.DataType:
    """Give the Arrow type of a spelling.

    Guarantees:
        ``str(storage_type(x)) == x`` for every scalar Arrow type that ``str`` spelled.

    >>> str(storage_type("decimal128(12, 2)"))
    'decimal128(12, 2)'
    """
    if found := _DECIMAL.fullmatch(storage):
        return _DECIMALS[found[1]](int(found[2]), int(found[3]))
    if found := _TIMESTAMP.fullmatch(storage):
        return pa.timestamp(found[1], found[2])
    return pa.type_for_alias(storage)


def cast_values(values: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    """Give values another type, exactly; whole numbers become decimals wherever each of them fits.

    Arrow itself refuses a decimal that has no room for every 64-bit integer.

    >>> cast_values(pa.array([7]), pa.decimal128(2, 0)).to_pylist()
    [Decimal('7')]
    """
    if pa.types.is_integer(values.type) and pa.types.is_decimal(kind):
        values = values.cast(pa.decimal128(38, 0))
    return values.cast(kind)
