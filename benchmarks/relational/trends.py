"""Trends over k key steps: do columns of a row go with columns of the row that k keys lead to?

Rows are joined along each path of k keys, from the child up; every column of the first table is paired with
every column of the last (keys and free text left out). A pair of numbers scores 1 - |difference of Pearson
correlations| / 2, any other 1 - total variation of the contingency tables of the two databases. Beside a
category a number is cut in 10 equally wide cells of the real range; a missing cell is a category. Dates are
days. The score of k is the mean over all pairs. A pair of numbers without a real correlation (a column that
is constant) is left out; one without a synthetic correlation counts as correlation 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from comparison.dataset import MOMENTS, NUMBERS
from comparison.metrics.features import as_numbers

from relational.database import NULL, Database, Relation

CELLS = 10
COUNTED = 1 << 22  # contingency tables up to this size are counted in an array
Path = tuple[Relation, ...]


def paths(relations: Sequence[Relation], steps: int) -> list[Path]:
    """All ways to go up by that many keys."""
    found: list[Path] = [(relation,) for relation in relations]
    for _ in range(steps - 1):
        found = [(*path, after) for path in found for after in relations if after.table == path[-1].target]
    return found


def judged_paths(database: Database, steps: int) -> list[Path]:
    """Those that start outside original tables; within such all is copied."""
    return [path for path in paths(database.relations, steps) if path[0].table not in database.originals]


def name_of(path: Path) -> str:
    """Tables and keys on the way."""
    steps = [f"{'+'.join(relation.columns)} -> {relation.target}" for relation in path]
    return f"{path[0].table}." + ".".join(steps)


def follow(database: Database, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Give places R of rows that have a row at the end of the path, and the places R of those."""
    ends = database.pointed(path[0])
    for relation in path[1:]:
        ends = (
            np.where(ends >= 0, database.pointed(relation)[np.maximum(ends, 0)], NULL) if len(ends) else ends
        )
    starts = np.flatnonzero(ends >= 0)
    return starts, ends[starts]


@dataclass(frozen=True)
class Columns:
    """Judged columns of one table in both databases, coded alike.

    ``codes`` holds for each column the codes R of the real and of the synthetic rows, ``sizes`` how many
    codes there are; ``numbers`` the numbers R of both where the column is one.
    """

    names: list[str]
    codes: list[tuple[np.ndarray, np.ndarray]]
    sizes: list[int]
    numbers: dict[int, tuple[np.ndarray, np.ndarray]]

    @cached_property
    def numeric(self) -> list[int]:
        """Places of columns that hold numbers."""
        return sorted(self.numbers)


def code_table(real: Database, made: Database, table: str) -> Columns:
    """Code the judged columns of a table."""
    kinds, names = real.schema["tables"][table]["columns"], real.judged(table)
    columns = Columns(names, [], [], {})
    for place, name in enumerate(names):
        left, right = real.tables[table][name], made.tables[table][name]
        if kinds[name] in NUMBERS + MOMENTS:
            columns.numbers[place] = (as_numbers(left), as_numbers(right))
            columns.codes.append(cells(*columns.numbers[place]))
            columns.sizes.append(CELLS + 1)
        else:
            values = np.concatenate([left.to_numpy(dtype=object), right.to_numpy(dtype=object)])
            numbers, distinct = pd.factorize(values, use_na_sentinel=False)
            columns.codes.append((numbers[: len(left)], numbers[len(left) :]))
            columns.sizes.append(len(distinct))
    return columns


