"""Holders: the rows that may stand for the persons behind a row, by each way that leads to one.

The owner of a row is chosen by what its columns go with, and need not be the person: reviews may hang under
products, and customers be reached by a further key. So a row is held by what stands at the end of every chain
of its keys.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.subjects import RowNumbers, root_rows
from kinsynth.schema.table import Relation

FEWEST_HOLDERS = 20
Units = tuple[RowNumbers, ...]


def find_holders(database: Database, structure: Structure) -> dict[str, Units]:
    """Number the holders of each row of each synthesised table, by each unit of protection.

    A unit is the root row over the owners, or what a chain of keys leads to, its own owner and further keys
    followed on. A key by which fewer than 20 rows are named leads to no persons, nor does one of a table to
    itself: the chain ends before it. A row whose key is missing stands for itself. A unit that only parts the
    holders of another one is left out, for it never counts fewer.

    Returns:
        Numbers by table, each of shape (rows,); none where each row is held by itself alone. Equal numbers
        of one unit mean the same holder.
    """
    roots, chains = root_rows(database, structure), dict[str, Units]()
    for name in structure.order:
        owner = structure.parent_relation[name]
        before = (*((owner,) if owner else ()), *structure.keys[name])
        chains[name] = _coarsest(
            unit_R for one in before for unit_R in _through(database, one, chains[one.references_table])
        )
    return {
        name: _coarsest(
            (
                *(() if structure.parent_relation[name] is None else (roots[name],)),
                *chains[name],
                *(
                    unit_R
                    for one in structure.late[name]
                    if one.references_table != name
                    for unit_R in _through(database, one, chains[one.references_table])
                ),
            )
        )
        for name in structure.order
    }


def _through(database: Database, relation: Relation, target: Units) -> Units:
    """Give the holders of the rows that a key names to those that name them; none where they are too few."""
    rows = database.tables[relation.references_table].num_rows
    row_R = row_numbers(database.tables[relation.table], relation, database.tables[relation.references_table])
    if _named(row_R, rows) < FEWEST_HOLDERS:
        return ()
    found = [_follow(unit_T, row_R) for unit_T in target]
    far = [unit_R for unit_R in found if _named(np.where(row_R < 0, -1, unit_R)) >= FEWEST_HOLDERS]
    return tuple(far) if len(far) == len(target) > 0 else (*far, _follow(np.arange(rows), row_R))


def _follow(unit_T: RowNumbers, row_R: RowNumbers) -> RowNumbers:
    """Give each row the holder of the row it names, and a number of its own where it names none."""
    unit_R = np.append(unit_T, -1)[row_R]
    alone = np.flatnonzero(row_R < 0)
    unit_R[alone] = unit_T.max(initial=-1) + 1 + np.arange(len(alone))
    return unit_R.astype(np.int64)


def _named(row_R: RowNumbers, rows: int = 0) -> int:
    """Count the different numbers, negative ones aside."""
    known_R = row_R[row_R >= 0]
    return int(np.count_nonzero(np.bincount(known_R, minlength=rows)))


def _coarsest(units: Iterable[RowNumbers]) -> Units:
    """Leave out what only parts the holders of another unit; of equal ones the first stays."""
    kept: list[RowNumbers] = []
    for unit_R in units:
        if not any(parts(other_R, unit_R) for other_R in kept):
            kept = [other_R for other_R in kept if not parts(unit_R, other_R)] + [unit_R]
    return tuple(kept)


def parts(coarse_R: RowNumbers, fine_R: RowNumbers) -> bool:
    """Tell whether rows of one holder by the second unit have one by the first as well."""
    of_F = np.zeros(int(fine_R.max(initial=-1)) + 1, dtype=np.int64)
    of_F[fine_R] = coarse_R
    return bool((of_F[fine_R] == coarse_R).all())
