"""Facts: what the checks look at, and how a finding is written."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from kinsynth.connectors.base import Listing
from kinsynth.errors import Finding, Severity
from kinsynth.schema.facts import Facts as KeyFacts
from kinsynth.schema.graph import Structure
from kinsynth.schema.table import Schema
from kinsynth.settings.fields import join_path
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.tables import Table as TableSettings
from kinsynth.settings.treatment import Column as ColumnSettings

_SHOWN_ROWS = 5


@dataclass(frozen=True)
class Facts:
    """A document beside the data it is about.

    Attributes:
        synthesis: The document.
        schema: What is used of the source: chosen tables and columns, keys, relations.
        structure: What the relations make of the tables.
        tables: The chosen tables, typed.
        source: Names of all columns by table, as in the source.
        listing: How files were read; None for tables handed over in Python.
        key_facts: What the rows say about each foreign key of a synthesised table.
    """

    synthesis: Synthesis
    schema: Schema
    structure: Structure
    tables: Mapping[str, pa.Table]
    source: Mapping[str, Sequence[str]]
    listing: Listing | None = None
    key_facts: KeyFacts = field(default_factory=dict)

    @property
    def synthesised(self) -> tuple[str, ...]:
        """Names of the tables that are not copied."""
        return tuple(name for name, table in self.schema.tables.items() if not table.original)

    @property
    def originals(self) -> tuple[str, ...]:
        """Names of the tables that are copied."""
        return tuple(name for name, table in self.schema.tables.items() if table.original)

    def rows(self, table: str) -> int:
        """Give the number of rows of a chosen table."""
        return int(self.tables[table].num_rows)

    def settings(self, table: str) -> TableSettings:
        """Give what the document says about a table."""
        return self.synthesis.tables.get(table, _TABLE)

    def column_settings(self, table: str, column: str) -> ColumnSettings:
        """Give what the document says about a column."""
        return self.settings(table).columns.get(column, _COLUMN)


_TABLE = TableSettings()
_COLUMN = ColumnSettings()


@dataclass(frozen=True)
class Step:
    """Writes the findings of one configuration step."""

    name: str

    def error(self, code: str, where: str, message: str, remedy: str) -> Finding:
        """Make a finding that blocks."""
        return self._make(code, "error", where, message, remedy)

    def warning(self, code: str, where: str, message: str, remedy: str) -> Finding:
        """Make a finding to think about."""
        return self._make(code, "warning", where, message, remedy)

    def notice(self, code: str, where: str, message: str, remedy: str) -> Finding:
        """Make a finding to know about."""
        return self._make(code, "notice", where, message, remedy)

    def _make(self, code: str, severity: Severity, where: str, message: str, remedy: str) -> Finding:
        return Finding(code, severity, where, message, remedy, self.name)


def table_path(table: str, *fields: str) -> str:
    """Write the place of a table's field in the document."""
    return join_path(("tables", table, *fields))


def column_path(table: str, column: str, *fields: str) -> str:
    """Write the place of a column's field in the document."""
    return join_path(("tables", table, "columns", column, *fields))


def list_names(names: Iterable[str]) -> str:
    """Write names as the document lists them.

    >>> list_names(["a", "b"])
    '[a, b]'
    """
    return f"[{', '.join(names)}]"


def show_rows(rows: Sequence[int]) -> str:
    """Write the numbers of the first rows.

    >>> show_rows([1, 5])
    'rows 1, 5'
    """
    shown = ", ".join(str(row) for row in rows[:_SHOWN_ROWS])
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{' ...' if len(rows) > _SHOWN_ROWS else ''}"


def suggest(name: str, names: Iterable[str]) -> str:
    """Name the nearest of several names, or list them."""
    known = list(names)
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
