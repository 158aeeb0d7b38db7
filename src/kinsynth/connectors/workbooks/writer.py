"""Workbooks: xlsx and ods written as a stream of typed cells in XML; the same rows give the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.connectors.texts.writer import batches, neutralised
from kinsynth.connectors.workbooks.cells import Cells, Kind, column_cells
from kinsynth.connectors.workbooks.parts import OASIS, ODS_KIND, ODS_MANIFEST, XLSX_MAIN, XML_HEAD, xlsx_parts
from kinsynth.errors import UserError
from kinsynth.schema.table import Schema, Table

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
_MAX_XLSX_CELL = 32_767
_CONTROLS = [chr(code) for code in (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20))]
_NONCHARACTERS = ["\ufffe", "\uffff"]
_XLSX_STYLES: Mapping[Kind, int] = {"date": 1, "datetime": 2, "time": 3}


def check_size(name: str, rows: pa.Table) -> None:
    """Refuse a table that a sheet cannot hold.

    Raises:
        UserError: ``destination.too_large``.
    """
    if rows.num_rows + 1 > MAX_ROWS or rows.num_columns > MAX_COLUMNS:
        raise UserError(
            "destination.too_large",
            f"{rows.num_rows:,} rows and {rows.num_columns:,} columns: a sheet holds {MAX_ROWS - 1:,} rows "
            f"below the header and {MAX_COLUMNS:,} columns.",
            where=name,
            remedy="Choose csv, tsv or parquet as destination.format.",
        )


def write_xlsx(
    path: Path, schema: Schema, tables: Mapping[str, pa.Table], sheets: Mapping[str, str], *, neutralise: bool
) -> None:
    """Write tables as sheets of one xlsx workbook.

    Guarantees:
        Text is never a formula or a link. Numbers a double cannot hold exactly, and times a day number
        cannot, are text. Every value reads back the same. The same rows give the same bytes.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in xlsx_parts([sheets[table] for table in tables]).items():
            archive.writestr(_member(name), content)
        for number, (name, rows) in enumerate(tables.items(), start=1):
            with archive.open(_member(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=True) as handle:
                _xlsx_sheet(handle, schema.tables[name], rows, neutralise=neutralise)


def write_ods(path: Path, schema: Schema, tables: Mapping[str, pa.Table], sheets: Mapping[str, str]) -> None:
    """Write tables as sheets of one OpenDocument workbook.

    Raises:
        UserError: ``destination.character``, a text has a character that XML cannot hold.

    Guarantees:
        Every value reads back the same. The same rows give the same bytes.
    """
    names = " ".join(f'xmlns:{name}="{OASIS}:{name}:1.0"' for name in ("office", "table", "text"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_member("mimetype", zipfile.ZIP_STORED), ODS_KIND)
        archive.writestr(_member("META-INF/manifest.xml"), ODS_MANIFEST)
        with archive.open(_member("content.xml"), "w", force_zip64=True) as handle:
            handle.write(f'{XML_HEAD}<office:document-content {names} office:version="1.2">'.encode())
            handle.write(b"<office:body><office:spreadsheet>")
            for name, rows in tables.items():
                _ods_sheet(handle, schema.tables[name], rows, sheets[name])
            handle.write(b"</office:spreadsheet></office:body></office:document-content>")


def _member(name: str, compression: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """Give an archive member without a time of its own."""
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = compression
    return info


def _xlsx_sheet(handle: IO[bytes], table: Table, rows: pa.Table, *, neutralise: bool) -> None:
    """Write one sheet; its first row holds the column names."""
    handle.write(f'{XML_HEAD}<worksheet xmlns="{XLSX_MAIN}"><sheetData>'.encode())
    for part in (_header(table), *batches(rows)):
        columns = []
        for column in table.columns:
            cells = column_cells(part.column(column.name), column)
            text = neutralised(cells.text) if neutralise and cells.kind == "text" else cells.text
            columns.append(_xlsx_cells(cells, text, where=f"{table.name}.{column.name}"))
        handle.write(_rows(columns, "<row>", "</row>"))
    handle.write(b"</sheetData></worksheet>")


def _xlsx_cells(cells: Cells, text: pa.Array, *, where: str) -> pa.Array:
    """Give the XML of a column's cells."""
    _check_length(text, where=where)
    as_text = _wrap('<c t="inlineStr"><is><t xml:space="preserve">', _escaped(_coded(text)), "</t></is></c>")
    if cells.kind == "text":
        return as_text.fill_null("<c/>")
    if cells.kind == "boolean":
        typed = _wrap('<c t="b"><v>', pc.if_else(pc.equal(text, "true"), "1", "0"), "</v></c>")
    elif cells.serial is not None:
        typed = _wrap(f'<c s="{_XLSX_STYLES[cells.kind]}"><v>', cells.serial, "</v></c>")
    else:
        typed = _wrap("<c><v>", text, "</v></c>")
    return pc.if_else(cells.textual, as_text, typed).fill_null("<c/>")


def _coded(text: pa.Array) -> pa.Array:
    """Write characters that XML cannot hold as ``_x0001_``, and text that looks like that so it stays."""
    special = [*_CONTROLS, "\r", *_NONCHARACTERS]
    among = "".join(f"\\x{{{ord(character):x}}}" for character in special)
    misread = pc.match_substring_regex(text, f"_x[0-9A-Fa-f]{{4}}_|[{among}]")
    if not pc.any(misread).as_py():
        return text
    coded = pc.if_else(misread, pc.replace_substring(text, "_x", "_x005F_x"), text)
    for character in _present(coded, special):
        coded = pc.replace_substring(coded, character, f"_x{ord(character):04X}_")
    return coded


def _check_length(text: pa.Array, *, where: str) -> None:
    """Refuse text longer than an xlsx cell holds."""
    if (pc.max(pc.utf8_length(text)).as_py() or 0) > _MAX_XLSX_CELL:
        raise UserError(
            "destination.too_large",
            f"A text is longer than the {_MAX_XLSX_CELL:,} characters of an xlsx cell.",
            where=where,
            remedy="Choose another destination.format.",
        )


def _ods_sheet(handle: IO[bytes], table: Table, rows: pa.Table, sheet: str) -> None:
    """Write one sheet; its first row holds the column names."""
    handle.write(f"<table:table table:name={quoteattr(sheet)}>".encode())
    handle.write(f'<table:table-column table:number-columns-repeated="{len(table.columns)}"/>'.encode())
    for part in (_header(table), *batches(rows)):
        columns = [
            _ods_cells(column_cells(part.column(column.name), column), where=f"{table.name}.{column.name}")
            for column in table.columns
        ]
        handle.write(_rows(columns, "<table:table-row>", "</table:table-row>"))
    handle.write(b"</table:table>")


def _ods_cells(cells: Cells, *, where: str) -> pa.Array:
    """Give the XML of a column's cells."""
    if _present(cells.text, [*_CONTROLS, *_NONCHARACTERS]):
        raise UserError(
            "destination.character",
            "A text has a control character, which an ods file cannot hold.",
            where=where,
            remedy="Choose another destination.format.",
        )
    shown = _wrap("<text:p>", _escaped(cells.text), "</text:p></table:table-cell>")
    as_text = pc.binary_join_element_wise(
        _ods_start("string", "string-value", _attribute(cells.text)), shown, ""
    )
    if cells.kind == "text":
        return as_text.fill_null("<table:table-cell/>")
    typed = pc.binary_join_element_wise(_ods_typed(cells), shown, "")
    return pc.if_else(cells.textual, as_text, typed).fill_null("<table:table-cell/>")


def _ods_typed(cells: Cells) -> pa.Array:
    """Give the start of typed cells with their value."""
    if cells.kind == "number":
        return _ods_start("float", "value", cells.text)
    if cells.kind == "boolean":
        return _ods_start("boolean", "boolean-value", cells.text)
    if cells.kind == "time":
        duration = pc.replace_substring_regex(cells.text, r"^(\d+):(\d+):([\d.]+)$", r"PT\1H\2M\3S")
        return _ods_start("time", "time-value", duration)
    return _ods_start("date", "date-value", pc.replace_substring(cells.text, " ", "T"))


def _ods_start(kind: str, attribute: str, values: pa.Array) -> pa.Array:
    return _wrap(f'<table:table-cell office:value-type="{kind}" office:{attribute}="', values, '">')


def _attribute(text: pa.Array) -> pa.Array:
    """Escape text for an attribute, so that spaces and ends of lines arrive as they are."""
    escaped = pc.replace_substring(_escaped(text), '"', "&quot;")
    for character in _present(escaped, ["\t", "\n"]):
        escaped = pc.replace_substring(escaped, character, f"&#{ord(character)};")
    return escaped


def _escaped(text: pa.Array) -> pa.Array:
    """Escape text for XML; a carriage return would else become a line feed."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = pc.replace_substring(text, character, entity)
    return text


def _present(text: pa.Array, characters: list[str]) -> list[str]:
    """Give those of the characters that occur; the usual answer, none, comes after one look."""
    joined = "".join(f"\\x{{{ord(character):x}}}" for character in characters)
    if not pc.any(pc.match_substring_regex(text, f"[{joined}]")).as_py():
        return []
    return [character for character in characters if pc.any(pc.match_substring(text, character)).as_py()]


def _wrap(before: str, values: pa.Array, after: str) -> pa.Array:
    return pc.binary_join_element_wise(before, values, after, "")


def _header(table: Table) -> pa.Table:
    """Give the column names as a row of text."""
    return pa.table([pa.array([name]) for name in table.column_names], names=list(table.column_names))


def _rows(columns: list[pa.Array], before: str, after: str) -> pa.Buffer:
    """Join cells to rows and rows to one buffer."""
    rows = pc.binary_join_element_wise(before, *columns, after, "")
    return pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows), "").buffers()[
        2
    ]
