"""A sheet on its way to a table: its first row with cells is the header; rows arrive one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from kinsynth.connectors.headers import check_headers
from kinsynth.connectors.string_table import StringTable
from kinsynth.errors import SourceError
from kinsynth.settings.source import Source

Row = Mapping[int, str]
"""Cells of a row that are not empty, by column number from 0."""


@dataclass
class Sheet:
    """One sheet of a workbook.

    Attributes:
        name: Name of the sheet.
        hidden: Whether the spreadsheet hides it.
        rows: Row number from 1, and the row's cells; rows without cells may be left out.
        notes: Counts for the user, complete once the rows were consumed.
    """

    name: str
    hidden: bool
    rows: Iterable[tuple[int, Row]]
    notes: Counter[str] = field(default_factory=Counter)


def read_sheet(
    sheet: Sheet, source: Source, target: Path | pa.NativeFile, *, where: str, blank_rows_at_end: bool = False
) -> int | None:
    """Write a sheet into an Arrow IPC file of strings.

    Args:
        sheet: The sheet.
        source: The settings.
        target: The Arrow IPC file to write, or an open Arrow stream.
        where: File and sheet, for messages.
        blank_rows_at_end: Keep rows without cells after the last cell, where the file lists them.

    Returns:
        Number of rows; None for a sheet without cells.

    Raises:
        SourceError: The sheet is no table: cells outside the columns of the header, too many
            cells, bad headers.

    Guarantees:
        Rows between the header and the last cell are kept, also those without cells.
    """
    rows = iter(sheet.rows)
    header_row, header = next(((number, row) for number, row in rows if row), (0, {}))
    if not header:
        return None
    first, last = min(header), max(header)
    names = check_headers(
        [header.get(column, "") for column in range(first, last + 1)],
        where=where,
        duplicates=source.duplicate_headers,
        max_columns=source.max_columns,
    )
    width = len(names)
    empty: list[str | None] = [None] * width
    with StringTable(
        target, names, where=where, null_values=source.null_values, max_cell_bytes=source.max_cell_bytes
    ) as table:
        expected = header_row + 1
        for number, row in rows:
            if not row and not blank_rows_at_end:
                continue
            _check_row(
                number,
                row,
                first=first,
                last=last,
                cells=(number - header_row) * width,
                source=source,
                where=where,
            )
            for _ in range(expected, number):
                table.add(empty, width)
            cells = [row.get(column) for column in range(first, last + 1)]
            table.add(cells, sum(len(cell) for cell in cells if cell))
            expected = number + 1
    return table.rows


def _check_row(
    number: int, row: Row, *, first: int, last: int, cells: int, source: Source, where: str
) -> None:
    """Refuse rows that cannot belong to the table."""
    if cells > source.max_cells:
        raise too_many_cells(source.max_cells, where=where)
    if row and (min(row) < first or max(row) > last) and any(row[n] for n in row if not first <= n <= last):
        raise SourceError(
            "source.ragged_rows",
            f"Row {number:,} of the sheet has a cell outside the columns of the header.",
            where=where,
            remedy="Give the column a header, or clear the cell.",
        )


def too_many_cells(max_cells: int, *, where: str) -> SourceError:
    """Say that a sheet claims more cells than are read."""
    return SourceError(
        "source.too_many_cells",
        f"The sheet spans more than {max_cells:,} cells.",
        where=where,
        remedy="Clear cells far outside the table, or raise source.max_cells.",
    )
