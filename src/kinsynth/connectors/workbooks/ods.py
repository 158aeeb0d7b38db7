"""Sheets of OpenDocument workbooks, from their XML: stored values; repetitions are counted first."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from kinsynth.connectors.content import encrypted
from kinsynth.connectors.workbooks.numbers import clock_text, number_text
from kinsynth.connectors.workbooks.sheet import Sheet, too_many_cells
from kinsynth.connectors.workbooks.xml_stream import stream

_MAX_REPEATED_CELLS = 10_000_000
_MAX_ROW = 1_048_576
_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,](\d{1,9}))?S")
_BLANKS = re.compile(r"[ \t\r\n]+")
_FRACTION = re.compile(r"(:\d\d)[.,](\d*?)0*$")
_ASIDE = {
    "annotation",
    "shapes",
    "frame",
    "custom-shape",
    "tracked-changes",
    "rect",
    "line",
    "g",
    "ruby-text",
}


def open_ods(archive: zipfile.ZipFile, *, max_cells: int, where: str) -> Iterator[Sheet]:
    """Give the sheets of a workbook in their order, each to be consumed before the next.

    Raises:
        SourceError: The workbook is encrypted, or repeats cells beyond the limits.
    """
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise encrypted(where)
    with archive.open("content.xml") as handle:
        pending: Iterator[_Event] = stream(handle, _Tables(max_cells, where))
        for event in pending:
            if isinstance(event, _Start):
                yield Sheet(event.name, event.hidden, _until_end(pending), event.notes)


class _Start:
    """A sheet begins."""

    def __init__(self, name: str, *, hidden: bool) -> None:
        self.name, self.hidden = name, hidden
        self.notes: Counter[str] = Counter()


_Event = _Start | tuple[int, dict[int, str]] | None


def _until_end(events: Iterator[_Event]) -> Iterator[tuple[int, dict[int, str]]]:
    """Give the rows of the current sheet; its end is None."""
    for event in events:
        if event is None:
            return
        assert not isinstance(event, _Start), "a sheet begins only after the end of the one before"
        yield event


class _Tables:
    """Sheets, rows and cells as they are met."""

    def __init__(self, max_cells: int, where: str) -> None:
        self._max_cells, self._where = max_cells, where
        self._events: list[_Event] = []
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._sheet: _Start | None = None
        self._row_number = self._column = self._repeated = self._repeated_rows = 0
        self._row: dict[int, str] = {}
        self._attributes: dict[str, str] = {}
        self._paragraphs: list[list[str]] = []
        self._in_cell = self._in_paragraph = False
        self._aside = 0

    def take(self) -> list[_Event]:
        """Give the events since the last call."""
        events, self._events = self._events, []
        return events

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin a sheet, a row, a cell or its text."""
        if self._aside or name in _ASIDE:
            self._aside += 1
        elif name in {"table-cell", "covered-table-cell"}:
            self._attributes, self._paragraphs = attributes, []
            self._in_cell = attributes.get("value-type", "string") == "string"
        elif name == "p" and self._in_cell:
            self._paragraphs.append([])
            self._in_paragraph = True
        elif self._in_paragraph:
            self._blank(name, attributes)
        elif name == "table-row":
            self._row, self._column = {}, 0
            self._repeated_rows = int(attributes.get("number-rows-repeated", "1"))
        elif name == "table":
            self._begin_sheet(attributes)
        elif name == "style":
            self._style = attributes.get("name", "")
        elif name == "table-properties" and attributes.get("display") == "false":
            self._hidden_styles.add(self._style)

    def end(self, name: str) -> None:
        """End what was begun."""
        if self._aside:
            self._aside -= 1
        elif name in {"table-cell", "covered-table-cell"}:
            self._in_cell = False
            self._end_cell(covered=name != "table-cell")
        elif name == "p":
            self._in_paragraph = False
        elif name == "table-row" and self._sheet is not None:
            self._end_row()
        elif name == "table" and self._sheet is not None:
            self._sheet = None
            self._events.append(None)

    def text(self, data: str) -> None:
        """Collect text of a paragraph; runs of white space count as one space."""
        if self._in_paragraph and not self._aside:
            self._paragraphs[-1].append(_BLANKS.sub(" ", data))

    def _begin_sheet(self, attributes: dict[str, str]) -> None:
        if self._sheet is not None:
            raise ValueError("a sheet inside a sheet")
        self._sheet = _Start(attributes["name"], hidden=attributes.get("style-name") in self._hidden_styles)
        self._row_number = 0
        self._events.append(self._sheet)

    def _blank(self, name: str, attributes: dict[str, str]) -> None:
        """Collect the white space that has an element of its own."""
        blank = {
            "s": " " * min(int(attributes.get("c", "1")), _MAX_ROW),
            "tab": "\t",
            "line-break": "\n",
        }.get(name)
        if blank:
            self._paragraphs[-1].append(blank)

    def _end_cell(self, *, covered: bool) -> None:
        """Put the cell's text into the row, as often as it is repeated."""
        repeated = int(self._attributes.get("number-columns-repeated", "1"))
        text = None if covered else self._cell_text()
        if int(self._attributes.get("number-columns-spanned", "1")) > 1 and self._sheet is not None:
            self._sheet.notes["merged_cells"] += 1
        if text is not None:
            self._count_repeated(repeated - 1)
            self._row.update(dict.fromkeys(range(self._column, self._column + repeated), text))
        self._column += repeated

    def _end_row(self) -> None:
        """Give the row, as often as it is repeated."""
        first, last = self._row_number + 1, self._row_number + self._repeated_rows
        self._row_number = last
        if not self._row:
            self._events += [(last, {})] if self._repeated_rows == 1 else []
            return
        if last > _MAX_ROW:
            raise ValueError("more rows than a sheet can have")
        self._count_repeated((self._repeated_rows - 1) * len(self._row))
        self._events += [(number, self._row) for number in range(first, last + 1)]

    def _count_repeated(self, cells: int) -> None:
        self._repeated += cells
        if self._repeated > min(_MAX_REPEATED_CELLS, self._max_cells):
            raise too_many_cells(min(_MAX_REPEATED_CELLS, self._max_cells), where=self._where)

    def _cell_text(self) -> str | None:
        """Give the text of the cell; None when it holds nothing. Formulas and errors are counted."""
        attributes = self._attributes
        if self._sheet is not None and "formula" in attributes:
            self._sheet.notes["formulas"] += 1
        if self._sheet is not None and attributes.get("+value-type") == "error":
            self._sheet.notes["error_cells"] += 1
            return None
        kind = attributes.get("value-type", "")
        if kind in _TYPED:
            attribute, write = _TYPED[kind]
            return write(attributes[attribute])
        if not kind and not self._paragraphs:
            return None
        shown = "\n".join("".join(parts) for parts in self._paragraphs)
        return attributes.get("string-value", shown)


def _shortened(found: re.Match[str]) -> str:
    """Drop the zeros at the end of a fraction, and an empty fraction."""
    return f"{found[1]}.{found[2]}" if found[2] else found[1]


def _clock(duration: str) -> str:
    """Put a duration such as ``PT03H04M05.5S`` into hours, minutes and seconds."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        return duration
    text = clock_text((int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])) * 1000)
    fraction = (found[4] or "").rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def _moment(date: str) -> str:
    """Put a date, with or without a time, into ISO text with a space."""
    return _FRACTION.sub(_shortened, date.replace("T", " "))


_TYPED: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "float": ("value", number_text),
    "percentage": ("value", number_text),
    "currency": ("value", number_text),
    "boolean": ("boolean-value", str),
    "date": ("date-value", _moment),
    "time": ("time-value", _clock),
}
