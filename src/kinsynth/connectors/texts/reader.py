"""Comma, semicolon and tab separated files: every cell as text, or the file is refused."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

from kinsynth.connectors.base import DELIMITERS, Dialect
from kinsynth.connectors.headers import check_headers
from kinsynth.connectors.string_table import StringTable, cell_too_large
from kinsynth.connectors.texts.encoding import find_encoding
from kinsynth.errors import SourceError
from kinsynth.settings.source import Source

_SAMPLE_CHARACTERS = 1 << 18
_LINE_CHARACTERS = 1 << 26
_LISTED_ROWS = 20
_NEWLINES = {"\n": "LF", "\r\n": "CRLF", "\r": "CR", None: "none"}


@dataclass
class _Shape:
    """Makes rows as wide as the header, or remembers those that cannot be.

    Attributes:
        width: Number of columns.
        pad: Fill short rows, drop extra empty cells.
        rows: Rows met, header not counted.
        ragged: Numbers of the first rows that cannot be kept.
        ragged_rows: How many there are.
        trailing: Rows with exactly one extra cell, empty.
        padded: Rows that were filled.
        blank: Blank lines since the last row with cells.
    """

    width: int
    pad: bool
    rows: int = 0
    ragged: list[int] = field(default_factory=list)
    ragged_rows: int = 0
    trailing: int = 0
    padded: int = 0
    blank: int = 0

    def rectangular(self, rows: Iterator[list[str]]) -> Iterator[list[str | None]]:
        """Give the rows, all as wide as the header.

        A blank line is a missing cell where there is one column. Elsewhere it is a row without cells,
        or nothing when no row follows.
        """
        for self.rows, cells in enumerate(rows, start=1):
            row: list[str | None] = [*cells] or [""]
            if not cells and self.width > 1:
                self.blank += 1
                continue
            for number in range(self.rows - self.blank, self.rows):
                yield self._fitted([], number)
            self.blank = 0
            yield row if len(row) == self.width else self._fitted(row, self.rows)

    def _fitted(self, row: list[str | None], number: int) -> list[str | None]:
        extra_empty = len(row) > self.width and not any(row[self.width :])
        self.trailing += extra_empty and len(row) == self.width + 1
        if self.pad and len(row) < self.width:
            self.padded += 1
        elif not (self.pad and extra_empty):
            self.ragged_rows += 1
            self.ragged += [number] if len(self.ragged) < _LISTED_ROWS else []
        return [*row[: self.width], *[None] * (self.width - len(row))]

    def error(self, where: str) -> SourceError:
        """Say which rows have another length than the header."""
        rows = self.rows - self.blank
        message = f"All {rows:,} rows end with one delimiter more than the header of {self.width:,} columns."
        if self.trailing != rows:
            listed = ", ".join(f"{row:,}" for row in self.ragged)
            message = (
                f"{self.ragged_rows:,} of {rows:,} rows have another number of cells than the header's "
                f"{self.width:,}: rows {listed}{', ...' if self.ragged_rows > len(self.ragged) else ''}."
            )
        return SourceError(
            "source.ragged_rows",
            message,
            where=where,
            remedy="Repair the rows, or set source.ragged_rows to pad: short rows are filled, extra empty "
            "cells dropped.",
        )

    def notes(self) -> dict[str, int]:
        """Give the counts a user should see."""
        counts = {"blank_lines": self.blank, "padded_rows": self.padded, "extra_empty_cells": self.trailing}
        return {name: count for name, count in counts.items() if count}


class _Lines:
    """Lines of a file with their ends, counted."""

    def __init__(self, handle: TextIO, where: str) -> None:
        self._read = partial(handle.readline, _LINE_CHARACTERS)
        self._where = where
        self.lines = 0
        self.characters = 0
        self.nuls = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._read()
        if not line:
            raise StopIteration
        self.lines += 1
        self.characters += len(line)
        self.nuls += line.count("\0")
        if len(line) == _LINE_CHARACTERS and line[-1] not in "\r\n":
            raise SourceError(
                "source.line_too_long",
                f"Line {self.lines:,} is longer than {_LINE_CHARACTERS:,} characters.",
                where=self._where,
                remedy="The file is not a table of text, or an end of line is missing.",
            )
        return line


def read_text_file(path: Path, source: Source, target: Path) -> tuple[int, Dialect, dict[str, int]]:
    """Read one text file into an Arrow IPC file of strings.

    A cell in quotes equals the same cell without quotes, so that a quoted empty cell is missing when
    the empty cell is. A quote inside an unquoted cell is a character. Text after a closing quote is refused.

    Args:
        path: The file.
        source: The settings.
        target: The Arrow IPC file to write.

    Returns:
        Number of rows, the dialect, and counts for the user.

    Raises:
        SourceError: The file cannot be read without a guess or a loss.

    Guarantees:
        Every character of every cell arrives unchanged, or the file is refused.
    """
    encoding = find_encoding(path, source.encoding)
    csv.field_size_limit(source.max_cell_bytes)
    with path.open(encoding=encoding, newline="") as handle:
        delimiter: str = source.delimiter
        if delimiter == "auto":
            delimiter = find_delimiter(handle.read(_SAMPLE_CHARACTERS), path.suffix.lower())
            handle.seek(0)
        lines = _Lines(handle, path.name)
        rows = _rows(lines, DELIMITERS[delimiter], source.max_cell_bytes, path.name)
        count, notes = _store(rows, lines, source=source, target=target, where=path.name)
        found = handle.newlines
    newline = "mixed" if isinstance(found, tuple) else _NEWLINES[found]
    return count, Dialect(encoding, delimiter, newline), notes


def find_delimiter(sample: str, suffix: str) -> str:
    r"""Choose the delimiter under which the rows of a sample are most alike.

    Args:
        sample: Start of the file.
        suffix: Ending of the file; ``.tsv`` and ``.tab`` prefer the tab when the sample does not decide.

    Returns:
        ``comma``, ``semicolon`` or ``tab``; the file's usual one when there is a single column.

    >>> find_delimiter("name;note\na;1,5\nb;2,5\n", ".csv")
    'semicolon'
    """
    preferred = ["tab", "comma", "semicolon"] if suffix in {".tsv", ".tab"} else ["comma", "semicolon", "tab"]
    scores = {name: _alike(sample, DELIMITERS[name]) for name in preferred}
    return max(preferred, key=lambda name: scores[name])


def _alike(sample: str, delimiter: str) -> tuple[float, int]:
    """Give the share of rows as wide as the header, and that width; nothing for a single column."""
    lines = sample.splitlines(keepends=True)
    if len(sample) >= _SAMPLE_CHARACTERS and len(lines) > 1:
        lines = lines[:-1]
    widths: list[int] = []
    try:
        widths.extend(len(row) for row in csv.reader(lines, delimiter=delimiter, strict=True) if row)
    except csv.Error:
        if not widths:
            return 0.0, 0
    if not widths or widths[0] == 1:
        return 0.0, 0
    return widths.count(widths[0]) / len(widths), widths[0]


def _rows(lines: _Lines, delimiter: str, max_cell_bytes: int, where: str) -> Iterator[list[str]]:
    """Give the rows of a file; every complaint of the parser becomes a code."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows, start = 0, 1
    while True:
        start = lines.lines + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field larger" in str(error):
                raise cell_too_large(max_cell_bytes, where=where, rows=max(rows - 1, 0)) from None
            if "unexpected end" in str(error):
                code, what = "source.unclosed_quote", "has a quote that is never closed"
            else:
                code, what = "source.text_after_quote", "has text after a closing quote"
            raise SourceError(
                code,
                f"The row at line {start:,} {what}.",
                where=where,
                remedy="Double the quotes inside quoted cells.",
            ) from None
        rows += 1
        yield row


def _store(
    rows: Iterator[list[str]], lines: _Lines, *, source: Source, target: Path, where: str
) -> tuple[int, dict[str, int]]:
    """Write the rows that fit the header; refuse the file when others cannot be kept."""
    header = next((row for row in rows if row), None)
    if header is None:
        raise SourceError(
            "source.empty", "The file holds no header and no row.", where=where, remedy="Leave it out."
        )
    pad = source.ragged_rows == "pad"
    if pad and len(header) > 1 and not header[-1]:
        header = header[:-1]
    names = check_headers(
        header, where=where, duplicates=source.duplicate_headers, max_columns=source.max_columns
    )
    shape = _Shape(len(header), pad)
    with StringTable(
        target, names, where=where, null_values=source.null_values, max_cell_bytes=source.max_cell_bytes
    ) as table:
        seen = 0
        for row in shape.rectangular(rows):
            table.add(row, lines.characters - seen)
            seen = lines.characters
    if shape.ragged_rows:
        raise shape.error(where)
    nuls = {"NUL_characters": lines.nuls} if lines.nuls else {}
    return table.rows, shape.notes() | nuls
