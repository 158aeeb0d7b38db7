"""Anchors: cells of the rows that a row hangs under or points to, as columns beside the row's own.

A moment of a row is often told best, or bounded, by one of its owner's or of a row that it points to: no loan
before its account is opened. Such a moment stands beside the row's own columns under a name that tells
the way to it, in the row's own type and on its own steps. So does a cell of any type that a column repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.echo import as_type
from kinsynth.columns.measure import read_measure, write_measure
from kinsynth.columns.scale import DayScale, MomentScale
from kinsynth.columns.storage import as_array
from kinsynth.pipeline.further_keys import FurtherKeys
from kinsynth.pipeline.roles import find_roles
from kinsynth.schema.graph import Structure
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Relation, Schema

Rows = NDArray[np.int64]
Keys = tuple[Relation, ...]
FindKey = Callable[[str], Rows]
FindCells = Callable[[str, str], pa.Array]
MOMENTS = ("date", "datetime")
MOST_STEPS = 3


@dataclass(frozen=True)
class Anchor:
    """A cell that rows of one table have by another row.

    Attributes:
        name: Name as a column beside the table's own.
        path: Names of the keys that lead to the other row, one after the other.
        table: Table of the other row.
        column: Its column.
        shared: Whether it is the same for all rows of one owner.
        measure: Exact measure of the column that is told by it; None for a cell that is repeated.
        step: Step of that column's values, ticks.
        first: Where its steps begin, ticks.
        storage: Arrow type of the column that repeats it; empty where there is a measure.
    """

    name: str
    path: tuple[str, ...]
    table: str
    column: str
    shared: bool
    measure: DayScale | MomentScale | None
    step: int = 1
    first: int = 0
    storage: str = ""

    def read(self, cells: pa.Array) -> pa.Array:
        """Give cells in the type and, rounded up, on the steps of the column that they are compared with.

        A value on these steps is never before the cell exactly where it is never before what is given.
        """
        if self.measure is None:
            return as_type(cells, storage_type(self.storage))
        tick_R, valid_R = self.measure.to_ticks(cells)
        return self.measure.to_values(tick_R + (self.first - tick_R) % self.step, valid_R)

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        measure = None if self.measure is None else write_measure(self.measure)
        return {**asdict(self), "path": list(self.path), "measure": measure}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Anchor:
        """Read what ``to_json`` gave."""
        said = document["measure"]
        measure = None if said is None else read_measure(said)
        return cls(**{**document, "path": tuple(document["path"]), "measure": measure})


def find_ways(structure: Structure, table: str, inside: Collection[Relation]) -> Iterator[Keys]:
    """Give the ways from a row to rows whose values are known when it is drawn, the shortest first.

    Known are the rows under the same root that it hangs under or points to, and what it points to in trees
    that are drawn before.
    """
    trees = structure.trees
    before = {*trees[: trees.index(structure.root_of(table))]}
    waiting: list[tuple[str, Keys]] = [(table, ())]
    for here, way in waiting:
        owner = structure.parent_relation[here]
        steps = [owner] if owner else []
        steps += [
            one
            for one in structure.keys[here]
            if structure.root_of(one.references_table) in before or one in inside
        ]
        for one in steps:
            yield (*way, one)
            if len(way) + 1 < MOST_STEPS:
                waiting.append((one.references_table, (*way, one)))


def reference_ways(structure: Structure, table: str, ways: Iterable[Keys]) -> Iterator[Keys]:
    """Give the ways to rows of original tables: those that a row references, and the ends of its ways."""
    for way in ((), *ways):
        end = way[-1].references_table if way else table
        if len(way) < MOST_STEPS:
            yield from ((*way, one) for one in structure.reference_relations[end])


def owner_ways(structure: Structure, table: str) -> Iterator[Keys]:
    """Give the ways from a row to its owner, the owner's owner, ..."""
    way: Keys = ()
    for one in (table, *structure.ancestors(table))[:MOST_STEPS]:
        if (owner := structure.parent_relation[one]) is not None:
            way = (*way, owner)
            yield way


