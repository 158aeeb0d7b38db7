"""Split a database by root rows, so that everything of one root row stays together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure
from kinsynth.schema.subjects import Subjects, find_subjects
from kinsynth.system.mapping import let_go
from kinsynth.system.randomness import uniforms

Masks = dict[str, NDArray[np.bool_]]
_BATCH_ROWS = 1 << 16


def split_roots(
    database: Database, structure: Structure, *, share: float, seed: int
) -> tuple[Database, Database]:
    """Split off a share of the root rows with all their descendants, and with all that they point to.

    Args:
        database: Typed originals.
        structure: What their foreign keys are for.
        share: Share of the subjects of each root table in the second part, 0 to 1; rounded, but each part
            keeps a subject where there are two and the share is neither 0 nor 1.
        seed: Any integer.

    Returns:
        The larger part for training and the part held out. Original tables are whole in both.

    Guarantees:
        Every row of a synthesised table is in a part, together with its owner and the rows that it, or a row
        with the same root, points to by further keys: no key of a part names a row that is not there. A
        subject to which subjects of both parts lead is in both; every other one is in exactly one. Rows keep
        their order.
    """
    training, held = split_rows(database, structure, share=share, seed=seed)
    return _part(database, training), _part(database, held)


def split_rows(database: Database, structure: Structure, *, share: float, seed: int) -> tuple[Masks, Masks]:
    """Mark the rows of each synthesised table that ``split_roots`` gives to either part, shape (rows,).

    Subjects to which no other leads are dealt; all that they lead to follows them. What is left, circles to
    which nothing leads, is dealt after.
    """
    subjects = find_subjects(database, structure)
    training_S, held_S = (np.zeros(subjects.count, dtype=bool) for _ in range(2))
    for dealt_S in (~subjects.pointed(), np.ones(subjects.count, dtype=bool)):
        open_S = dealt_S & ~training_S & ~held_S
        chosen_S = _chosen(subjects, open_S, share=share, seed=seed)
        training_S |= subjects.closed(open_S & ~chosen_S)
        held_S |= subjects.closed(chosen_S)
    training, held = (
        {name: mask_S[rows] for name, rows in subjects.of.items()} for mask_S in (training_S, held_S)
    )
    return training, held


def some_roots(database: Database, structure: Structure, *, most: int, seed: int) -> Database:
    """Keep about so many root rows of each root table, evenly chosen by chance, with all under them.

    What they point to by further keys is kept too, so that every key still names its row.
    """
    largest = max((database.tables[root].num_rows for root in structure.roots), default=0)
    if largest <= most:
        return database
    return _part(database, split_rows(database, structure, share=most / largest, seed=seed)[1])


def _chosen(subjects: Subjects, open_S: NDArray[np.bool_], *, share: float, seed: int) -> NDArray[np.bool_]:
    """Mark a share of the open subjects of each root table."""
    held_S = np.zeros(subjects.count, dtype=bool)
    for root, (start, stop) in subjects.spans.items():
        turn = uniforms(seed, f"split.{root}", np.arange(stop - start, dtype=np.int64))[:, 0]
        waiting = np.flatnonzero(open_S[start:stop])
        wanted = round(share * len(waiting))
        if len(waiting) > 1 and 0 < share < 1:
            wanted = min(max(wanted, 1), len(waiting) - 1)
        order = np.argsort(turn[waiting], kind="stable")
        held_S[start + waiting[order[:wanted]]] = True
    return held_S


def _part(database: Database, masks: Masks) -> Database:
    """Give one of the two parts."""
    tables = {
        name: _kept(table, masks[name]) if name in masks else table for name, table in database.tables.items()
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
