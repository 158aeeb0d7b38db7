"""Do columns depend on each other over keys as strongly as in the source?

The mean score of ``trends`` is close to 1 wherever nothing depends on anything, and joint tables of many
cells differ by chance alone; a database with shuffled keys may beat two real halves. Here a pair of columns,
joined along a path of keys, weighs as much as it depends: the agreement is one less the summed absolute
difference of normalised mutual information over the summed larger one, on at most 12 codes a column (tenths
of the real numbers, the ten most frequent categories, the rest, missing). 1 is ideal; keys shuffled give
about 0. The information that chance alone makes, (A-1)(B-1)/2n for A and B codes in use in n rows, is taken
off first.
"""

from __future__ import annotations

import numpy as np
from comparison.dataset import Dataset
from comparison.metrics.accuracy import CODES
from comparison.metrics.features import code
from comparison.metrics.trends import entropy

from relational.database import Database
from relational.trends import follow, judged_paths


def code_columns(real: Database, made: Database, table: str) -> list[np.ndarray]:
    """Codes RC of the judged columns of a table, of the real and of the made rows."""
    names = real.judged(table)
    kinds = {name: real.schema["tables"][table]["columns"][name] for name in names}
    frames = [database.tables[table][names] for database in (real, made)]
    return code(frames, Dataset(table, table, kinds, (), None), frames[0])


def information(left: np.ndarray, right: np.ndarray) -> float:
    """Normalised mutual information of two columns of codes, less what chance makes; from 0."""
    if not len(left):
        return 0.0
    joint = np.bincount(left * CODES + right, minlength=CODES**2).reshape(CODES, CODES)
    shares = joint / len(left)
    sides = shares.sum(axis=1), shares.sum(axis=0)
    entropies = [entropy(side) for side in sides]
    if min(entropies) <= 0:
        return 0.0
    free = np.prod([np.count_nonzero(side) - 1 for side in sides])
    found = sum(entropies) - entropy(shares.ravel()) - free / (2 * len(left))
    return max(0.0, float(found)) / float(np.sqrt(entropies[0] * entropies[1]))


def agreement(real: Database, made: Database, steps: int) -> float | None:
    """Agreement over all paths of that many keys; None if nothing depends on anything."""
    coded: dict[str, list[np.ndarray]] = {}
    difference = larger = 0.0
    for path in judged_paths(real, steps):
        for table in (path[0].table, path[-1].target):
            if table not in coded:
                coded[table] = code_columns(real, made, table)
        first, last = coded[path[0].table], coded[path[-1].target]
        joined = [
            (first[side][starts], last[side][ends])
            for side, (starts, ends) in enumerate(follow(database, path) for database in (real, made))
        ]
        for upper in range(first[0].shape[1]):
            for lower in range(last[0].shape[1]):
                values = [information(left[:, upper], right[:, lower]) for left, right in joined]
                difference += abs(values[0] - values[1])
                larger += max(values)
    return 1 - difference / larger if larger > 0 else None
