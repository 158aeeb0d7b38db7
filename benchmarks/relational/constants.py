"""Constants within an entity: do the children of a parent all hold one value of a column?

Parents with two children or more count; a missing cell is a value of its own. The distance of two databases
in this fact is the difference of the shares of such parents.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from relational.database import Database
from relational.facts import Fact


def are_constant(parents: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Give 1 or 0 for each parent with several rows: whether those have one distinct code."""
    there = parents >= 0
    parents, codes = parents[there], codes[there]
    order = np.argsort(parents, kind="stable")
    parents, codes = parents[order], codes[order]
    starts = np.flatnonzero(np.diff(parents, prepend=-1))
    if not len(starts):
        return np.empty(0, dtype=np.int64)
    sizes = np.diff(np.append(starts, len(parents)))
    same = np.minimum.reduceat(codes, starts) == np.maximum.reduceat(codes, starts)
    return same[sizes > 1].astype(np.int64)


def constant_facts(database: Database) -> list[Fact]:
    """Give the fact of each relation and judged column of the child."""
    codes = {
        (table, column): pd.factorize(database.tables[table][column], use_na_sentinel=False)[0]
        for table in {relation.table for relation in database.relations}
        for column in database.judged(table)
    }
    return [
        Fact(
            "constants",
            f"{relation.name}: {column}",
            are_constant(database.pointed(relation), codes[relation.table, column])[:, None],
            (relation.target, relation.table),
            counted=False,
        )
        for relation in database.relations
        for column in database.judged(relation.table)
    ]
