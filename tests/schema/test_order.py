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
        ("datetime", "last_update", np.repeat(SORTED[:50], 4), False),
        ("datetime", "rated_at", SHUFFLED // 10 * 10 % 30, True),
        ("integer", "year", np.tile([1, 1, 2, 3], 50), True),
        ("integer", "line", np.tile([4, 2, 3, 1], 50), True),
        ("integer", "dep_time", np.tile([1805, 2, 730, 1410], 50), False),
        ("integer", "time", np.tile([2, 730, 1410, 1805], 50), True),
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
    assert found.several_share == 1.0
    assert "100%" in found.reason


def test_moments_shared_by_many_rows_order_them_and_a_constant_one_does_not() -> None:
    generator = np.random.default_rng(1)
    parents = np.repeat(np.arange(10), 100)
    moments = np.sort(generator.choice(90_000, 250, replace=False))
    ties = generator.permuted(np.repeat(moments, 4).reshape(10, 100), axis=1).ravel()
    changed = np.repeat(np.arange(10), 100)
    table = pa.table(
        {name: pa.array(v).cast(pa.timestamp("us")) for name, v in (("changed", changed), ("sent", ties))}
    )
    columns = [Column(name, "datetime", "timestamp[us]") for name in table.column_names]
    found = propose_order(table, columns, parent_row=parents)
    assert found is not None
    assert found.column == "sent"
    assert found.distinct_share < 0.3
    assert found.sorted_share < 0.9


def test_a_moment_that_differs_between_two_rows_goes_before_one_that_never_does() -> None:
    parents = np.repeat(np.arange(100), 2)
    changed, sent = np.repeat(np.arange(100), 2), SHUFFLED
    table = pa.table(
        {name: pa.array(v).cast(pa.timestamp("us")) for name, v in (("changed", changed), ("sent", sent))}
    )
    columns = [Column(name, "datetime", "timestamp[us]") for name in table.column_names]
    found = propose_order(table, columns, parent_row=parents)
    assert found is not None
    assert found.column == "sent"
