"""Turn row numbers into key values; nothing is decided here.

A key value follows from the number of the row that it names, so tables get their keys some rows at a time.
Shape letters: R rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.schema.keys import row_numbers
from kinsynth.schema.storage import cast_values, storage_type
from kinsynth.schema.table import Relation, Schema
from kinsynth.system.mapping import let_go

RowNumbers = NDArray[np.int64]
MakeKeys = Callable[[RowNumbers], pa.Array]
PART_ROWS = 1 << 16


@dataclass(frozen=True)
class Linking:
    """Synthetic tables, and what their key columns follow from.

    A column of foreign keys has the values of the rows they point to; where several know it, the first in
    ``pointed``, then ``implied``, that points at a row. Other columns come from ``new_keys``, or the table
    itself.

    Attributes:
        schema: What the tables look like.
        tables: Synthetic tables with at least the columns that are no keys.
        rows: Number of rows of each of them.
        pointed: For each relation the referenced row for each row, -1 where there is none; of one table
            the relation to its owner first.
        implied: For each other relation of a synthetic table the relations that lead, one after the other, to
            where it leads; the last ones may be those of original tables.
        new_keys: By table and column what makes the values of some rows.
        originals: The tables that are copied unchanged.

    Raises:
        ValueError: Row numbers are too few or too many.
    """

    schema: Schema
    tables: Mapping[str, pa.Table]
    rows: Mapping[str, int]
    pointed: Mapping[Relation, RowNumbers]
    new_keys: Mapping[tuple[str, str], MakeKeys]
    originals: Mapping[str, pa.Table]
    implied: Mapping[Relation, tuple[Relation, ...]] = field(default_factory=dict)
    _whole: dict[tuple[str, str], pa.Array] = field(default_factory=dict, init=False, repr=False)
    _joined: dict[Relation, RowNumbers] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check that there is a row number for each row."""
        for relation, row_R in self.pointed.items():
            if len(row_R) != self.rows[relation.table]:
                raise ValueError(f"{relation}: {len(row_R)} rows, expected {self.rows[relation.table]}")
        for name, table in self.tables.items():
            if table.num_columns and table.num_rows != self.rows[name]:
                raise ValueError(f"{name}: {table.num_rows} rows, expected {self.rows[name]}")

    def parts(self, name: str, *, part_rows: int = PART_ROWS) -> Iterator[pa.Table]:
        """Give a table with its keys, some rows at a time.

        Columns stand in the schema's order and in their storage types, each in one chunk.

        Raises:
            ValueError: A column has no values, or only those of a circle of keys.

        Memory: that of one part, and of the key columns that were drawn.
        """
        for start in range(0, max(self.rows[name], 1), part_rows):
            yield self._part(name, start, min(start + part_rows, self.rows[name]))
            let_go()

    def _part(self, name: str, start: int, stop: int) -> pa.Table:
        row_R, columns = np.arange(start, stop, dtype=np.int64), {}
        for column in self.schema.tables[name].columns:
            if self._is_drawn(name, column.name):
                values = self.tables[name].column(column.name).slice(start, stop - start)
            else:
                values = self.values(name, column.name, row_R)
            columns[column.name] = cast_values(values, storage_type(column.storage))
        return pa.table(columns).combine_chunks()

    def _is_drawn(self, table: str, column: str) -> bool:
        """Whether the table itself has the values of a column."""
        follows = (table, column) in self.new_keys or any(self._named_by(table, column))
        return not follows and column in self.tables[table].column_names

    def _named_by(self, table: str, column: str) -> Iterator[tuple[Relation, str]]:
        """Give the relations that know the values of a column, each with the column it has them from."""
        for relation in (*self.pointed, *self.implied):
            if (reference := _referenced(relation, table, column)) is not None:
                yield relation, reference

    def values(
        self, table: str, column: str, row_R: RowNumbers, *, asked: frozenset[tuple[str, str]] = frozenset()
    ) -> pa.Array:
        """Give the values of a column in some rows; ``asked`` are the columns that ask for them."""
        if self.schema.tables[table].original:
            return self._taken(table, column, self.originals[table], row_R)
        if (table, column) in asked:
            raise ValueError(f"{table}.{column}: its values come from a circle of keys")
        made: pa.Array | None = None
        for relation, reference in self._named_by(table, column):
            if made is None or made.null_count:
                there = self._across(relation, reference, row_R, asked | {(table, column)})
                made = there if made is None else pc.coalesce(made, cast_values(there, made.type))
        if made is not None:
            return made
        if (table, column) in self.new_keys:
            return self.new_keys[table, column](row_R)
        if column not in self.tables[table].column_names:
            raise ValueError(f"{table}.{column}: no values")
        return self._taken(table, column, self.tables[table], row_R)

    def _across(
        self, relation: Relation, reference: str, row_R: RowNumbers, asked: frozenset[tuple[str, str]]
    ) -> pa.Array:
        """Give the values of a column of the rows that some rows point to, each looked up once."""
        target_R = self.follow(relation, row_R)
        known_R = target_R >= 0
        distinct, place = np.unique(target_R[known_R], return_inverse=True)
        place_R = np.zeros(len(row_R), dtype=np.int64)
        place_R[known_R] = place
        values = self.values(relation.references_table, reference, distinct, asked=asked)
        return values.take(pa.array(place_R, mask=~known_R))

    def follow(self, relation: Relation, row_R: RowNumbers) -> RowNumbers:
        """Give the rows that some rows point to, -1 for none."""
        if relation in self.pointed:
            return self.pointed[relation][row_R]
        if self.schema.tables[relation.table].original:
            return self._among_originals(relation)[row_R]
        for step in self.implied[relation]:
            known_R, next_R = row_R >= 0, np.full(len(row_R), -1, dtype=np.int64)
            next_R[known_R] = self.follow(step, row_R[known_R])
            row_R = next_R
        return row_R

    def _among_originals(self, relation: Relation) -> RowNumbers:
        """Give the rows that all rows of an original table point to, looked up once."""
        if relation not in self._joined:
            sides = self.originals[relation.table], self.originals[relation.references_table]
            self._joined[relation] = row_numbers(sides[0], relation, sides[1])
        return self._joined[relation]

    def _taken(self, name: str, column: str, table: pa.Table, row_R: RowNumbers) -> pa.Array:
        if (name, column) not in self._whole:
            values = table.column(column)
            self._whole[name, column] = pa.concat_arrays(values.chunks or [pa.array([], values.type)])
        return self._whole[name, column].take(pa.array(row_R))


def _referenced(relation: Relation, table: str, name: str) -> str | None:
    """Name the column that a column references by a relation; None where it has no other one."""
    if relation.table != table or name not in relation.columns:
        return None
    reference = relation.references_columns[relation.columns.index(name)]
    return None if (relation.references_table, reference) == (table, name) else reference
