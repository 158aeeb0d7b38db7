"""Text to typed values and back: ``format_text(parse_text(x, column), column) == x`` for detected columns.

Which type a column has is decided in ``columns.detect``; here is only how a type is written.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.errors import SchemaError
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Column, TextFormat

_EXACT = 2.0**50
_SMALL = 1e-4
_SHOWN_ROWS = 20
_PLAIN = TextFormat()
_NUMBER = r"[+-]?(\d+|\d{1,3}([ '’]\d{3})+)"


def parse_text(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Read text cells as the column's storage type.

    Args:
        values: Cells as in the source, strings.
        column: What they are; its ``text`` says how they are written.

    Returns:
        Values in the column's storage type, null where the cell is null.

    Raises:
        SchemaError: ``data.unparsable``, a cell does not fit the type.

    >>> amount = Column("amount", "numeric", "double", text=TextFormat(decimals=2))
    >>> parse_text(pa.chunked_array([["1.50", None]]), amount).to_pylist()
    [1.5, None]
    """
    parsed = _parsed(values, column)
    rows = _unread_rows(values, parsed)
    if len(rows):
        shown = ", ".join(str(row + 1) for row in rows[:_SHOWN_ROWS])
        raise SchemaError(
            "data.unparsable",
            f"{len(rows):,} of {len(values):,} cells do not read as {column.type}; rows {shown}"
            f"{' and more' if len(rows) > _SHOWN_ROWS else ''}.",
            where=column.name,
            remedy="Declare another type or format for the column.",
        )
    return parsed


def unparsable_rows(values: pa.ChunkedArray, column: Column) -> NDArray[np.int64]:
    """Give the numbers of the rows, from 0, whose cell does not read as the column's type."""
    return _unread_rows(values, _parsed(values, column))


def format_text(values: pa.ChunkedArray | pa.Array, column: Column) -> pa.ChunkedArray:
    """Write typed values as the source writes them.

    Guarantees:
        The inverse of ``parse_text`` on every cell of a column whose type was detected.

    >>> day = Column("day", "date", "date32[day]", text=TextFormat(pattern="%d/%m/%Y"))
    >>> format_text(parse_text(pa.chunked_array([["29/02/2024"]]), day), day).to_pylist()
    ['29/02/2024']
    """
    text = column.text or _PLAIN
    storage = values.type
    if pa.types.is_boolean(storage):
        return _chunked(pc.if_else(values, pa.scalar(text.true), pa.scalar(text.false)))
    if pa.types.is_floating(storage):
        return _to_text(_write_double(_series(values).cast(pl.Float64), text))
    if pa.types.is_decimal(storage):
        return _to_text(_write_decimal(_series(values), text))
    if pa.types.is_temporal(storage) and not pa.types.is_duration(storage):
        return _to_text(_write_moment(values, text))
    return _to_text(_write_integer(_series(values), text))


def reads_back(values: pa.ChunkedArray, column: Column) -> bool:
    """Tell whether parsing and writing again gives every cell unchanged."""
    parsed = _parsed(values, column)
    if parsed.null_count > values.null_count:
        return False
    return bool(format_text(parsed, column).equals(_chunked(values.cast(pa.string()))))