def cells(real: np.ndarray, made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut numbers in cells of the real range; beyond it the outer cells, missing in a cell of its own."""
    present = real[~np.isnan(real)]
    low, high = (present.min(), present.max()) if len(present) else (0.0, 0.0)
    width = (high - low) / CELLS or 1.0
    coded = [np.clip(np.nan_to_num((values - low) / width), 0, CELLS - 1) for values in (real, made)]
    left, right = (
        np.where(np.isnan(values), CELLS, code.astype(np.int64))
        for values, code in zip((real, made), coded, strict=True)
    )
    return left, right


def correlate(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Pearson's correlations AB of columns RA and RB over rows with both; NaN if undefined."""
    one, two = ~np.isnan(left), ~np.isnan(right)
    x, y = (standardise(values) for values in (left, right))
    u, v = one.astype(float), two.astype(float)
    count, sum_x, sum_y = u.T @ v, x.T @ v, u.T @ y
    with np.errstate(invalid="ignore", divide="ignore"):
        within_x = (x**2).T @ v - sum_x**2 / count
        within_y = u.T @ (y**2) - sum_y**2 / count
        together = x.T @ y - sum_x * sum_y / count
        flat = (within_x <= 1e-9 * count) | (within_y <= 1e-9 * count) | (count < 2)
        return np.where(flat, np.nan, np.clip(together / np.sqrt(within_x * within_y), -1, 1))


def standardise(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and deviation 1 over what is present, 0 where missing; correlations stay."""
    present = ~np.isnan(values)
    count = np.maximum(present.sum(axis=0), 1)
    filled = np.where(present, values, 0.0)
    centred = np.where(present, filled - filled.sum(axis=0) / count, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / count)
    return centred / np.where(deviation > 0, deviation, 1.0)


def contingency_distance(real: np.ndarray, made: np.ndarray, size: int) -> float:
    """Total variation of two samples of joint codes, each below ``size``."""
    if not len(real) or not len(made):
        return 1.0
    if size > COUNTED:
        _, numbers = np.unique(np.concatenate([real, made]), return_inverse=True)
        real, made, size = numbers[: len(real)], numbers[len(real) :], int(numbers.max()) + 1
    shares = [np.bincount(codes, minlength=size) / len(codes) for codes in (real, made)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def stack(columns: Columns, side: int, rows: np.ndarray) -> np.ndarray:
    """Numbers of the rows as columns RN."""
    chosen = [columns.numbers[place][side][rows] for place in columns.numeric]
    return np.column_stack(chosen) if chosen else np.empty((len(rows), 0))


def score_pairs(
    first: Columns, last: Columns, rows: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Iterator[tuple[str, str, float]]:
    """Score each pair of columns; ``rows`` are places of joined rows, real and made."""
    real, made = (correlate(stack(first, s, rows[s][0]), stack(last, s, rows[s][1])) for s in (0, 1))
    scores = 1 - np.abs(real - np.nan_to_num(made)) / 2
    for a, upper in enumerate(first.numeric):
        for b, lower in enumerate(last.numeric):
            if not np.isnan(real[a, b]):
                yield first.names[upper], last.names[lower], float(scores[a, b])
    for upper, left in enumerate(first.codes):
        for lower, right in enumerate(last.codes):
            if upper in first.numbers and lower in last.numbers:
                continue
            size = last.sizes[lower]
            joint = [left[s][rows[s][0]].astype(np.int64) * size + right[s][rows[s][1]] for s in (0, 1)]
            distance = contingency_distance(joint[0], joint[1], first.sizes[upper] * size)
            yield first.names[upper], last.names[lower], 1 - distance


def score(real: Database, made: Database, steps: int) -> dict[str, dict[str, float]]:
    """Give scores by path and column pair; paths without real rows or columns are left out."""
    coded: dict[str, Columns] = {}
    found = {}
    for path in judged_paths(real, steps):
        for table in (path[0].table, path[-1].target):
            if table not in coded:
                coded[table] = code_table(real, made, table)
        rows = [follow(database, path) for database in (real, made)]
        if len(rows[0][0]):
            pairs = score_pairs(coded[path[0].table], coded[path[-1].target], rows)
            if scored := {f"{left} - {right}": value for left, right, value in pairs}:
                found[name_of(path)] = scored
    return found
