"""Links: which row is whose parent, and which root row stands behind each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from kinsynth.evaluation.variables import IntArray, number_jointly
from kinsynth.schema.database import Database
from kinsynth.schema.table import Relation, Schema


def match_rows(children: Sequence[pa.ChunkedArray], parents: Sequence[pa.ChunkedArray]) -> IntArray:
    """Find the row each key points to.

    Args:
        children: Columns of the foreign key.
        parents: Columns of the referenced key, in the same order.

    Returns:
        Row number in the parents for each child; -1 for none.
    """
    child_codes, parent_codes = _key_codes(children, parents)
    order = np.argsort(parent_codes, kind="stable")
    place = np.searchsorted(parent_codes[order], child_codes)
    found = np.append(order, -1)[np.minimum(place, len(order))]
    hit = (found >= 0) & (child_codes >= 0)
    hit[hit] = parent_codes[found[hit]] == child_codes[hit]
    return np.where(hit, found, -1)


def _key_codes(
    children: Sequence[pa.ChunkedArray], parents: Sequence[pa.ChunkedArray]
) -> tuple[IntArray, IntArray]:
    """Number keys of one or more columns; -1 where a part is missing."""
    rows = len(children[0])
    whole = np.zeros(rows + len(parents[0]), dtype=np.int64)
    for child, parent in zip(children, parents, strict=True):
        kind = child.type
        codes, _ = number_jointly([child, parent if parent.type == kind else parent.cast(kind)])
        part = np.concatenate(codes)
        mixed = whole * (part.max(initial=0) + 1) + part
        _, numbered = np.unique(mixed, return_inverse=True)
        whole = np.where((whole < 0) | (part < 0), -1, numbered)
    return whole[:rows], whole[rows:]


def link(database: Database, relation: Relation) -> IntArray:
    """Find the parent's row number of each child; -1 for none."""
    child, parent = database.tables[relation.table], database.tables[relation.references_table]
    return match_rows(
        [child[name] for name in relation.columns], [parent[name] for name in relation.references_columns]
    )


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
