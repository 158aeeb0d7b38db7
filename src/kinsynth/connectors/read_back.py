"""Reading of written files again, typed as the schema says: what the certificate is checked on."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from kinsynth.connectors.base import Written
from kinsynth.connectors.workbooks.ods import open_ods
from kinsynth.connectors.workbooks.sheet import Sheet, read_sheet
from kinsynth.connectors.workbooks.xlsx import open_xlsx
from kinsynth.schema.literals import parse_text
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Schema, Table
from kinsynth.settings.source import Source
from kinsynth.system.mapping import map_file

_BLOCK_BYTES = 1 << 26
_BATCH_ROWS = 1 << 18
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_ANY_SIZE = Source(null_values=(), max_columns=100_000, max_cells=1 << 40, max_cell_bytes=1 << 31)


def read_back(
    written: Iterable[Written], schema: Schema, *, folder: Path | None = None
) -> dict[str, pa.Table]:
    """Read written tables from their files.

    Args:
        written: What ``destination.write`` reported.
        schema: The tables.
        folder: Where typed tables are kept as mapped files, numbered; None for memory. Text files and
            Parquet are read in pieces, so that with a folder no table is in memory as a whole; workbooks are.

    Returns:
        Arrow table by name, in the storage types of the schema. A missing value and an empty text are
        told apart in all formats.
    """
    tables: dict[str, pa.Table] = {}
    books: dict[Path, dict[str, pa.Table]] = {}
    for number, one in enumerate(written):
        table = schema.tables[one.name]
        parts: Iterator[pa.Table]
        if one.format in _DELIMITERS:
            parts = (_typed(part, table) for part in _read_text(one.file, _DELIMITERS[one.format]))
        elif one.format == "parquet":
            parts = (_stored(part, table) for part in _read_parquet(one.file))
        else:
            if one.file not in books:
                books[one.file] = _read_book(one.file)
            plain = replace(table, columns=tuple(replace(column, text=None) for column in table.columns))
            parts = iter([_typed(books[one.file][one.sheet], plain)])
        path = None if folder is None else folder / f"{number:03}.arrow"
        tables[one.name] = _gather(parts, _arrow_schema(table), path)
    return tables


def _gather(parts: Iterator[pa.Table], schema: pa.Schema, path: Path | None) -> pa.Table:
    """Put the pieces of a table together, in memory or in a file that is mapped."""
    if path is None:
        return pa.concat_tables([schema.empty_table(), *parts])
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for part in parts:
            writer.write_table(part)
    return pa.ipc.open_file(pa.py_buffer(map_file(path))).read_all()


def _read_text(path: Path, delimiter: str) -> Iterator[pa.Table]:
    """Read text as strings, piece by piece; a cell without quotes and characters is missing."""
    with path.open("rb") as handle:
        names = pyarrow.csv.open_csv(
            handle, parse_options=_parsing(delimiter), read_options=_reading()
        ).schema.names
    options = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    with pyarrow.csv.open_csv(
        path, read_options=_reading(), parse_options=_parsing(delimiter), convert_options=options
    ) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _read_parquet(path: Path) -> Iterator[pa.Table]:
    """Read typed rows, piece by piece."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
            yield pa.Table.from_batches([batch])


def _reading() -> pyarrow.csv.ReadOptions:
    return pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES)


def _parsing(delimiter: str) -> pyarrow.csv.ParseOptions:
    return pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False)


def _read_book(path: Path) -> dict[str, pa.Table]:
    """Read all sheets of a workbook as strings."""
    with zipfile.ZipFile(path) as archive:
        if path.suffix == ".ods":
            sheets = open_ods(archive, max_cells=_ANY_SIZE.max_cells, where=path.name)
        else:
            sheets = open_xlsx(archive)
        return {sheet.name: _read_strings(sheet, path.name) for sheet in sheets}


def _read_strings(sheet: Sheet, where: str) -> pa.Table:
    sink = pa.BufferOutputStream()
    read_sheet(sheet, _ANY_SIZE, sink, where=where, blank_rows_at_end=True)
    return pa.ipc.open_file(sink.getvalue()).read_all()


def _typed(strings: pa.Table, table: Table) -> pa.Table:
    """Turn strings into the types of the schema; columns by place, for names may have been neutralised."""
    columns = [
        parse_text(cells, column) for cells, column in zip(strings.columns, table.columns, strict=True)
    ]
    return pa.table(columns, names=list(table.column_names))


def _stored(rows: pa.Table, table: Table) -> pa.Table:
    """Give the types of the schema back to units that Parquet widens."""
    return rows.cast(_arrow_schema(table))


def _arrow_schema(table: Table) -> pa.Schema:
    return pa.schema([(column.name, storage_type(column.storage)) for column in table.columns])
