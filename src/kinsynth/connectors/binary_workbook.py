"""Sheets of xls and xlsb workbooks, through calamine: its typed readings are compared to get exact text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import fastexcel
import pyarrow as pa

from kinsynth.connectors.content import encrypted
from kinsynth.connectors.numbers import clock_text, float_text
from kinsynth.connectors.sheet import Sheet
from kinsynth.errors import SourceError


def open_binary_workbook(path: Path) -> Iterator[Sheet]:
    """Give the sheets of a workbook in their order.

    calamine's own text of a number keeps nine decimals, so the number itself is read beside it. A cell
    that reads as a moment but not as a number is a date or time; text never reads as a moment.

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
    texts = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    batch, errors = texts.to_arrow_with_errors()
    sheet = Sheet(name, texts.visible != "visible", ())
    if batch.num_columns:
        numbers, moments = (
            workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes=kind).to_arrow()
            for kind in ("float", "datetime")
        )
        columns = [
            _column(*triple) for triple in zip(batch.columns, numbers.columns, moments.columns, strict=True)
        ]
        sheet.rows = [
            (number, {column: cell for column, cell in enumerate(cells) if cell is not None})
            for number, cells in enumerate(zip(*columns, strict=True), start=1)
        ]
    if errors is not None and errors.errors:
        sheet.notes["error_cells"] = len(errors.errors)
    return sheet


def _column(texts: pa.Array, numbers: pa.Array, moments: pa.Array) -> list[str | None]:
    """Give the exact text of a column's cells."""
    triples = zip(texts.to_pylist(), numbers.to_pylist(), moments.to_pylist(), strict=True)
    return [_cell(text, number, moment) for text, number, moment in triples]


def _cell(text: str | None, number: float | None, moment: datetime | None) -> str | None:
    """Decide what a cell is from its three readings."""
    if text is None:
        return None
    if moment is not None and number is None:
        return _moment(moment)
    if number is not None and text not in {"true", "false"} and (moment is not None or float(text) != number):
        return float_text(number)
    return text


def _moment(moment: datetime) -> str:
    """Put a date or time into ISO text; the days before 1900 stand for a time without a date."""
    clock = clock_text(
        ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1000 + moment.microsecond // 1000
    )
    if moment.year < 1900:
        return clock
    return f"{moment:%Y-%m-%d}" if clock == "00:00:00" else f"{moment:%Y-%m-%d} {clock}"
