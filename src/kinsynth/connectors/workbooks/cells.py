"""The cells of a column on their way into a workbook: typed where that holds the value exactly, else text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.schema.literals import format_text
from kinsynth.schema.table import Column

Kind = Literal["text", "number", "boolean", "date", "datetime", "time"]

_EXACT_INTEGER = 2**53
_EXACT_DIGITS = 15
_DAY_MS = 86_400_000
_SERIAL_OF_1970 = 25_569
_FIRST_SAFE_DAY = 61  # 1900-03-01: before it, spreadsheets count a 29 February 1900 that never was


@dataclass(frozen=True)
class Cells:
    """One column.

    Attributes:
        kind: What a cell is.
        text: Plain text of each value, as ``schema.literals`` reads it; null where missing.
        textual: True where a workbook cannot hold the value exactly under ``kind``: it is written as text.
        serial: Day number of dates and times as xlsx counts them; None for others.
    """

    kind: Kind
    text: pa.Array
    textual: pa.Array
    serial: pa.Array | None = None


def column_cells(values: pa.ChunkedArray, column: Column) -> Cells:
    """Turn the values of a column into cells."""
    array = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    if pa.types.is_string(array.type):
        return Cells("text", array, _everywhere(array, value=True))
    text = format_text(array, replace(column, text=None)).combine_chunks()
    text = text if isinstance(text, pa.Array) else pa.array([], pa.string())
    if pa.types.is_boolean(array.type):
        return Cells("boolean", text, _everywhere(array, value=False))
    if pa.types.is_temporal(array.type):
        return _moments(array, text)
    return Cells("number", text, _inexact_number(array, text))


def _everywhere(array: pa.Array, *, value: bool) -> pa.Array:
    return pa.repeat(pa.scalar(value), len(array))


def _inexact_number(array: pa.Array, text: pa.Array) -> pa.Array:
    """Tell where a double does not hold the number."""
    if pa.types.is_integer(array.type):
        inside = pa.array([min(_EXACT_INTEGER, 2 ** (array.type.bit_width - 1) - 1)], array.type)[0]
        outside = pc.greater(array, inside)
        if pa.types.is_signed_integer(array.type):
            outside = pc.or_(outside, pc.less(array, pc.negate(inside)))
        return outside.fill_null(False)
    if pa.types.is_decimal(array.type):
        digits = pc.utf8_ltrim(pc.replace_substring_regex(text, "[-.]", ""), "0")
        return pc.greater(pc.utf8_length(digits), _EXACT_DIGITS).fill_null(False)
    return pc.invert(pc.is_finite(array)).fill_null(False)


def _moments(array: pa.Array, text: pa.Array) -> Cells:
    """Turn dates, times and timestamps into cells; xlsx holds whole milliseconds since 1 March 1900."""
    if pa.types.is_date(array.type):
        days = pc.add(array.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), _SERIAL_OF_1970)
        return Cells("date", text, pc.less(days, _FIRST_SAFE_DAY).fill_null(False), days.cast(pa.string()))
    is_time = pa.types.is_time(array.type)
    if getattr(array.type, "tz", None) or array.type.unit == "ns":
        return Cells("text", text, _everywhere(array, value=True))
    fine = array.cast(pa.time64("us") if is_time else pa.timestamp("us")).cast(pa.int64())
    inexact = pc.not_equal(pc.multiply(pc.divide(fine, 1000), 1000), fine)
    serial = pc.divide(pc.divide(fine, 1000).cast(pa.float64()), float(_DAY_MS))
    if not is_time:
        serial = pc.add(serial, float(_SERIAL_OF_1970))
        inexact = pc.or_(inexact, pc.less(serial, float(_FIRST_SAFE_DAY)))
    return Cells("time" if is_time else "datetime", text, inexact.fill_null(False), serial.cast(pa.string()))
