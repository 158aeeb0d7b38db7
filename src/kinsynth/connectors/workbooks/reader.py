"""Workbooks of all kinds: each visible sheet with cells becomes a table."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.parsers.expat import ExpatError

from kinsynth.connectors.workbooks.archive import check_archive, refused
from kinsynth.connectors.workbooks.binary import open_binary_workbook
from kinsynth.connectors.workbooks.ods import open_ods
from kinsynth.connectors.workbooks.sheet import Sheet, read_sheet
from kinsynth.connectors.workbooks.xlsx import open_xlsx
from kinsynth.connectors.workbooks.xml_stream import DocumentTypeFound
from kinsynth.errors import SourceError
from kinsynth.settings.source import Source

_MARKS = {
    ".xlsx": "xl/workbook.xml",
    ".xlsm": "xl/workbook.xml",
    ".xlsb": "xl/workbook.bin",
    ".ods": "content.xml",
}


def read_workbook(
    path: Path, source: Source, stem: str
) -> tuple[list[tuple[str, int, Path, dict[str, int]]], list[tuple[str, str]]]:
    """Read the sheets of a workbook into Arrow IPC files of strings.

    Args:
        path: The file.
        source: The settings.
        stem: Start of the names of the Arrow files to write.

    Returns:
        Sheet name, number of rows, Arrow file and counts of each table; sheet name and reason of each
        skipped sheet.

    Raises:
        SourceError: The workbook is damaged, encrypted, hostile, or no table.

    Guarantees:
        Nothing is run, fetched or unpacked to disk. Hidden sheets are named and left out.
    """
    zipped = path.suffix.lower() != ".xls"
    if zipped:
        check_archive(path, max_unpacked_bytes=source.max_unpacked_bytes)
    try:
        return _read_sheets(_sheets(path, source), path, source, stem)
    except DocumentTypeFound:
        raise refused(path.name, "its XML declares a document type or entities") from None
    except (ExpatError, ValueError, LookupError, StopIteration) as error:  # an unknown encoding, too
        raise SourceError(
            "source.damaged",
            f"The workbook cannot be read ({type(error).__name__}).",
            where=path.name,
            remedy="Save it again from a spreadsheet.",
        ) from None


def _sheets(path: Path, source: Source) -> Iterator[Sheet]:
    """Open a workbook by its kind."""
    suffix = path.suffix.lower()
    if suffix == ".xls":
        yield from open_binary_workbook(path)
        return
    with zipfile.ZipFile(path) as archive:
        if _MARKS[suffix] not in archive.namelist():
            raise SourceError(
                "source.wrong_type",
                f"The archive is no {suffix} workbook.",
                where=path.name,
                remedy="Give the file its right ending, or leave it out.",
            )
        if suffix == ".xlsb":
            yield from open_binary_workbook(path)
        elif suffix == ".ods":
            yield from open_ods(archive, max_cells=source.max_cells, where=path.name)
        else:
            yield from open_xlsx(archive)


def _read_sheets(
    sheets: Iterator[Sheet], path: Path, source: Source, stem: str
) -> tuple[list[tuple[str, int, Path, dict[str, int]]], list[tuple[str, str]]]:
    """Read the visible sheets; name the others."""
    tables: list[tuple[str, int, Path, dict[str, int]]] = []
    skipped: list[tuple[str, str]] = []
    for number, sheet in enumerate(sheets, start=1):
        target = Path(f"{stem}-{number:04d}.arrow")
        if sheet.hidden:
            skipped.append((sheet.name, "the sheet is hidden"))
            for _ in sheet.rows:
                pass
            continue
        rows = read_sheet(sheet, source, target, where=f"{path.name}: {sheet.name}")
        if rows is None:
            skipped.append((sheet.name, "the sheet is empty"))
        else:
            tables.append((sheet.name, rows, target, {name: n for name, n in sheet.notes.items() if n}))
    return tables, skipped
