"""Rows under one parent follow each other where their order says something."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from kinsynth.schema.following import FEWEST_ROWS, follow_each_other
from kinsynth.schema.table import Column

Array = NDArray[Any]
PARENTS, EACH = 100, 20
PARENT_R = np.repeat(np.arange(PARENTS), EACH)
ROWS = len(PARENT_R)
GENERATOR = np.random.default_rng(5)
SCATTERED = GENERATOR.integers(0, 7000, ROWS)
WALK = np.cumsum(GENERATOR.normal(size=(PARENTS, EACH)), axis=1).ravel()
IN_TIME = np.lexsort((SCATTERED, PARENT_R))
COLUMNS = (Column("value", "numeric", "double"), Column("kind", "categorical", "string"))


def follow(day_R: Array, value_R: Array, kind_R: Array, parent_R: Array = PARENT_R) -> bool:
    days = pa.array(day_R.astype(np.int32)).cast(pa.date32())
    kinds = pa.array([f"kind {number}" for number in kind_R])
    table = pa.table({"day": days, "value": pa.array(value_R), "kind": kinds})
    return follow_each_other(table, "day", COLUMNS, parent_R=parent_R, rows=np.arange(len(parent_R)))


def in_time(value_R: Array) -> Array:
    """Give each row, in the order of time under its parent, one of some values."""
    placed_R = np.empty_like(value_R)
    placed_R[IN_TIME] = value_R
    return placed_R


NOISE, KINDS = GENERATOR.normal(size=ROWS), GENERATOR.integers(0, 3, ROWS)


@pytest.mark.parametrize("seed", range(5))
def test_employees_of_departments_do_not_follow_each_other_by_the_day_they_were_hired(seed: int) -> None:
    """Departments are founded one after the other; wages are those of the department, and of the time."""
    chance = np.random.default_rng(seed)
    founded = chance.integers(0, 3000, PARENTS)[PARENT_R]
    hired = founded + chance.exponential(900, ROWS).astype(np.int64)
    wages = founded / 1000 + hired / 1000 + chance.normal(size=ROWS)
    assert not follow(hired, wages, chance.integers(0, 3, ROWS))


@pytest.mark.parametrize(
    ("days", "values", "kinds"),
    [
        (SCATTERED, in_time(WALK), KINDS),
        (SCATTERED, NOISE, in_time(np.tile([0, 1], ROWS // 2))),
        (SCATTERED, NOISE, in_time(np.tile([0] * (EACH - 1) + [1], PARENTS))),
        (np.tile(np.arange(EACH) * 30, PARENTS) + KINDS, NOISE, KINDS),
        (SCATTERED // 700 * 700 + GENERATOR.integers(0, 3, ROWS), NOISE, KINDS),
    ],
    ids=["a balance", "turns", "the last one", "every month", "bursts"],
)
def test_rows_that_follow_each_other(days: Array, values: Array, kinds: Array) -> None:
    assert follow(days, values, kinds)


def test_few_rows_may_follow_each_other() -> None:
    few = slice(FEWEST_ROWS - 1)
    assert follow(SCATTERED[few], NOISE[few], KINDS[few], PARENT_R[few])
    assert not follow(SCATTERED, NOISE, KINDS)
