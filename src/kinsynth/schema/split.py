"""Split a database by root rows, so that everything of one root row stays together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure
from kinsynth.schema.keys import row_numbers
from kinsynth.system.mapping import let_go
from kinsynth.system.randomness import uniforms

RowNumbers = NDArray[np.int64]
_BATCH_ROWS = 1 << 16


def root_rows(database: Database, structure: Structure) -> dict[str, RowNumbers]:
    """Give the number of the root row to which each row of each synthesised table belongs.

    A row whose owner is missing, or does not exist, belongs to nobody: it gets a number of its own, above the
    rows of its root table, and its descendants share it. So it counts as one more subject.

    Returns:
        Numbers by table, shape (rows,); equal numbers of tables with one root table mean the same subject.
    """
    numbers: dict[str, RowNumbers] = {}
    used: dict[str, int] = {}
    for name in structure.order:
        table, relation = database.tables[name], structure.parent_relation[name]
        if relation is None:
            numbers[name] = np.arange(table.num_rows, dtype=np.int64)
            used[name] = table.num_rows
            continue
        parent = relation.references_table
        row = row_numbers(table, relation, database.tables[parent])
        found = np.append(numbers[parent], -1)[row]
        alone = np.flatnonzero(found < 0)
        root = structure.root_of(name)
        found[alone] = used[root] + np.arange(len(alone), dtype=np.int64)
        used[root] += len(alone)
        numbers[name] = found
    return numbers


def split_roots(
    database: Database, structure: Structure, *, share: float, seed: int
) -> tuple[Database, Database]:
    """Split off a share of the root rows with all their descendants.

    Args:
        database: Typed originals.
        structure: Its forest.
        share: Share of the subjects of each root table in the second part, 0 to 1; rounded, but each part
            keeps a subject where there are two and the share is neither 0 nor 1.
        seed: Any integer.

    Returns:
        The larger part for training and the part held out. Original tables are whole in both.

    Guarantees:
        Every row of a synthesised table is in exactly one part, together with its owner. Rows keep their
        order. Relations besides those to owners may lose their row.
    """
    masks = held_rows(database, structure, share=share, seed=seed)
    train, holdout = (_part(database, masks, kept) for kept in (False, True))
    return train, holdout


def held_rows(
    database: Database, structure: Structure, *, share: float, seed: int
) -> dict[str, NDArray[np.bool_]]:
    """Mark the rows of each synthesised table that ``split_roots`` holds out, shape (rows,)."""
    numbers = root_rows(database, structure)
    held = {root: _chosen(root, numbers, structure, share=share, seed=seed) for root in structure.roots}
    return {name: held[structure.root_of(name)][numbers[name]] for name in structure.order}


def some_roots(database: Database, structure: Structure, *, most: int, seed: int) -> Database:
    """Keep at most so many root rows of each root table, evenly chosen by chance, with all under them."""
    largest = max((database.tables[root].num_rows for root in structure.roots), default=0)
    if largest <= most:
        return database
    return _part(database, held_rows(database, structure, share=most / largest, seed=seed), True)


def _chosen(
    root: str, numbers: Mapping[str, RowNumbers], structure: Structure, *, share: float, seed: int
) -> NDArray[np.bool_]:
    """Mark the subjects of one root table that are held out."""
    tops = [
        int(rows.max()) + 1 for name, rows in numbers.items() if structure.root_of(name) == root and len(rows)
    ]
    count = max(tops, default=0)
    wanted = round(share * count)
    if count > 1 and 0 < share < 1:
        wanted = min(max(wanted, 1), count - 1)
    order = np.argsort(uniforms(seed, f"split.{root}", np.arange(count, dtype=np.int64))[:, 0], kind="stable")
    held = np.zeros(count, dtype=bool)
    held[order[:wanted]] = True
    return held


def _part(database: Database, masks: Mapping[str, NDArray[np.bool_]], held: bool) -> Database:
    """Give one of the two parts."""
    tables = {
        name: _kept(table, masks[name] == held) if name in masks else table
        for name, table in database.tables.items()
    }
    return Database(database.schema, tables, database.origin)


def _kept(table: pa.Table, kept_R: NDArray[np.bool_]) -> pa.Table:
    """Keep the marked rows of a table."""
    return pa.Table.from_batches(list(kept_batches(table, kept_R)), table.schema)


def kept_batches(table: pa.Table, kept_R: NDArray[np.bool_] | None = None) -> Iterator[pa.RecordBatch]:
    """Give the marked rows of a table batch by batch: a mapped one is never in memory as a whole.

    Args:
        table: The table.
        kept_R: Which rows are kept, shape (R,); None for all.
    """
    start = 0
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        chosen = None if kept_R is None else pa.array(kept_R[start : start + batch.num_rows])
        yield batch if chosen is None else batch.filter(chosen)
        start += batch.num_rows
        let_go()
