"""Sheets of xlsx and xlsm workbooks, from their XML: cached values only, nothing is run or fetched."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from kinsynth.connectors.workbooks.numbers import Moment, format_kind, number_text, serial_text
from kinsynth.connectors.workbooks.sheet import Sheet
from kinsynth.connectors.workbooks.xml_stream import stream

_MAX_ROW, _MAX_COLUMN = 1_048_576, 16_384
_CODED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def open_xlsx(archive: zipfile.ZipFile) -> Iterator[Sheet]:
    """Give the worksheets of a workbook in their order.

    Sheets that hold no cells (charts, dialogs, macros) are left out.
    """
    workbook = _workbook_name(archive)
    book = _Book()
    _consume(archive, workbook, book)
    targets = _targets(archive, workbook)
    strings = _strings(archive, targets)
    kinds = _cell_kinds(archive, targets)
    for name, state, relation in book.sheets:
        kind, target = targets[relation]
        if kind != "worksheet":
            continue
        notes: Counter[str] = Counter()
        parser = _Cells(strings, kinds, notes, epoch_1904=book.epoch_1904)
        yield Sheet(name, state != "visible", _rows(archive, target, parser), notes)


def _rows(archive: zipfile.ZipFile, member: str, parser: _Cells) -> Iterator[tuple[int, dict[int, str]]]:
    with archive.open(member) as handle:
        yield from stream(handle, parser)


def _consume(archive: zipfile.ZipFile, member: str, parser: _Part) -> None:
    """Parse a whole small part."""
    with archive.open(member) as handle:
        for _ in stream(handle, parser):
            pass


class _Part:
    """A part of a workbook that is parsed for its attributes."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Ignore an element."""

    def end(self, name: str) -> None:
        """Ignore the end of an element."""

    def text(self, data: str) -> None:
        """Ignore text."""

    def take(self) -> list[None]:
        """Give nothing."""
        return []


class _Book(_Part):
    """The table of contents."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, str]] = []
        self.epoch_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Note sheets and the date system."""
        if name == "sheet":
            self.sheets.append((attributes["name"], attributes.get("state", "visible"), attributes["id"]))
        elif name == "workbookPr":
            self.epoch_1904 = attributes.get("date1904", "0") in {"1", "true", "on"}


class _Relations(_Part):
    """Which part is which."""

    def __init__(self) -> None:
        self.targets: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Note targets inside the workbook; those outside are never followed."""
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            self.targets[attributes["Id"]] = (attributes["Type"].rpartition("/")[2], attributes["Target"])


class _Styles(_Part):
    """The number format of each cell style."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.formats: list[int] = []
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Note formats and the styles of cells."""
        if name == "numFmt":
            self.codes[int(attributes["numFmtId"])] = attributes["formatCode"]
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self.formats.append(int(attributes.get("numFmtId", "0")))

    def end(self, name: str) -> None:
        """Leave the styles of cells."""
        if name == "cellXfs":
            self._inside = False


class _Strings(_Part):
    """The shared texts; phonetic readings are left out."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._parts: list[str] = []
        self._wanted = False
        self._phonetic = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """Begin a text or a part of it."""
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._wanted = not self._phonetic

    def end(self, name: str) -> None:
        """End a text or a part of it."""
        if name == "si":
            self.strings.append(_decoded("".join(self._parts)))
        elif name == "rPh":
            self._phonetic = False
        elif name == "t":
            self._wanted = False

    def text(self, data: str) -> None:
        """Collect."""
        if self._wanted:
            self._parts.append(data)


@dataclass
class _Cell:
    """The cell that is being parsed."""

    column: int = -1
    kind: str = "n"
    style: int = 0
    formula: bool = False
    value: str | None = None


