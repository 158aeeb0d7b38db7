"""Sheets of xls and xlsb workbooks, through calamine: its typed readings are compared to get exact text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.connectors.content import encrypted
from kinsynth.connectors.workbooks.numbers import Moment, float_text, serial_text
from kinsynth.connectors.workbooks.sheet import Sheet
from kinsynth.errors import SourceError

_DAY_MS = 86_400_000
_EPOCH_1904_MS = -2_082_844_800_000


def open_binary_workbook(path: Path) -> Iterator[Sheet]:
    """Give the sheets of a workbook in their order.

    calamine's own text of a number keeps nine decimals, so the number itself is read beside it. Dates and
    times are the cells that read as a duration, which is their day number.

    Raises:
        SourceError: The workbook is damaged or encrypted.
    """
    try:
        workbook = fastexcel.read_excel(str(path))
    except fastexcel.FastExcelError as error:
        if "assword" in str(error) or "ncrypt" in str(error):
            raise encrypted(path.name) from None
        raise SourceError(
            "source.damaged", "The workbook cannot be read.", where=path.name, remedy="Save it again."
        ) from None
    for name in workbook.sheet_names:
        yield _sheet(workbook, name)


def _sheet(workbook: fastexcel.ExcelReader, name: str) -> Sheet:
    """Read one sheet."""
    sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    texts, errors = sheet.to_arrow_with_errors()
    numbers, serials, moments = (_reading(workbook, name, kind) for kind in ("float", "duration", "datetime"))
    columns = [_column(*readings) for readings in zip(texts.columns, numbers, serials, moments, strict=True)]
    rows = [
        (number, {column: cell for column, cell in enumerate(cells) if cell is not None})
        for number, cells in enumerate(zip(*columns, strict=True), start=1)
    ]
    count = len(errors.errors) if errors is not None else 0
    return Sheet(name, sheet.visible != "visible", rows, Counter({"error_cells": count}))


def _reading(workbook: fastexcel.ExcelReader, name: str, kind: str) -> list[pa.Array]:
    """Read a sheet under a type; moments and durations as integers of milliseconds."""
    batch = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes=kind).to_arrow()
    return [column if kind == "float" else column.cast(pa.int64()) for column in batch.columns]


def _column(texts: pa.Array, numbers: pa.Array, serials: pa.Array, moments: pa.Array) -> list[str | None]:
    """Give the exact text of a column's cells."""
    days = [None if ms is None else ms / _DAY_MS for ms in serials.to_pylist()]
    kind = _kind([day for day in days if day is not None])
    epochs = pc.subtract(moments, serials).drop_null()
    epoch_1904 = len(epochs) > 0 and epochs[0].as_py() == _EPOCH_1904_MS
    cells = zip(texts.to_pylist(), numbers.to_pylist(), days, strict=True)
    return [
        _plain(text, number)
        if day is None
        else serial_text(day, kind, epoch_1904=epoch_1904) or float_text(day)
        for text, number, day in cells
    ]


def _kind(days: list[float]) -> Moment:
    """Tell what a column of day numbers shows; calamine does not give the formats."""
    if all(0 <= day < 1 for day in days):
        return "time"
    return "date" if all(day.is_integer() for day in days) else "datetime"


def _plain(text: str | None, number: float | None) -> str | None:
    """Give text as it is, and a number exactly where calamine's text of it is not."""
    if text is None or number is None or text in {"true", "false"} or not math.isfinite(number):
        return text
    return text if float(text) == number else float_text(number)
