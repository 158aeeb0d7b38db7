"""What each column of a table is for: key, link to a parent, link to a lookup, or modelled value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure
from kinsynth.schema.key_parts import linked_columns, made_keys
from kinsynth.schema.table import Column, Relation, Schema, Table
from kinsynth.settings.synthesis import Synthesis


@dataclass(frozen=True)
class Roles:
    """The columns of one synthesised table by what they are for.

    Attributes:
        keys: Columns whose values are made anew: parts of the primary key, and columns that other
            tables reference, that are no part of a foreign key. Not the values, such as a year, that tell
            the rows of one owner apart: they are modelled.
        parent: Relation to the owner, or None for a root table.
        references: Relations to original tables whose rows the model draws.
        modelled: Groups of columns the model learns together: one column, or a pair of coordinates.
        sequence: The column by which rows under one parent follow each other, or None.
    """

    keys: tuple[str, ...]
    parent: Relation | None
    references: tuple[Relation, ...]
    modelled: tuple[tuple[str, ...], ...]
    sequence: str | None


def find_roles(schema: Schema, structure: Structure, table: str) -> Roles:
    """Find what each column of a synthesised table is for."""
    parent = structure.parent_relation[table]
    references = structure.reference_relations.get(table, ())
    linked, keys = linked_columns(schema, table), made_keys(schema, table)
    rest = [name for name in schema.tables[table].column_names if name not in linked and name not in keys]
    order = schema.tables[table].order_by if parent is not None else None
    return Roles(
        keys=keys,
        parent=parent,
        references=references,
        modelled=_group(schema, table, [name for name in rest if name != order]),
        sequence=order if order in rest else None,
    )


def _group(schema: Schema, table: str, names: list[str]) -> tuple[tuple[str, ...], ...]:
    groups: list[tuple[str, ...]] = []
    for name in names:
        pair = schema.tables[table].column(name).pair
        if not any(name in group for group in groups):
            groups.append((name, pair) if pair in names else (name,))
    return tuple(groups)


def reduce_to_chosen(database: Database, synthesis: Synthesis) -> Database:
    """Leave out the columns that are not synthesised: texts, and columns whose treatment says so.

    Original tables keep all their columns, and every table keeps its keys: they are made anew.
    """
    tables = {name: _reduced(database.schema, name, synthesis) for name in database.schema.tables}
    schema = Schema(tables, database.schema.relations)
    rows = {name: database.tables[name].select(list(table.column_names)) for name, table in tables.items()}
    return Database(schema, rows, database.origin)


def _reduced(schema: Schema, name: str, synthesis: Synthesis) -> Table:
    table = schema.tables[name]
    kept = kept_columns(schema, name, synthesis)
    order_by = table.order_by if table.order_by in {column.name for column in kept} else None
    names = {column.name for column in kept}
    unique = tuple(key for key in table.unique_keys if set(key) <= names)
    checks = tuple(check for check in table.checks if set(check.columns) <= names)
    return replace(table, columns=kept, order_by=order_by, unique_keys=unique, checks=checks)


def kept_columns(schema: Schema, name: str, synthesis: Synthesis) -> tuple[Column, ...]:
    """Give the columns of a table that the result has."""
    table = schema.tables[name]
    if table.original:
        return table.columns
    said = synthesis.tables[name].columns if name in synthesis.tables else {}
    keys = {*table.primary_key}
    keys |= schema.foreign_columns(name)
    keys |= {column for relation in schema.incoming(name) for column in relation.references_columns}
    return tuple(
        column
        for column in table.columns
        if column.name in keys
        or (
            column.type != "text" and (column.name not in said or said[column.name].treatment == "synthesize")
        )
    )
