import numpy as np
import pytest

from kinsynth.evaluation.neighbours import nearest, place_points
from kinsynth.evaluation.variables import Variable
from kinsynth.schema.table import Column


def test_nearest_equals_the_slow_one():
    rng = np.random.default_rng(0)
    queries, base = rng.random((50, 4)).astype("f4"), rng.random((80, 4)).astype("f4")
    slow = [min(np.linalg.norm(q.astype(float) - b) for b in base) for q in queries]
    np.testing.assert_allclose(nearest(queries, base), slow, atol=1e-5)


def test_a_row_is_at_distance_zero_of_its_copy():
    points = np.random.default_rng(1).random((200, 30)).astype("f4")
    assert (nearest(points[:20], points) == 0).all()


def variable(values, labels=None, other=None):
    parts = (np.array(values, float), np.array(values if other is None else other, float))
    return Variable(Column("x", "categorical" if labels else "numeric", "string"), parts, labels)


def distance(points, first, second):
    return float(np.linalg.norm(points[first] - points[second]))


def test_two_categories_are_one_apart_and_missing_is_another():
    points = place_points([variable([0, 1, np.nan, 0], labels=("a", "b"))])[0]
    assert distance(points, 0, 1) == pytest.approx(1)
    assert distance(points, 0, 2) == pytest.approx(1)
    assert distance(points, 0, 3) == 0


def test_numbers_are_placed_by_rank():
    points = place_points([variable([1, 2, 3, 1e9, np.nan])])[0]
    assert distance(points, 0, 3) < 1
    assert distance(points, 0, 1) == pytest.approx(distance(points, 2, 3), abs=1e-3)
    assert distance(points, 1, 4) > 0.8


def test_different_values_never_share_a_place():
    values = np.random.default_rng(2).gamma(1, 1, 500)
    between = np.sort(values)[:-1] + np.diff(np.sort(values)) / 2
    points = place_points([variable(values, other=between)])[1][:, 0]
    assert (np.diff(points) > 0).all()
