"""Keys are checked exactly, whatever their types; a slow reference beside the quick way."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.schema.keys import check_primary_key, comparable, missing_keys, orphans, row_numbers
from kinsynth.schema.table import Relation

CELLS = st.lists(st.tuples(st.none() | st.integers(0, 4), st.none() | st.sampled_from("abc")), max_size=30)


def table(rows: list[tuple[int | None, str | None]]) -> pa.Table:
    return pa.table(
        {
            "x": pa.array([row[0] for row in rows], pa.int64()),
            "y": pa.array([row[1] for row in rows], pa.string()),
        }
    )


@given(CELLS)
def test_primary_keys_are_checked_as_the_slow_way(rows: list[tuple[int | None, str | None]]) -> None:
    found = check_primary_key(table(rows), ("x", "y"))
    complete = [row for row in rows if None not in row]
    assert found.nulls == len(rows) - len(complete)
    assert found.duplicates == len(complete) - len(set(complete))
    assert found.is_key == (len(set(complete)) == len(rows))


@given(CELLS, CELLS)
def test_rows_are_found_as_the_slow_way(
    children: list[tuple[int | None, str | None]], parents: list[tuple[int | None, str | None]]
) -> None:
    relation = Relation("child", ("x", "y"), "parent", ("x", "y"))
    expected = [parents.index(row) if None not in row and row in parents else -1 for row in children]
    assert row_numbers(table(children), relation, table(parents)).tolist() == expected
    lost = [None not in row and row not in parents for row in children]
    assert orphans(table(children), relation, table(parents)).tolist() == lost
    assert missing_keys(table(children), ("x", "y")).tolist() == [None in row for row in children]


@pytest.mark.parametrize(
    ("left", "right", "rows"),
    [
        (pa.array([1.0, None, 3.0]), pa.array([1, 2], pa.int32()), [0, -1, -1]),
        (pa.array([1.5, 2.0]), pa.array([1, 2]), [-1, 1]),
        (pa.array([2**63, 1], pa.uint64()), pa.array([Decimal(2**63)]), [0, -1]),
        (pa.array(["1", "01"]), pa.array([1, 2]), [0, -1]),
        (pa.array([None, None], pa.null()), pa.array([1, 2]), [-1, -1]),
        (pa.array(["a"], pa.large_string()), pa.array(["a"]), [0]),
        (pa.array([], pa.int64()), pa.array([1]), []),
    ],
)
def test_equal_values_of_different_types_meet(left: pa.Array, right: pa.Array, rows: list[int]) -> None:
    relation = Relation("child", ("x",), "parent", ("id",))
    assert row_numbers(pa.table({"x": left}), relation, pa.table({"id": right})).tolist() == rows


def test_types_that_can_be_equal() -> None:
    assert comparable(pa.int64(), pa.float64())
    assert comparable(pa.string(), pa.large_string())
    assert not comparable(pa.string(), pa.int64())
    assert not comparable(pa.date32(), pa.timestamp("us"))


def test_offending_rows_are_numbered_from_one() -> None:
    found = check_primary_key(pa.table({"id": [7, 8, 7, None]}), ("id",))
    assert (found.duplicate_rows, found.null_rows) == ((3,), (4,))
