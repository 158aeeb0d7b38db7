"""Turn row numbers into key values; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.schema.database import Database
from kinsynth.schema.storage import cast_values, storage_type
from kinsynth.schema.table import Relation, Schema

RowNumbers = NDArray[np.int64]


def link(
    schema: Schema,
    tables: Mapping[str, pa.Table],
    *,
    pointed: Mapping[Relation, RowNumbers],
    new_keys: Mapping[tuple[str, str], pa.Array],
    originals: Mapping[str, pa.Table],
) -> Database:
    """Fill the key columns of synthetic tables.

    A column of foreign keys has the values of the rows they point to; where several know it, the first in
    ``pointed`` that points at a row. Other columns come from ``new_keys``, or the table itself.

    Args:
        schema: What the tables look like.
        tables: Synthetic tables with at least the columns that are no keys.
        pointed: For each relation the referenced row for each row, -1 where there is none; of one table
            the relation to its owner first.
        new_keys: New values by table and column, one for each row.
        originals: The tables that are copied unchanged.

    Returns:
        The synthetic database, columns in the schema's order and storage types.

    Raises:
        ValueError: A column has no values, or too few, or only those of a circle of keys.
    """
    linking = _Linking(schema, tables, pointed, new_keys, originals)
    return Database(schema, {name: linking.table(name) for name in schema.tables}, "synthetic")


class _Linking:
    """Columns found so far; a key column is looked for where its key comes from."""

    def __init__(
        self,
        schema: Schema,
        tables: Mapping[str, pa.Table],
        pointed: Mapping[Relation, RowNumbers],
        new_keys: Mapping[tuple[str, str], pa.Array],
        originals: Mapping[str, pa.Table],
    ) -> None:
        self._schema, self._tables, self._originals = schema, tables, originals
        self._pointed, self._new_keys = pointed, new_keys
        self._found: dict[tuple[str, str], pa.ChunkedArray | pa.Array | None] = {}

    def table(self, name: str) -> pa.Table:
        """Give a table, columns in order and in their storage types."""
        shape = self._schema.tables[name]
        if shape.original:
            return self._originals[name].select(list(shape.column_names))
        columns = {column.name: self.column(name, column.name) for column in shape.columns}
        rows = max((len(values) for values in columns.values()), default=0)
        for column, values in columns.items():
            if len(values) != rows:
                raise ValueError(f"{name}.{column}: {len(values)} values, expected {rows}")
        return pa.table(
            {one.name: cast_values(columns[one.name], storage_type(one.storage)) for one in shape.columns}
        )

    def column(self, table: str, name: str) -> pa.ChunkedArray | pa.Array:
        """Give the values of a column."""
        if (table, name) not in self._found:
            self._found[table, name] = None
            self._found[table, name] = self._make(table, name)
        values = self._found[table, name]
        if values is None:
            raise ValueError(f"{table}.{name}: its values come from a circle of keys")
        return values

    def _make(self, table: str, name: str) -> pa.ChunkedArray | pa.Array:
        if self._schema.tables[table].original:
            return self._originals[table].column(name)
        values: pa.ChunkedArray | pa.Array | None = None
        for relation, number_R in self._pointed.items():
            reference = _referenced(relation, table, name)
            if reference is None or (values is not None and not values.null_count):
                continue
            there = _taken(self.column(relation.references_table, reference), number_R)
            values = there if values is None else pc.coalesce(values, cast_values(there, values.type))
        if values is not None:
            return values
        if (table, name) in self._new_keys:
            return self._new_keys[table, name]
        if name not in self._tables[table].column_names:
            raise ValueError(f"{table}.{name}: no values")
        return self._tables[table].column(name)


def _referenced(relation: Relation, table: str, name: str) -> str | None:
    """Name the column that a column references by a relation; None where it has no other one."""
    if relation.table != table or name not in relation.columns:
        return None
    reference = relation.references_columns[relation.columns.index(name)]
    return None if (relation.references_table, reference) == (table, name) else reference


def _taken(values: pa.ChunkedArray | pa.Array, number_R: RowNumbers) -> pa.ChunkedArray:
    """Give the values of rows; missing for -1."""
    indices = pa.array(number_R, mask=np.asarray(number_R) < 0)
    taken = values.take(indices)
    return taken if isinstance(taken, pa.ChunkedArray) else pa.chunked_array([taken])
