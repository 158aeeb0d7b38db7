"""Equal keys get equal numbers, whatever their types; missing ones are told apart from all others."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.certificate.numbering import (
    MISSING,
    UNKNOWN,
    count_repeats,
    find_rows,
    number_keys,
    number_pairs,
)


def column(values: list[object], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    half = len(values) // 2
    kind = kind or pa.array(values).type
    return pa.chunked_array([pa.array(values[:half], kind), pa.array(values[half:], kind)], kind)


KINDS: dict[str, tuple[pa.DataType, list[object]]] = {
    "int": (pa.int64(), [-(2**63), 2**63 - 1, 0, 5, None]),
    "small": (pa.int16(), [3, 4, None]),
    "unsigned": (pa.uint64(), [2**64 - 1, 0, None]),
    "text": (pa.string(), ["a", "A", " a", "", "é", None]),
    "float": (pa.float64(), [0.5, -2.0, 1e300, None]),
    "decimal": (pa.decimal128(38, 10), [Decimal("0.1"), Decimal(-7), None]),
    "date": (pa.date32(), [dt.date(2020, 1, 1), dt.date(1900, 1, 1), None]),
    "moment": (pa.timestamp("us"), [dt.datetime(2020, 1, 1, 1), dt.datetime(1500, 1, 1), None]),
    "time": (pa.time64("us"), [dt.time(1, 2), dt.time(0), None]),
    "boolean": (pa.bool_(), [True, False, None]),
    "none": (pa.null(), [None, None]),
}


@given(data=st.data(), names=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
def test_numbers_agree_with_tuples(data: st.DataObject, names: list[str]) -> None:
    """Repeats and first rows are those that plain tuples of the values give."""
    parts = [st.sampled_from(KINDS[name][1]) for name in names]
    left, right = (data.draw(st.lists(st.tuples(*parts), max_size=30)) for _ in range(2))
    sides = [
        [column([row[place] for row in rows], KINDS[name][0]) for place, name in enumerate(names)]
        for rows in (left, right)
    ]
    numbers = number_keys(sides[0])
    whole = [row for row in left if None not in row]
    assert (numbers == MISSING).sum() == len(left) - len(whole)
    assert count_repeats(numbers) == len(whole) - len(set(whole))
    found = find_rows(*number_pairs(*sides))
    expected = [right.index(row) if None not in row and row in right else -1 for row in left]
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (column([1, 2]), column([1.0, 2.0]), [0, 1]),
        (column([1, 2]), column([1.5, 2.0]), [-1, 1]),
        (column([1, 2], pa.int16()), column([2, 1], pa.uint64()), [1, 0]),
        (column([1, 2**60 + 1]), column([Decimal(2**60), Decimal(2**60 + 1)], pa.decimal128(38, 0)), [-1, 1]),
        (column([Decimal("1.50"), Decimal(2)]), column([Decimal("1.5"), Decimal("2.0")]), [0, 1]),
        (column([dt.date(2020, 1, 1)]), column([dt.datetime(2020, 1, 1)]), [0]),
        (
            column([dt.datetime(2020, 1, 1, 0, 0, 0, 1)]),
            column([dt.datetime(2020, 1, 1)], pa.timestamp("s")),
            [-1],
        ),
        (column(["1"]), column([1]), [-1]),
        (column(["a"], pa.large_string()), column(["a"]), [0]),
    ],
)
def test_values_are_equal_over_types(left: pa.ChunkedArray, right: pa.ChunkedArray, equal: list[int]) -> None:
    assert find_rows(*number_pairs([left], [right])).tolist() == equal


def test_a_key_of_many_wide_columns_stays_exact() -> None:
    """The product of the columns' spans leaves 64 bits; keys are made dense and stay apart."""
    rows = list(product([0, 2**40], repeat=6))
    keys = [column([row[place] for row in rows]) for place in range(6)]
    assert count_repeats(number_keys(keys)) == 0
    assert find_rows(
        *number_pairs(keys, [pa.chunked_array([c.combine_chunks()[::-1]]) for c in keys])
    ).tolist() == list(range(63, -1, -1))
    other = [column([7] * 64), *keys[1:]]
    assert set(number_pairs(other, keys)[0].tolist()) == {UNKNOWN}


def test_nothing_resolves_to_an_empty_table() -> None:
    empty = pa.chunked_array([], pa.int64())
    assert find_rows(*number_pairs([column([1, None])], [empty])).tolist() == [-1, -1]
    assert len(number_keys([empty])) == 0
    assert find_rows(np.array([0, 0]), np.array([], np.int64)).tolist() == [-1, -1]