def _parsed(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Read cells; null where one does not fit."""
    text, storage = column.text or _PLAIN, storage_type(column.storage)
    if pa.types.is_string(storage) or pa.types.is_large_string(storage):
        return values.cast(storage)
    series = _series(values)
    if pa.types.is_boolean(storage):
        return _chunked(_read_boolean(series, text).to_arrow())
    if pa.types.is_temporal(storage):
        return _read_moment(series, text, storage)
    numbers = _plain_numbers(series, text)
    if pa.types.is_integer(storage) or (pa.types.is_decimal(storage) and storage.scale <= 0):
        numbers = _whole(numbers.str.replace(r"\.0*$", "") if text.decimals else numbers)
    if pa.types.is_decimal(storage):
        read = numbers.cast(pl.Decimal(38, storage.scale), strict=False)
    elif pa.types.is_unsigned_integer(storage):
        read = numbers.cast(pl.UInt64, strict=False)
    else:
        read = numbers.cast(pl.Float64 if pa.types.is_floating(storage) else pl.Int64, strict=False)
    return _chunked(read.to_arrow()).cast(storage, safe=False)


def _unread_rows(values: pa.ChunkedArray, parsed: pa.ChunkedArray) -> NDArray[np.int64]:
    """Give the rows that are null only after parsing."""
    if parsed.null_count == values.null_count:
        return np.zeros(0, dtype=np.int64)
    lost = pc.and_(pc.is_null(parsed), pc.is_valid(values))
    return np.flatnonzero(lost.to_numpy(zero_copy_only=False)).astype(np.int64)


def _read_boolean(series: pl.Series, text: TextFormat) -> pl.Series:
    """Read the two tokens."""
    return series.replace_strict(
        [text.true, text.false], [True, False], default=None, return_dtype=pl.Boolean
    )


def _plain_numbers(series: pl.Series, text: TextFormat) -> pl.Series:
    """Give numbers with a point and without digit groups; a wrong grouping becomes null."""
    if text.decimal_mark == "." and text.point_zero:
        return series
    group = re.escape("," if text.decimal_mark == "." else ".")
    mark = re.escape(text.decimal_mark)
    allowed = rf"^({_NUMBER}|[+-]?\d{{1,3}}({group}\d{{3}})+)({mark}\d+)?([eE][+-]?\d+)?$"
    cells = pl.col("x")
    plain = cells.str.replace_all(rf"[ '’]|{group}", "").str.replace(mark, ".")
    return pl.DataFrame({"x": series}).select(pl.when(cells.str.contains(allowed)).then(plain))["x"]


def _write_integer(series: pl.Series, text: TextFormat) -> pl.Series:
    """Write whole numbers, with zeros after the mark where the source has them; strings stay."""
    written = series.cast(pl.String)
    return written + f"{text.decimal_mark}{'0' * text.decimals}" if text.decimals else written


def _whole(numbers: pl.Series) -> pl.Series:
    """Leave out what is no whole number."""
    return pl.DataFrame({"x": numbers}).select(pl.when(pl.col("x").str.contains(r"^[+-]?\d+$")).then("x"))[
        "x"
    ]


def _write_double(series: pl.Series, text: TextFormat) -> pl.Series:
    """Write doubles with fixed digits, or in the shortest form that reads back the same."""
    written = _shortest(series, text) if text.decimals is None else _fixed(series, text.decimals)
    return _marked(written, text)


def _shortest(series: pl.Series, text: TextFormat) -> pl.Series:
    """Write doubles as Python's ``repr`` does."""
    written = series.cast(pl.String)
    tiny = (series.abs() < _SMALL) & (series != 0)
    if tiny.any():
        forms = [None if value is None else repr(value) for value in series.filter(tiny)]
        written = written.scatter(tiny.arg_true(), forms)
    return written if text.point_zero else written.str.replace(r"\.0$", "")


def _fixed(series: pl.Series, decimals: int) -> pl.Series:
    """Write doubles with a fixed number of digits after the point."""
    scale = 10.0**decimals
    value = pl.col("x")
    units = (value.abs() * scale).round()
    inside = units < _EXACT
    digits = (
        units.clip(upper_bound=_EXACT).cast(pl.Int64, strict=False).cast(pl.String).str.zfill(decimals + 1)
    )
    sign = pl.when((value < 0) | ((value == 0) & ((1.0 / value) < 0))).then(pl.lit("-")).otherwise(pl.lit(""))
    parts = [sign, digits.str.head(digits.str.len_bytes() - decimals)]
    parts += [pl.lit("."), digits.str.tail(decimals)] if decimals else []
    frame = pl.DataFrame({"x": series}).select(x=pl.concat_str(parts), inside=inside)
    written = frame["x"]
    large = ~frame["inside"] & series.is_not_null()
    if large.any():
        written = written.scatter(
            large.arg_true(), [f"{number:.{decimals}f}" for number in series.filter(large)]
        )
    return written


def _write_decimal(series: pl.Series, text: TextFormat) -> pl.Series:
    """Write decimals with all digits of their scale, or without trailing zeros."""
    written = series.cast(pl.String)
    if text.decimals is None and isinstance(series.dtype, pl.Decimal) and series.dtype.scale:
        written = written.str.replace(r"0+$", "").str.replace(r"\.$", ".0" if text.point_zero else "")
    return _marked(written, text)


def _marked(written: pl.Series, text: TextFormat) -> pl.Series:
    """Put the column's decimal mark."""
    return written if text.decimal_mark == "." else written.str.replace(".", text.decimal_mark, literal=True)


def _polars_pattern(pattern: str) -> str:
    """Spell a pattern as the parser understands it."""
    return pattern.replace("%f", "%6f")


def _read_moment(series: pl.Series, text: TextFormat, storage: pa.DataType) -> pa.ChunkedArray:
    """Read dates, times and timestamps; null where a cell does not fit."""
    pattern = _polars_pattern(text.pattern or default_pattern(storage))
    if pa.types.is_time(storage):
        return _chunked(series.str.to_time(pattern, strict=False).to_arrow()).cast(storage, safe=False)
    if pa.types.is_date(storage):
        return _chunked(series.str.to_date(pattern, strict=False).to_arrow()).cast(storage)
    unit: Literal["ns", "us"] = "ns" if storage.unit == "ns" else "us"
    local = series.str.to_datetime(pattern, strict=False, time_unit=unit).dt.replace_time_zone(None)
    read = _chunked(local.to_arrow()).cast(pa.timestamp(storage.unit), safe=False)
    if storage.tz and _has_offset(pattern):
        return pc.assume_timezone(read, "UTC").cast(storage)
    return pc.assume_timezone(read, storage.tz) if storage.tz else read


def _write_moment(values: pa.ChunkedArray | pa.Array, text: TextFormat) -> pl.Series:
    """Write dates, times and timestamps: with an offset in UTC, else in their own zone."""
    pattern = _polars_pattern(text.pattern or default_pattern(values.type))
    if _has_offset(pattern) and getattr(values.type, "tz", None):
        values = values.cast(pa.timestamp(values.type.unit, "UTC"))
    local = pc.local_timestamp(values) if getattr(values.type, "tz", None) else values
    pattern = pattern.replace("%:z", "+00:00").replace("%z", "+0000")
    moments = _series(local)
    if "%.f" not in pattern:
        return moments.dt.strftime(pattern)
    before, after = pattern.split("%.f", maxsplit=1)
    fraction = moments.dt.strftime(".%6f").str.replace(r"\.?0+$", "")
    parts = {"a": moments.dt.strftime(before), "b": fraction}
    if after:
        parts["c"] = moments.dt.strftime(after)
    return pl.DataFrame(parts).select(pl.concat_str(pl.all()).alias("x"))["x"]


def _has_offset(pattern: str) -> bool:
    """Tell whether moments are written with their distance from UTC."""
    return "%z" in pattern or "%:z" in pattern


def default_pattern(storage: pa.DataType) -> str:
    """Give the ISO pattern of a date, time or timestamp type.

    Moments of a zone carry their offset: an hour in autumn happens twice.
    """
    if pa.types.is_date(storage):
        return "%Y-%m-%d"
    if pa.types.is_time(storage):
        return "%H:%M:%S%.f"
    return "%Y-%m-%d %H:%M:%S%.f" + ("%:z" if storage.tz else "")


def _series(values: pa.ChunkedArray | pa.Array) -> pl.Series:
    """Give Arrow values to polars without a copy."""
    return pl.Series("x", values)


def _to_text(series: pl.Series) -> pa.ChunkedArray:
    """Give polars strings back as Arrow's ``string``."""
    return _chunked(series.to_arrow()).cast(pa.string())


def _chunked(values: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """Give an array as one chunk."""
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
