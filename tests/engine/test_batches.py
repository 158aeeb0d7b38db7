import numpy as np

from kinsynth.engine.batches import Units


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
