"""Constants within an entity: the share of parents whose children all hold one value of a column.

Parents with two children or more count; a missing cell is a value of its own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from relational.database import Database


def share_constant(parents: np.ndarray, codes: np.ndarray) -> float | None:
    """Share of parents with one distinct code; None if no parent has two rows."""
    there = parents >= 0
    parents, codes = parents[there], codes[there]
    order = np.argsort(parents, kind="stable")
    parents, codes = parents[order], codes[order]
    starts = np.flatnonzero(np.diff(parents, prepend=-1))
    if not len(starts):
        return None
    sizes = np.diff(np.append(starts, len(parents)))
    same = np.minimum.reduceat(codes, starts) == np.maximum.reduceat(codes, starts)
    several = sizes > 1
    return float(same[several].mean()) if several.any() else None


def shares(database: Database) -> dict[str, float]:
    """Share of each relation and column of the child, by name."""
    found = {}
    codes: dict[tuple[str, str], np.ndarray] = {}
    for relation in database.relations:
        for column in database.judged(relation.table):
            at = (relation.table, column)
            if at not in codes:
                codes[at] = pd.factorize(database.tables[relation.table][column], use_na_sentinel=False)[0]
            share = share_constant(database.pointed(relation), codes[at])
            if share is not None:
                found[f"{relation.name}: {column}"] = share
    return found
