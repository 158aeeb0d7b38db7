"""Paths along foreign keys: from each row of a table to one row of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from kinsynth.schema.database import Database
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.table import Relation

RowNumbers = NDArray[np.int64]
Path = tuple[Relation, ...]
Steps = Callable[[str], tuple[Relation, ...]]


class Walker:
    """Follows paths through the rows of a database, each relation joined once."""

    def __init__(self, database: Database) -> None:
        """Start with nothing joined."""
        self._database = database
        self._joined: dict[Relation, RowNumbers] = {}
        self._always: dict[Relation, bool] = {}

    def rows(self, relation: Relation) -> RowNumbers:
        """Give the row that each row points at, -1 for none, shape (rows of the table,)."""
        if relation not in self._joined:
            tables = self._database.tables
            self._joined[relation] = row_numbers(
                tables[relation.table], relation, tables[relation.references_table]
            )
        return self._joined[relation]

    def always(self, relation: Relation) -> bool:
        """Tell whether each row points at one."""
        if relation not in self._always:
            self._always[relation] = bool((self.rows(relation) >= 0).all())
        return self._always[relation]

    def ends(self, path: Path, start_R: RowNumbers) -> RowNumbers:
        """Give the row to which a path leads from each row, -1 where a step is missing, shape (R,)."""
        end_R = start_R
        for relation in path:
            end_R = np.append(self.rows(relation), -1)[end_R]
        return end_R

    def everything(self, table: str) -> RowNumbers:
        """Number the rows of a table, shape (R,)."""
        return np.arange(self._database.tables[table].num_rows, dtype=np.int64)


def paths(table: str, steps: Steps, *, longest: int) -> Iterator[Path]:
    """Give the paths from a table, the empty one first, shorter before longer.

    Args:
        table: Where they begin.
        steps: Relations that may be followed from a table.
        longest: Most steps.
    """
    found: list[Path] = [()]
    for path in found:
        yield path
        if len(path) < longest:
            found += [(*path, one) for one in steps(path[-1].references_table if path else table)]


def end_of(path: Path, table: str) -> str:
    """Give the table in which a path from a table ends."""
    return path[-1].references_table if path else table


def trace(path: Path) -> dict[str, str]:
    """Tell which columns at the start of a path have the values of which columns at its end.

    >>> trace((Relation("a", ("x", "y"), "b", ("p", "q")), Relation("b", ("q",), "c", ("z",))))
    {'y': 'z'}
    """
    found: dict[str, str] | None = None
    for one in path:
        pairs = dict(zip(one.columns, one.references_columns, strict=True))
        found = pairs if found is None else {c: pairs[mid] for c, mid in found.items() if mid in pairs}
    return found or {}


def write_path(path: Path) -> str:
    """Draw a path of foreign keys.

    >>> write_path((Relation("staff", ("store_id",), "store", ("id",)),))
    'staff.store_id -> store'
    """
    return ", ".join(f"{one.table}.{'+'.join(one.columns)} -> {one.references_table}" for one in path)
