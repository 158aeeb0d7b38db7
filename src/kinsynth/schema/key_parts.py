"""Parts of keys: which columns of a table name rows, and which are values that the table's rows have."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.schema.table import Schema

_COUNTED = ("integer", "categorical")
_NEVER_VALUES = ("identifier", "text", "coordinates")


def linked_columns(schema: Schema, table: str) -> frozenset[str]:
    """Name the columns of a table's foreign keys; one that references itself is none."""
    return frozenset(
        name
        for relation in schema.outgoing(table)
        for name, other in zip(relation.columns, relation.references_columns, strict=True)
        if (relation.references_table, other) != (table, name)
    )


def made_keys(schema: Schema, table: str) -> tuple[str, ...]:
    """Name the columns whose values are made anew.

    They are parts of the primary key, and columns that other tables reference, that are no part of a foreign
    key. Not among them are values, such as a year, that tell the rows of one owner apart.
    """
    linked = linked_columns(schema, table)
    wanted = [*schema.tables[table].primary_key]
    wanted += [name for relation in schema.incoming(table) for name in relation.references_columns]
    own = dict.fromkeys(name for name in wanted if name not in linked)
    return tuple(name for name in own if not _tells_apart(schema, table, name, linked))


def _tells_apart(schema: Schema, table: str, name: str, linked: Collection[str]) -> bool:
    """Tell whether a part of a primary key is a value that tells the rows of one owner apart."""
    shape = schema.tables[table]
    if name not in shape.primary_key or not {*linked} & {*shape.primary_key} or shape.column(name).numbered:
        return False
    alone = any(relation.references_columns == (name,) for relation in schema.incoming(table))
    return not alone and shape.column(name).type not in ("identifier", "text")


def value_parts(schema: Schema, table: str, rows: pa.Table) -> frozenset[str]:
    """Name the parts of a primary key that are values beside a foreign key, such as a year beside a player.

    Whole numbers and categories are where two rows share one on the average: elsewhere they number the rows.

    Args:
        schema: Columns of key parts have the types that their cells suggest.
        table: Name of the table.
        rows: Its cells.
    """
    linked, shape = linked_columns(schema, table), schema.tables[table]
    if not linked & {*shape.primary_key}:
        return frozenset()
    named_alone = {relation.references_columns for relation in schema.incoming(table)}
    return frozenset(
        name
        for name in shape.primary_key
        if name not in linked
        and (name,) not in named_alone
        and (kind := shape.column(name).type) not in _NEVER_VALUES
        and (kind not in _COUNTED or 2 * count_values(rows, name) <= rows.num_rows)
    )


def count_values(rows: pa.Table, name: str) -> int:
    """Count the different values of a column."""
    return int(pc.count_distinct(rows.column(name)).as_py())
