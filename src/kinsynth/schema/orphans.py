"""What happens to references without a row: nothing, the reference goes, or the row goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.errors import SchemaError
from kinsynth.schema.database import Database
from kinsynth.schema.keys import orphans
from kinsynth.schema.table import Relation, Schema


def apply_orphan_policies(database: Database) -> tuple[Database, tuple[str, ...]]:
    """Make orphan references missing or drop their rows, as each relation says.

    Returns:
        The database, and what was changed in words: relations and counts.

    Raises:
        SchemaError: ``foreign_keys.orphans``: a relation refuses orphans, or an original table has some.

    Guarantees:
        No relation has an orphan. A row that goes takes along the rows that referenced it, unless their
        relation makes such references missing. Original tables are unchanged.
    """
    _refuse(database)
    changes: dict[tuple[Relation, str], int] = {}
    database = _resolved(database, changes)
    lines = tuple(f"{relation}: {count:,} references {what}" for (relation, what), count in changes.items())
    return database, lines


def _resolved(database: Database, changes: dict[tuple[Relation, str], int]) -> Database:
    """Resolve orphans until there are none, and count what was changed."""
    changing = True
    while changing:
        changing = False
        for relation in database.schema.relations:
            mask = _orphans(database, relation)
            if mask.any():
                what = "made missing" if relation.orphans == "null" else "dropped"
                changes[relation, what] = changes.get((relation, what), 0) + int(mask.sum())
                database, changing = _resolve(database, relation, mask), True
    return database


def resolve_orphans(database: Database) -> Database:
    """Give the database as it would be without orphans, for looking at it only.

    Where ``apply_orphan_policies`` refuses, the rows are dropped, those of original tables too.
    """
    softened = tuple(
        replace(one, orphans="drop") if one.orphans == "refuse" else one for one in database.schema.relations
    )
    schema = replace(database.schema, relations=softened)
    resolved = _resolved(Database(schema, database.tables, database.origin), {})
    kept = replace(resolved.schema, relations=database.schema.relations)
    return Database(kept, resolved.tables, database.origin)


def _orphans(database: Database, relation: Relation) -> NDArray[np.bool_]:
    """Mark the orphans of a relation."""
    return orphans(database.tables[relation.table], relation, database.tables[relation.references_table])


def _refuse(database: Database) -> None:
    """Stop at orphans that must not be."""
    for relation in database.schema.relations:
        original = database.schema.tables[relation.table].original
        if relation.orphans != "refuse" and not original:
            continue
        count = int(_orphans(database, relation).sum())
        if count:
            raise SchemaError(
                "foreign_keys.orphans",
                f"{count:,} of {database.tables[relation.table].num_rows:,} references name no row.",
                where=str(relation),
                remedy="Repair the source."
                if original
                else 'Write orphans: "null" or orphans: drop, or remove the relation.',
            )


def _resolve(database: Database, relation: Relation, mask: NDArray[np.bool_]) -> Database:
    """Drop rows, or make their references missing."""
    table = database.tables[relation.table]
    if relation.orphans == "null":
        names = emptied_columns(database.schema, relation)
        schema = _nullable(database.schema, relation.table, names)
        return Database(
            schema, {**database.tables, relation.table: _nulled(table, names, mask)}, database.origin
        )
    tables = {**database.tables, relation.table: table.filter(pa.array(~mask))}
    return Database(database.schema, tables, database.origin)


def emptied_columns(schema: Schema, relation: Relation) -> tuple[str, ...]:
    """Name the columns that are emptied where a key is made missing: one missing value makes the key missing.

    They are those that stand in no other key, else those that stand in no primary key, else all.
    """
    primary = schema.tables[relation.table].primary_key
    others = {column for one in schema.outgoing(relation.table) if one != relation for column in one.columns}
    loose = tuple(name for name in relation.columns if name not in primary)
    return tuple(name for name in loose if name not in others) or loose or relation.columns


def _nulled(table: pa.Table, names: tuple[str, ...], mask: NDArray[np.bool_]) -> pa.Table:
    """Empty columns of marked rows."""
    kept = pa.array(np.where(mask, -1, np.arange(len(mask))), mask=mask)
    for name in names:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table.column(name).take(kept))
    return table


def _nullable(schema: Schema, name: str, names: tuple[str, ...]) -> Schema:
    """Say that columns may be missing."""
    table = schema.tables[name]
    columns = tuple(
        replace(column, nullable=True) if column.name in names else column for column in table.columns
    )
    return replace(schema, tables={**schema.tables, table.name: replace(table, columns=columns)})
