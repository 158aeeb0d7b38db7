"""What reading gives and writing reports: Dialect, SourceTable, Skipped, Listing, Written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from kinsynth.system.mapping import map_file

DELIMITERS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}


@dataclass(frozen=True)
class Dialect:
    """How a text file was read.

    Attributes:
        encoding: Python's name of the encoding; ``utf-8-sig`` for UTF-8 with a byte order mark.
        delimiter: ``comma``, ``semicolon`` or ``tab``.
        newline: ``LF``, ``CRLF``, ``CR``, ``mixed`` or ``none``.
        quote: The quote character.
    """

    encoding: str
    delimiter: str
    newline: str
    quote: str = '"'


@dataclass(frozen=True)
class SourceTable:
    """One table as it was read.

    Attributes:
        name: Name of the table: the file's stem, or the sheet's name in a workbook with several sheets.
        file: Name of the file.
        sheet: Name of the sheet; empty for other files.
        format: Ending of the file without its dot.
        rows: Number of rows, header not counted.
        path: Arrow IPC file with the cells.
        dialect: How a text file was read; None for other files.
        notes: Counts a user should see, such as ``formulas``, ``error_cells``, ``blank_lines``.
    """

    name: str
    file: str
    sheet: str
    format: str
    rows: int
    path: Path
    dialect: Dialect | None = None
    notes: Mapping[str, int] = field(default_factory=dict)

    def table(self) -> pa.Table:
        """Give the cells, mapped from the file: they take memory only where they are touched."""
        return pa.ipc.open_file(pa.py_buffer(map_file(self.path))).read_all()


@dataclass(frozen=True)
class Skipped:
    """A file or sheet that is not a table, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """All tables of a source, and what was left aside."""

    tables: tuple[SourceTable, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Written:
    """One table as it was written.

    Attributes:
        name: Name of the table.
        file: The file.
        sheet: Name of the sheet in a workbook; empty for other files.
        format: Ending of the file without its dot.
        rows: Number of rows, header not counted.
        sha256: Digest of the file.
    """

    name: str
    file: Path
    sheet: str
    format: str
    rows: int
    sha256: str
