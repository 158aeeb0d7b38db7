"""Read a column as the type that the document declares, also where that is not lossless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pyarrow as pa

from kinsynth.columns.detect import Detected, is_grouped, is_text
from kinsynth.columns.patterns import moment_columns
from kinsynth.schema.keys import family
from kinsynth.schema.literals import reads_back, unparsable_rows
from kinsynth.schema.table import Column, TextFormat
from kinsynth.settings import treatment

_STORAGE = {"date": "date32[day]", "time": "time64[us]", "datetime": "timestamp[us]"}
_PATTERNS = {"date": "%Y-%m-%d", "time": "%H:%M:%S%.f", "datetime": "%Y-%m-%d %H:%M:%S%.f"}
_YES = frozenset(("true", "yes", "t", "y", "1", "on", "ja", "j", "si", "sì", "sí", "s", "oui", "o", "x"))
_MARKS = {"point": ".", "comma": ",", "auto": "."}
_TYPED = {
    "boolean": ("boolean", "number"),
    "integer": ("number",),
    "numeric": ("number",),
    "coordinates": ("number",),
    "date": ("date", "datetime"),
    "datetime": ("datetime", "date"),
    "time": ("time",),
}


def declare_column(
    values: pa.ChunkedArray, detected: Detected, declared: treatment.Column, *, name: str
) -> Detected | None:
    """Give a column the type, the format and the pair that the document declares.

    Args:
        values: All cells, as read.
        detected: What the cells say.
        declared: What the document says.
        name: Name of the column.

    Returns:
        The column as declared, an identifier in the storage that was detected; None when its typed source
        cannot hold the type. Cells of text may not all read as the type.
    """
    kind = declared.type or detected.type
    if declared.pair:
        detected = replace(detected, pair=declared.pair)
    pattern = detected.text.pattern if detected.text else None
    said_more = declared.format not in (None, pattern) or declared.decimal_mark != "auto"
    if kind == detected.type and not said_more:
        return detected if declared.type is None else replace(detected, confidence=1.0, reason="declared")
    found = replace(detected, type=kind, confidence=1.0, reason="declared", alternatives=())
    if kind != "coordinates":
        found = replace(found, pair=None)
    if not is_text(values.type):
        allowed = _TYPED.get(kind)
        if kind == "datetime" and family(values.type) == "date":
            found = replace(found, storage=_STORAGE[kind])
        return found if allowed is None or family(values.type) in allowed else None
    if kind == "identifier":
        return found
    if kind in ("categorical", "text"):
        return replace(found, storage="string", text=TextFormat())
    distinct = pa.chunked_array([values.unique().drop_null()])
    column = _best(list(_columns(kind, distinct, declared, name=name)), distinct)
    return replace(found, storage=column.storage, text=column.text)


def _best(columns: list[Column], distinct: pa.ChunkedArray) -> Column:
    """Choose the first reading that loses nothing, else the one that most cells fit."""
    for column in columns:
        if reads_back(distinct, column):
            return column
    return min(columns, key=lambda column: len(unparsable_rows(distinct, column)))


def _columns(
    kind: str, distinct: pa.ChunkedArray, declared: treatment.Column, *, name: str
) -> Iterator[Column]:
    """Give the ways in which cells could be read as a type."""
    if kind == "boolean":
        yield Column(name, kind, "bool", text=_tokens(distinct))
    elif kind in _STORAGE:
        yield from _moments(kind, distinct, declared.format, name=name)
    else:
        yield from _numbers(kind, distinct, declared.decimal_mark, name=name)


def _tokens(distinct: pa.ChunkedArray) -> TextFormat:
    """Choose which of two words is true."""
    found = sorted(distinct.to_pylist()[:3])
    if len(found) != 2:
        return TextFormat(true=found[0], false="") if len(found) == 1 and _is_yes(found[0]) else TextFormat()
    true, false = (found[0], found[1]) if _is_yes(found[0]) else (found[1], found[0])
    return TextFormat(true=true, false=false)


def _is_yes(word: str) -> bool:
    """Tell whether a word means yes."""
    return word.strip().lower() in _YES


def _moments(kind: str, distinct: pa.ChunkedArray, declared: str | None, *, name: str) -> Iterator[Column]:
    """Give dates or times in the declared format, else in those that are usual."""
    if declared is None:
        for column, _, _ in moment_columns(distinct.slice(0, 200).to_pylist(), distinct, name):
            if column.type == kind:
                yield column
            elif (column.type, kind) == ("date", "datetime"):
                yield replace(column, type=kind, storage=_STORAGE[kind])
    pattern = declared or _PATTERNS[kind]
    zoned = kind == "datetime" and ("%z" in pattern or "%:z" in pattern)
    storage = "timestamp[us, tz=UTC]" if zoned else _STORAGE[kind]
    yield Column(name, kind, storage, text=TextFormat(pattern=pattern))


def _numbers(kind: str, distinct: pa.ChunkedArray, mark: str, *, name: str) -> Iterator[Column]:
    """Give numbers with a decimal mark, digit groups allowed."""
    cells = pl.Series(distinct)
    comma = not cells.str.contains(r"\.\d+$").any() and not is_grouped(distinct)
    chosen = "," if mark == "auto" and comma else _MARKS[mark]
    text = TextFormat(decimal_mark=chosen, point_zero=False)
    digits = cells.str.extract(rf"[{chosen}](\d+)$").str.len_bytes().fill_null(0).to_numpy()
    most = min(int(digits.max(initial=0)), 15)
    if kind == "integer":
        yield Column(name, kind, "int64", text=TextFormat())
        yield Column(name, kind, "int64", text=text)
        yield Column(name, kind, "int64", text=replace(text, decimals=most))
        yield Column(name, kind, "decimal128(38, 0)", text=text)
        return
    yield Column(name, kind, "double", text=TextFormat())
    yield Column(name, kind, "double", text=text)
    yield Column(name, kind, "double", text=replace(text, decimals=most or None))
