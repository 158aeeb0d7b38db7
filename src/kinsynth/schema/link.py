"""Turn row numbers into key values; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.storage import cast_values, storage_type
from kinsynth.schema.table import Relation, Schema

RowNumbers = NDArray[np.int64]


def link(
    schema: Schema,
    tables: Mapping[str, pa.Table],
    *,
    parent_row: Mapping[str, RowNumbers],
    reference_row: Mapping[Relation, RowNumbers],
    new_keys: Mapping[tuple[str, str], pa.Array],
    originals: Mapping[str, pa.Table],
) -> Database:
    """Fill the key columns of synthetic tables.

    A column's values come from the first of these that knows it: the owner (by ``parent_row``), a referenced
    row (by ``reference_row``), ``new_keys``, the table itself. So a column that is part of the primary key
    and of the key to the owner is the owner's.

    Args:
        schema: What the tables look like.
        tables: Synthetic tables with at least the columns that are no keys.
        parent_row: For each table with an owner the row of the owner for each row; -1 where there is none.
        reference_row: For each other relation the referenced row for each row; -1 where there is none.
        new_keys: New values by table and column, one for each row.
        originals: The tables that are copied unchanged.

    Returns:
        The synthetic database, columns in the schema's order and storage types.

    Raises:
        ValueError: A column has no values, or too few.
    """
    shape = find_structure(schema)
    filled: dict[str, pa.Table] = {
        name: originals[name].select(list(schema.tables[name].column_names)) for name in shape.originals
    }
    for name in shape.order:
        given = {column: tables[name].column(column) for column in tables[name].column_names}
        given |= {column: values for (table, column), values in new_keys.items() if table == name}
        rows = _row_count(name, tables[name], parent_row, reference_row, new_keys)
        for relation, numbers in reversed(_sources(schema, shape, name, parent_row, reference_row)):
            source = filled[relation.references_table] if relation.references_table != name else given
            given |= {
                column: _taken(_column(source, reference), numbers)
                for column, reference in zip(relation.columns, relation.references_columns, strict=True)
            }
        filled[name] = _assembled(schema, name, given, rows)
    return Database(schema, {name: filled[name] for name in schema.tables}, "synthetic")


def _sources(
    schema: Schema,
    shape: Structure,
    table: str,
    parent_row: Mapping[str, RowNumbers],
    reference_row: Mapping[Relation, RowNumbers],
) -> list[tuple[Relation, RowNumbers]]:
    """Give the relations that fill columns of a table, the strongest first; a self reference fills last."""
    owner = shape.parent_relation[table]
    first = [(owner, parent_row[table])] if owner else []
    others = [one for one in schema.outgoing(table) if one in reference_row and one != owner]
    others.sort(key=lambda one: one.references_table != table)
    return first + [(one, reference_row[one]) for one in others[::-1]]


def _row_count(
    name: str,
    table: pa.Table,
    parent_row: Mapping[str, RowNumbers],
    reference_row: Mapping[Relation, RowNumbers],
    new_keys: Mapping[tuple[str, str], pa.Array],
) -> int:
    """Count the rows of a table that may have no column but keys."""
    if table.num_columns:
        return int(table.num_rows)
    lengths = [len(values) for (other, _), values in new_keys.items() if other == name]
    lengths += [len(numbers) for relation, numbers in reference_row.items() if relation.table == name]
    return len(parent_row[name]) if name in parent_row else max(lengths, default=0)


def _column(source: pa.Table | Mapping[str, pa.ChunkedArray], name: str) -> pa.ChunkedArray | pa.Array:
    """Give a column of a table, or of one that is being filled."""
    return source.column(name) if isinstance(source, pa.Table) else source[name]


def _taken(values: pa.ChunkedArray | pa.Array, numbers: RowNumbers) -> pa.ChunkedArray:
    """Give the values of rows; missing for -1."""
    indices = pa.array(numbers, mask=np.asarray(numbers) < 0)
    return values.take(indices)


def _assembled(
    schema: Schema, name: str, given: Mapping[str, pa.ChunkedArray | pa.Array], rows: int
) -> pa.Table:
    """Put the columns of a table in order and in their storage types."""
    columns = {}
    for column in schema.tables[name].columns:
        if column.name not in given:
            raise ValueError(f"{name}.{column.name}: no values")
        values = given[column.name]
        if len(values) != rows:
            raise ValueError(f"{name}.{column.name}: {len(values)} values, expected {rows}")
        columns[column.name] = cast_values(values, storage_type(column.storage))
    return pa.table(columns)
