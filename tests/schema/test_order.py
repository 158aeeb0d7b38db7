"""The order of rows under a parent is found where there is one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.schema.order import propose_order
from kinsynth.schema.table import Column

ROWS = 200
PARENTS = np.repeat(np.arange(50), 4)
GENERATOR = np.random.default_rng(0)
SORTED = np.sort(GENERATOR.choice(10_000, ROWS, replace=False))
SHUFFLED = GENERATOR.permutation(SORTED)


def propose(kind: str, name: str, values: np.ndarray, parents: np.ndarray = PARENTS) -> str | None:
    storage = {
        "date": pa.date32(),
        "datetime": pa.timestamp("us"),
        "integer": pa.int64(),
        "numeric": pa.float64(),
    }[kind]
    array = pa.array(values.astype(np.int32 if kind == "date" else np.int64)).cast(storage)
    table = pa.table({name: array})
    found = propose_order(table, [Column(name, kind, str(storage))], parent_row=parents)
    return None if found is None else found.column


@pytest.mark.parametrize(
    ("kind", "name", "values", "found"),
    [
        ("date", "day", SORTED, True),
        ("datetime", "paid_at", SHUFFLED, True),
        ("date", "birth_date", SORTED, False),
        ("datetime", "last_update", np.zeros(ROWS), False),
        ("integer", "year", np.tile([1, 1, 2, 3], 50), True),
        ("integer", "line", np.tile([4, 2, 3, 1], 50), True),
        ("integer", "amount", SORTED, False),
        ("integer", "visit", np.tile([1, 1, 1, 1], 50), False),
        ("numeric", "time", SORTED, False),
    ],
)
def test_orders(kind: str, name: str, values: np.ndarray, found: bool) -> None:
    assert propose(kind, name, values) == (name if found else None)


def test_single_children_have_no_order() -> None:
    assert propose("date", "day", SORTED, np.arange(ROWS)) is None
    assert propose("date", "day", SORTED, np.full(ROWS, -1)) is None


def test_incomplete_columns_give_no_order_and_times_go_before_numbers() -> None:
    days = pa.array(SORTED.astype(np.int32)).cast(pa.date32())
    holes = pa.array([None if n == 3 else day for n, day in enumerate(days.to_pylist())], pa.date32())
    table = pa.table({"seq": pa.array(np.tile([1, 2, 3, 4], 50)), "sent": holes, "day": days})
    columns = [
        Column("seq", "integer", "int64"),
        Column("sent", "date", "date32[day]"),
        Column("day", "date", "date32[day]"),
    ]
    found = propose_order(table, columns, parent_row=PARENTS)
    assert found is not None
    assert (found.column, found.sorted_share, found.distinct_share) == ("day", 1.0, 1.0)
    assert "100%" in found.reason