def find_anchors(
    schema: Schema,
    structure: Structure,
    ways: Iterable[Keys],
    measure: DayScale | MomentScale,
    lattice: tuple[int, int] = (1, 0),
) -> Iterator[Anchor]:
    """Give the moments at the ends of ways, as what a column with a measure and steps is compared with."""
    owners = {*structure.parent_relation.values()}
    for way in ways:
        target, shared = way[-1].references_table, {*way} <= owners
        for column in moments_of(schema, structure, target):
            title = " -> ".join([*(", ".join(one.columns) for one in way), f"{target}.{column}"])
            yield Anchor(title, tuple(map(str, way)), target, column, shared, measure, *lattice)


def moments_of(schema: Schema, structure: Structure, table: str) -> tuple[str, ...]:
    """Name the dates and moments that are drawn for a table; none for one that is copied."""
    if schema.tables[table].original:
        return ()
    roles = find_roles(schema, structure, table)
    drawn = {roles.sequence, *(column for group in roles.modelled for column in group)}
    columns = schema.tables[table].columns
    return tuple(one.name for one in columns if one.type in MOMENTS and one.name in drawn)


class Reach:
    """Which rows the rows of tables point to, and cells of theirs: what anchors are read from.

    Rows are numbered through over all batches. A key or column that nobody told is looked up where that can
    be done; of one that was told, what is no longer known counts as no row.
    """

    def __init__(self, find_key: FindKey | None = None, find_cells: FindCells | None = None) -> None:
        self._find_key, self._find_cells = find_key, find_cells
        self._keys: dict[str, tuple[int, list[Rows]]] = {}
        self._cells: dict[tuple[str, str], tuple[int, list[pa.Array]]] = {}

    @classmethod
    def of(cls, schema: Schema, tables: Mapping[str, pa.Table]) -> Reach:
        """Look up keys and cells in tables, in their order of rows."""
        named = {str(relation): relation for relation in schema.relations}

        def find_key(key: str) -> Rows:
            one = named[key]
            return row_numbers(tables[one.table], one, tables[one.references_table])

        return cls(find_key, lambda table, column: as_array(tables[table][column]))

    def tell_key(self, key: str, start: int, row_R: Rows, *, kept: bool) -> None:
        """Say which rows the rows from ``start`` on point to, -1 for none; ``kept``: beside those before."""
        first, before = self._keys.get(key, (start, [])) if kept else (start, [])
        self._keys[key] = first, [*before, row_R]

    def tell_cells(self, table: str, column: str, start: int, cells: pa.Array, *, kept: bool) -> None:
        """Say the cells of a column of the rows from ``start`` on; ``kept``: beside those before."""
        first, before = self._cells.get((table, column), (start, [])) if kept else (start, [])
        self._cells[table, column] = first, [*before, cells]

    def values(self, anchor: Anchor, row_R: Rows) -> pa.Array:
        """Give an anchor's values for rows of its table; missing where the way ends."""
        row_R = self.rows(anchor.path, row_R)
        start, several = self._told_cells(anchor.table, anchor.column)
        if len(several) > 1:
            several[:] = [pa.concat_arrays(several)]
        place_R = _places(row_R, start, len(several[0]))
        return anchor.read(several[0].take(pa.array(place_R, mask=place_R < 0)))

    def rows(self, path: Iterable[str], row_R: Rows) -> Rows:
        """Give the rows at the end of a way; -1 where it ends before."""
        for key in path:
            row_R = self._follow(key, row_R)
        return row_R

    def can_read(self, anchor: Anchor) -> bool:
        """Tell whether the keys and the column that an anchor is read from can be looked up."""
        try:
            self.values(anchor, np.zeros(0, dtype=np.int64))
        except KeyError:
            return False
        return True

    def _follow(self, key: str, row_R: Rows) -> Rows:
        start, several = self._told_key(key)
        if len(several) > 1:
            several[:] = [np.concatenate(several)]
        place_R, pointed = _places(row_R, start, len(several[0])), several[0]
        return np.where(place_R < 0, -1, pointed[place_R.clip(0)]) if len(pointed) else place_R

    def _told_key(self, key: str) -> tuple[int, list[Rows]]:
        if key not in self._keys and self._find_key is not None:
            self._keys[key] = 0, [self._find_key(key)]
        return self._keys[key]

    def _told_cells(self, table: str, column: str) -> tuple[int, list[pa.Array]]:
        if (table, column) not in self._cells and self._find_cells is not None:
            self._cells[table, column] = 0, [self._find_cells(table, column)]
        return self._cells[table, column]


