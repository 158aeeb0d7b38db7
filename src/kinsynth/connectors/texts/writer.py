"""Comma and tab separated files as RFC 4180 has them: UTF-8, LF, missing as nothing, empty text as ``""``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.connectors.content import TEXT, kind_of_bytes
from kinsynth.schema.literals import format_text
from kinsynth.schema.table import Table

_BATCH_ROWS = 65_536
_BATCH_BYTES = 1 << 26
_RUN_BY_SPREADSHEETS = r"^([\"'\s;,]*[=+\-@＝＋－＠]|[\t\r\n])"
_MARK = "\ufeff"


def write_text_file(path: Path, rows: pa.Table, table: Table, *, delimiter: str, neutralise: bool) -> None:
    """Write a table as text.

    Args:
        path: The file.
        rows: The values.
        table: The columns, whose ``text`` says how values are written.
        delimiter: The character between cells.
        neutralise: Write an apostrophe before text that a spreadsheet would run.

    Guarantees:
        Reading the file gives the same text in every cell; a missing value and an empty text differ in
        the file. The same rows give the same bytes.
    """
    with path.open("wb") as handle:
        handle.write(_header(table.column_names, delimiter, neutralise=neutralise))
        for part in batches(rows):
            cells = [
                _cells(part, table, column.name, delimiter, neutralise=neutralise) for column in table.columns
            ]
            handle.write(_lines(cells, delimiter))


def batches(rows: pa.Table) -> Iterator[pa.Table]:
    """Give parts of a table whose text fits an Arrow array many times over."""
    bytes_per_row = max(1, rows.nbytes // max(1, rows.num_rows))
    size = max(1, min(_BATCH_ROWS, _BATCH_BYTES // bytes_per_row))
    for start in range(0, rows.num_rows, size):
        yield rows.slice(start, size)


def neutralised(cells: pa.Array) -> pa.Array:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    active = pc.match_substring_regex(cells, _RUN_BY_SPREADSHEETS)
    return pc.if_else(active, pc.binary_join_element_wise("'", cells, ""), cells)


def _cells(rows: pa.Table, table: Table, name: str, delimiter: str, *, neutralise: bool) -> pa.Array:
    """Give a column's cells as they stand in the file."""
    values = rows.column(name)
    if not pa.types.is_string(values.type):
        return _quoted(_one_chunk(format_text(values, table.column(name))), delimiter)
    text = _one_chunk(values)
    return _quoted(neutralised(text) if neutralise else text, delimiter)


def _one_chunk(values: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)


def _quoted(cells: pa.Array, delimiter: str) -> pa.Array:
    """Quote cells that are empty or hold a delimiter, a quote, an end of line or a byte order mark."""
    special = pc.match_substring_regex(cells, f'^$|["\r\n{delimiter}{_MARK}]')
    doubled = pc.replace_substring(cells, '"', '""')
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(special, quoted, cells).fill_null("")


def _lines(cells: list[pa.Array], delimiter: str) -> pa.Buffer:
    """Join cells to lines; the data of the resulting Arrow array is the file."""
    lines = pc.binary_join_element_wise(*cells, delimiter) if len(cells) > 1 else cells[0]
    ended = pc.binary_join_element_wise(lines, "\n", "")
    return pc.binary_join(_as_one_list(ended), "").buffers()[2]


def _as_one_list(strings: pa.Array) -> pa.Array:
    """Give strings as a list array with a single list."""
    return pa.ListArray.from_arrays(pa.array([0, len(strings)], pa.int32()), strings)


def _header(names: tuple[str, ...], delimiter: str, *, neutralise: bool) -> bytes:
    """Give the first line; quoted where its start would look like another kind of file."""
    cells = pa.array(names, pa.string())
    quoted = _quoted(neutralised(cells) if neutralise else cells, delimiter).to_pylist()
    if kind_of_bytes(quoted[0].encode()) != TEXT:
        quoted[0] = f'"{quoted[0]}"'
    return (delimiter.join(quoted) + "\n").encode()
