"""Links: which row points at which, what each key is for, and which root row stands behind each row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kinsynth.evaluation.results import KeyKind
from kinsynth.evaluation.variables import IntArray
from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.key_parts import made_keys
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.levels import find_levels
from kinsynth.schema.table import Relation, Schema


def link(database: Database, relation: Relation) -> IntArray:
    """Find the row number of what each row points at; -1 for none."""
    child, parent = database.tables[relation.table], database.tables[relation.references_table]
    return row_numbers(child, relation, parent)


def key_kinds(structure: Structure) -> dict[Relation, KeyKind]:
    """Say what every foreign key of the synthesised tables is for."""
    kinds: dict[Relation, KeyKind] = {}
    for table, owner in structure.parent_relation.items():
        kinds |= {owner: "owner"} if owner else {}
        kinds |= dict.fromkeys(structure.keys[table], "key")
        kinds |= {one: "self" if one.references_table == table else "late" for one in structure.late[table]}
        kinds |= dict.fromkeys(structure.reference_relations[table], "reference")
        kinds |= dict.fromkeys(structure.implied[table], "implied")
    return kinds


def ancestry(schema: Schema, table: str) -> tuple[Relation, ...]:
    """Give the relations from a table over its owners up to its root, the nearest first."""
    structure = find_structure(schema)
    path: list[Relation] = []
    while relation := structure.parent_relation[table]:
        path.append(relation)
        table = relation.references_table
    return tuple(path)


def climb(database: Database, table: str) -> Mapping[str, IntArray]:
    """Give, for each owner of a table, the row number above each row of the table; -1 for none."""
    rows = np.arange(database.tables[table].num_rows)
    above: dict[str, IntArray] = {}
    for relation in ancestry(database.schema, table):
        rows = np.where(rows >= 0, np.append(link(database, relation), -1)[rows], -1)
        above[relation.references_table] = rows
    return above


def subjects(database: Database, table: str) -> IntArray:
    """Number the root row behind each row; a row without one stands for itself, as do original rows."""
    own = np.arange(database.tables[table].num_rows)
    if database.schema.tables[table].original or not (path := ancestry(database.schema, table)):
        return own
    root = path[-1].references_table
    rows = climb(database, table)[root]
    return np.where(rows >= 0, rows, database.tables[root].num_rows + own)


def levels(row_R: IntArray) -> IntArray:
    """Give how many rows stand above each row of a table that references itself."""
    return find_levels(row_R).level_R


def groups(owner_R: IntArray) -> IntArray | None:
    """Number the subjects of rows from 0; None where each row is a subject of its own."""
    present, numbered = np.unique(owner_R, return_inverse=True)
    return None if len(present) == len(owner_R) else numbered


def key_columns(schema: Schema, table: str) -> frozenset[str]:
    """Name the columns that only name rows: made keys, and keys to synthesised tables.

    Parts of a primary key that are values, and those that choose a row of an original table, are none,
    unless the latter are all of the primary key.
    """
    to_synthesised = (
        relation.columns
        for relation in schema.outgoing(table)
        if not schema.tables[relation.references_table].original
    )
    key = schema.tables[table].primary_key
    whole = key if any({*key} <= {*one.columns} for one in schema.outgoing(table)) else ()
    return frozenset((*made_keys(schema, table), *whole)).union(*to_synthesised)


def linking_columns(schema: Schema, table: str) -> frozenset[str]:
    """Name the columns that choose a row of an original-data table: they are modelled as categories."""
    links = (
        relation.columns
        for relation in schema.outgoing(table)
        if schema.tables[relation.references_table].original
    )
    return frozenset[str]().union(*links)