def _places(row_R: Rows, start: int, known: int) -> Rows:
    """Give the places of rows among known ones, -1 for others."""
    place_R = row_R - start
    lost_R = (row_R < 0) | (place_R < 0) | (place_R >= known)
    return np.where(lost_R, -1, place_R)


class Beside(Mapping[str, pa.Array]):
    """Columns with anchors beside them, each made when it is asked for.

    Args:
        columns: The columns of some rows.
        anchors: Anchors of their table.
        reach: What the anchors are read from.
        row_R: Numbers of the rows, shape (R,).
    """

    def __init__(
        self, columns: Mapping[str, pa.Array], anchors: Iterable[Anchor], reach: Reach, row_R: Rows
    ) -> None:
        self._columns, self._reach, self._row_R = columns, reach, row_R
        self._anchors = {anchor.name: anchor for anchor in anchors if anchor.name not in columns}

    def __getitem__(self, name: str) -> pa.Array:
        """Give a column, or make an anchor's."""
        if name in self._anchors:
            return self._reach.values(self._anchors[name], self._row_R)
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        """Give the names."""
        yield from self._columns
        yield from self._anchors

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._columns) + len(self._anchors)


def reach_arranged(further: FurtherKeys) -> Reach:
    """Look up keys and cells of arranged rows."""
    named = {str(relation): relation for relation in further.database.schema.relations}

    def find_key(key: str) -> Rows:
        one = named[key]
        if one.references_table not in further.arranged:
            whole = further.database.tables[one.table].select(one.columns)
            cells = whole.take(pa.array(further.arranged[one.table].row_R))
            return row_numbers(cells, one, further.database.tables[one.references_table])
        if one == further.structure.parent_relation[one.table]:
            return further.arranged[one.table].owner_rows
        return further.rows(one)

    def find_cells(table: str, column: str) -> pa.Array:
        cells = as_array(further.database.tables[table][column])
        rows = further.arranged.get(table)
        return cells if rows is None else cells.take(pa.array(rows.row_R))

    return Reach(find_key, find_cells)


class DrawnReach(Reach):
    """What drawn rows tell, batch by batch: no more than anchors read, and of that what they read later.

    Args:
        anchors: Anchors by table.
        structure: What the keys are for.
        originals: Original tables, whose cells are there from the start.
    """

    def __init__(
        self,
        anchors: Mapping[str, Iterable[Anchor]],
        structure: Structure,
        originals: Mapping[str, pa.Table] = {},
    ) -> None:
        super().__init__(find_cells=lambda table, column: as_array(originals[table][column]))
        self._wanted_keys, self._wanted_cells = _find_read(anchors, structure)

    def add_keys(self, table: str, start: int, pointed: Mapping[Relation, Rows]) -> None:
        """Add which rows the next rows of a table, from ``start`` on, point to."""
        for relation, row_R in pointed.items():
            if relation.table == table and str(relation) in self._wanted_keys:
                self.tell_key(str(relation), start, row_R, kept=self._wanted_keys[str(relation)])

    def add_cells(self, table: str, start: int, columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> None:
        """Add the cells of the next rows of a table, from ``start`` on."""
        for (name, column), kept in self._wanted_cells.items():
            if name == table:
                self.tell_cells(table, column, start, as_array(columns[column]), kept=kept)


def _find_read(
    anchors: Mapping[str, Iterable[Anchor]], structure: Structure
) -> tuple[dict[str, bool], dict[tuple[str, str], bool]]:
    """Name the keys and the cells that anchors are read from, and whether other trees read them too."""
    several_keys = (*structure.keys.values(), *structure.reference_relations.values())
    table_of = {str(one): one.table for several in several_keys for one in several}
    table_of |= {str(one): one.table for one in structure.parent_relation.values() if one is not None}
    keys: dict[str, bool] = {}
    cells: dict[tuple[str, str], bool] = {}
    for name, several in anchors.items():
        root = structure.root_of(name)
        for anchor in several:
            for key in anchor.path:
                keys[key] = keys.get(key, False) or structure.root_of(table_of[key]) != root
            if anchor.table in structure.originals:
                continue
            cell = anchor.table, anchor.column
            cells[cell] = cells.get(cell, False) or structure.root_of(anchor.table) != root
    return keys, cells