class _Cells:
    """Rows of one worksheet."""

    def __init__(
        self, strings: list[str], kinds: list[Moment | None], notes: Counter[str], *, epoch_1904: bool
    ) -> None:
        self._strings, self._kinds, self._notes, self._epoch_1904 = strings, kinds, notes, epoch_1904
        self._rows: list[tuple[int, dict[int, str]]] = []
        self._number = 0
        self._row: dict[int, str] = {}
        self._cell = _Cell()
        self._wanted = self._phonetic = False
        self._parts: list[str] = []
        self._columns: dict[str, int] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin a row, a cell or its value."""
        if name == "c":
            column = self._column(attributes["r"]) if "r" in attributes else self._cell.column + 1
            if not self._cell.column < column < _MAX_COLUMN:
                raise ValueError("cells of a row out of order")
            self._cell = _Cell(column, attributes.get("t", "n"), int(attributes.get("s", "0")))
            self._parts = []
        elif name in {"v", "t"}:
            self._wanted = not self._phonetic
        elif name == "row":
            number = int(attributes.get("r", self._number + 1))
            if not self._number < number <= _MAX_ROW:
                raise ValueError("rows out of order")
            self._number, self._row, self._cell = number, {}, _Cell()
        elif name == "f":
            self._cell.formula = True
        elif name == "rPh":
            self._phonetic = True
        elif name == "mergeCell":
            self._notes["merged_cells"] += 1

    def end(self, name: str) -> None:
        """End a value, a cell or a row."""
        if name in {"v", "t"}:
            self._wanted = False
            self._cell.value = "".join(self._parts)
        elif name == "c":
            self._store()
        elif name == "row":
            self._rows.append((self._number, self._row))
        elif name == "rPh":
            self._phonetic = False

    def text(self, data: str) -> None:
        """Collect."""
        if self._wanted:
            self._parts.append(data)

    def take(self) -> list[tuple[int, dict[int, str]]]:
        """Give the rows since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def _column(self, reference: str) -> int:
        """Give the column number of a cell such as ``AB12``, whose row must be the current one."""
        letters = reference.rstrip("0123456789")
        if reference[len(letters) :] != str(self._number):
            raise ValueError("a cell names another row")
        if letters not in self._columns:
            number = 0
            for letter in letters:
                number = number * 26 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter) + 1
            self._columns[letters] = number - 1
        return self._columns[letters]

    def _store(self) -> None:
        """Put the cell's text into the row."""
        cell = self._cell
        if cell.formula:
            self._notes["formulas" if cell.value is not None else "formulas_without_value"] += 1
        if cell.value is None:
            return
        if cell.kind == "e":
            self._notes["error_cells"] += 1
            return
        text = self._text(cell, cell.value)
        if text is not None:
            self._row[cell.column] = text

    def _text(self, cell: _Cell, value: str) -> str | None:
        """Give the text of a value; None for a number that is not there."""
        if cell.kind == "n":
            return self._number_text(cell.style, value.strip())
        if cell.kind == "s":
            return self._strings[int(value)]
        if cell.kind in {"inlineStr", "str"}:
            return _decoded(value)
        if cell.kind == "b":
            return "true" if value.strip() == "1" else "false"
        if cell.kind == "d":
            return value.replace("T", " ")
        raise ValueError("unknown kind of cell")

    def _number_text(self, style: int, value: str) -> str | None:
        """Put a number, date or time into text."""
        if not value:
            return None
        moment = self._kinds[style] if style < len(self._kinds) else None
        if moment is not None:
            text = serial_text(float(value), moment, epoch_1904=self._epoch_1904)
            if text is not None:
                return text
            self._notes["numbers_shown_as_dates"] += 1
        return number_text(value)


def _decoded(text: str) -> str:
    """Undo ``_x000D_`` and its like."""
    return _CODED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _workbook_name(archive: zipfile.ZipFile) -> str:
    """Find the table of contents."""
    relations = _Relations()
    _consume(archive, "_rels/.rels", relations)
    for kind, target in relations.targets.values():
        if kind == "officeDocument":
            return target.lstrip("/")
    raise ValueError("no workbook is named")  # as other damage is told


def _targets(archive: zipfile.ZipFile, workbook: str) -> dict[str, tuple[str, str]]:
    """Give kind and member name of each part the workbook refers to."""
    folder, name = posixpath.split(workbook)
    relations = _Relations()
    _consume(archive, posixpath.join(folder, "_rels", f"{name}.rels"), relations)
    return {
        key: (kind, posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/"))
        for key, (kind, target) in relations.targets.items()
    }


def _strings(archive: zipfile.ZipFile, targets: dict[str, tuple[str, str]]) -> list[str]:
    """Read the shared texts."""
    parser = _Strings()
    for kind, target in targets.values():
        if kind == "sharedStrings":
            _consume(archive, target, parser)
    return parser.strings


def _cell_kinds(archive: zipfile.ZipFile, targets: dict[str, tuple[str, str]]) -> list[Moment | None]:
    """Read for each cell style whether it shows a date or time."""
    parser = _Styles()
    for kind, target in targets.values():
        if kind == "styles":
            _consume(archive, target, parser)
    return [format_kind(number, parser.codes.get(number)) for number in parser.formats]
