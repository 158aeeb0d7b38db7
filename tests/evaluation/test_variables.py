import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.evaluation.variables import as_numbers, number_jointly, read_variable
from kinsynth.schema.table import Column


def chunked(values, kind):
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, 3], pa.int64(), [1, np.nan, 3]),
        ([1.5, float("inf"), None], pa.float64(), [1.5, np.nan, np.nan]),
        ([dt.date(1970, 1, 3), None], pa.date32(), [2, np.nan]),
        ([dt.datetime(1970, 1, 1, 0, 0, 1)], pa.timestamp("us"), [1_000_000]),
        ([dt.time(0, 0, 2)], pa.time64("us"), [2_000_000]),
        ([1, 2], pa.decimal128(10, 2), [1, 2]),
    ],
)
def test_ordered_values_become_numbers(values, kind, expected):
    np.testing.assert_array_equal(as_numbers(chunked(values, kind)), expected)


def test_equal_values_of_several_parts_get_equal_numbers():
    codes, labels = number_jointly([chunked(["a", None], pa.string()), chunked(["b", "a"], pa.string())])
    assert [[labels[c] if c >= 0 else None for c in part] for part in codes] == [["a", None], ["b", "a"]]


def test_categories_are_numbered_by_frequency_in_the_original():
    parts = [chunked(["b", "b", "a", None], pa.string()), chunked(["c", "c", "c"], pa.string())]
    variable = read_variable(Column("x", "categorical", "string"), parts)
    assert variable.labels == ("b", "a", "c")
    np.testing.assert_array_equal(variable.parts[0], [0, 0, 1, np.nan])
    np.testing.assert_array_equal(variable.parts[1], [2, 2, 2])


@pytest.mark.parametrize("kind", [pa.string(), pa.float64(), pa.bool_(), pa.date32()])
def test_a_column_without_values_is_all_missing(kind):
    column = Column("x", "categorical" if kind == pa.string() else "numeric", str(kind))
    variable = read_variable(column, [chunked([None, None], kind), chunked([None], kind)])
    assert all(np.isnan(part).all() for part in variable.parts)


def test_taking_no_row_gives_missing():
    parts = [chunked([5.0, 6.0], pa.float64()), chunked([7.0], pa.float64())]
    variable = read_variable(Column("x", "numeric", "double"), parts)
    taken = variable.taken([np.array([1, -1]), np.array([-1, 0])], "y")
    np.testing.assert_array_equal(taken.parts[0], [6, np.nan])
    np.testing.assert_array_equal(taken.parts[1], [np.nan, 7])
