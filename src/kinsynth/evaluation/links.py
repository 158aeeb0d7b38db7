"""Links: which row is whose parent, and which root row stands behind each row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kinsynth.evaluation.variables import IntArray
from kinsynth.schema.database import Database
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.table import Relation, Schema


def link(database: Database, relation: Relation) -> IntArray:
    """Find the parent's row number of each child; -1 for none."""
    child, parent = database.tables[relation.table], database.tables[relation.references_table]
    return row_numbers(child, relation, parent)


def parent_relation(schema: Schema, table: str) -> Relation | None:
    """Give the relation to the table's first synthesised parent; None for a root table."""
    return next(
        (
            relation
            for relation in schema.outgoing(table)
            if relation.references_table != table and not schema.tables[relation.references_table].original
        ),
        None,
    )


def ancestry(schema: Schema, table: str) -> tuple[Relation, ...]:
    """Give the relations from a table up to its root, the nearest first."""
    path: list[Relation] = []
    seen = {table}
    while (relation := parent_relation(schema, table)) and relation.references_table not in seen:
        path.append(relation)
        table = relation.references_table
        seen.add(table)
    return tuple(path)


def climb(database: Database, table: str) -> Mapping[str, IntArray]:
    """Give, for each ancestor table, the row number above each row of a table; -1 for none."""
    rows = np.arange(database.tables[table].num_rows)
    above: dict[str, IntArray] = {}
    for relation in ancestry(database.schema, table):
        rows = np.where(rows >= 0, np.append(link(database, relation), -1)[rows], -1)
        above[relation.references_table] = rows
    return above


def subjects(database: Database, table: str) -> IntArray:
    """Number the root row behind each row; a row without one stands for itself."""
    path = ancestry(database.schema, table)
    own = np.arange(database.tables[table].num_rows)
    if not path:
        return own
    root = path[-1].references_table
    rows = climb(database, table)[root]
    return np.where(rows >= 0, rows, database.tables[root].num_rows + own)


def groups(owner_R: IntArray) -> IntArray | None:
    """Number the subjects of rows from 0; None where each row is a subject of its own."""
    present, numbered = np.unique(owner_R, return_inverse=True)
    return None if len(present) == len(owner_R) else numbered


def key_columns(schema: Schema, table: str) -> frozenset[str]:
    """Name the columns that only link rows: the primary key and references to synthesised tables."""
    links = (
        relation.columns
        for relation in schema.outgoing(table)
        if not schema.tables[relation.references_table].original
    )
    return frozenset(schema.tables[table].primary_key).union(*links)


def linking_columns(schema: Schema, table: str) -> frozenset[str]:
    """Name the columns that choose a row of an original-data table: they are modelled as categories."""
    links = (
        relation.columns
        for relation in schema.outgoing(table)
        if schema.tables[relation.references_table].original
    )
    return frozenset[str]().union(*links)
