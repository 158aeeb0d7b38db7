import tracemalloc

import numpy as np
import pytest

from kinsynth.encoded import Encoded, EncodedTable, SubColumn
from kinsynth.engine.batches import Batches, Units, first_places, split_units
from kinsynth.engine.layout import describe_table
from kinsynth.engine.sizing import TablePlan


class Counting(np.ndarray):
    """An array that counts how often something is taken from it."""

    taken = 0

    def __sub__(self, other):
        Counting.taken += 1
        return np.asarray(self) - np.asarray(other)


def test_the_rows_of_units_are_counted_once_however_often_they_are_asked_for():
    start_U = np.array([0, 2, 3])
    units = Units(start_U, np.array([2, 3, 7]).view(Counting), np.zeros(3, dtype=np.int64))
    assert [units.rows for _ in range(3)] == [7, 7, 7]
    assert Counting.taken == 1


@pytest.mark.parametrize("parents", [[], [0], [0, 0, 1, 4, 4, 4], [3]])
def test_rows_of_one_parent_have_its_first_and_last_place(parents):
    parent_R = np.array(parents, dtype=np.int64)
    for side in ("left", "right"):
        assert (
            first_places(parent_R, side).tolist() == np.searchsorted(parent_R, parent_R, side=side).tolist()
        )


def test_the_order_of_rows_takes_few_bytes_of_memory():
    """A unit takes two numbers of 32 bits and a byte, its place in the walk of an epoch two more."""
    rows = 500_000
    encoded = Encoded({"t": EncodedTable(np.zeros((rows, 1), np.uint8), (SubColumn(0, 2),))})
    plan = TablePlan(batch_size=4_096)
    tracemalloc.start()
    batches = Batches(
        encoded, describe_table(encoded, "t"), plan, split_units(encoded, "t", plan, seed=1).train
    )
    next(batches.some(1, 0, 0, 1))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 18 * rows


def test_a_batch_copies_nothing_as_long_as_the_table():
    """Looking a batch up with a number of another type than the walk's would copy the walk each time."""
    rows = 500_000
    encoded = Encoded({"t": EncodedTable(np.zeros((rows, 1), np.uint8), (SubColumn(0, 2),))})
    plan = TablePlan(batch_size=1_024)
    batches = Batches(
        encoded, describe_table(encoded, "t"), plan, split_units(encoded, "t", plan, seed=1).train
    )
    next(batches.some(1, 0, 0, 1))
    tracemalloc.start()
    next(batches.some(1, 0, 1, 1))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < rows
