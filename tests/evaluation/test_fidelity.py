import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinsynth.evaluation.bins import Binned, bin_variable, cut_points
from kinsynth.evaluation.fidelity import (
    _taken_places,
    association,
    cell_variance,
    compare_pair,
    dependence_kept,
    distance_interval,
    distances,
    expected_distance,
    similarity,
    total_variation,
)
from kinsynth.evaluation.variables import Variable
from kinsynth.schema.table import Column

CELLS = st.lists(st.integers(0, 4), min_size=1, max_size=40)


def slow_total_variation(first, second):
    cells = set(first) | set(second)
    return sum(abs(first.count(c) / len(first) - second.count(c) / len(second)) for c in cells) / 2


@given(CELLS, CELLS)
@settings(deadline=None, max_examples=60)
def test_distance_equals_the_slow_one_and_is_symmetric(first, second):
    found = distances([np.array(first), np.array(second)], 5, None)[0].measured
    back = distances([np.array(second), np.array(first)], 5, None)[0].measured
    assert found == pytest.approx(slow_total_variation(first, second))
    assert found == pytest.approx(back)


def test_identical_is_one_and_disjoint_is_zero():
    same = distances([np.array([0, 1, 1, 2])] * 2, 4, None)[0]
    apart = distances([np.array([0, 0, 1]), np.array([2, 3, 3])], 4, None)[0]
    assert same.similarity == 1
    assert apart.similarity == 0


def test_chance_is_what_two_samples_show_on_average():
    rng = np.random.default_rng(0)
    share = np.array([0.4, 0.3, 0.2, 0.1])
    sizes = (500, 200)
    measured = [
        total_variation(
            rng.multinomial(sizes[0], share) / sizes[0], rng.multinomial(sizes[1], share) / sizes[1]
        )
        for _ in range(2000)
    ]
    variance = share * (1 - share) / sizes[0] * (1 + sizes[0] / sizes[1])
    # 2000 draws: the mean is known to about 1 %; the normal approximation costs another 2 %
    assert expected_distance(share, variance) == pytest.approx(np.mean(measured), rel=0.03)


def test_groups_make_chance_larger():
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(300):
        kind = rng.integers(0, 2, 100)
        draws.append(np.repeat(kind, 10).mean())
    codes, groups = np.repeat(rng.integers(0, 2, 100), 10), np.repeat(np.arange(100), 10)
    estimated = cell_variance(codes, groups, 2)[1]
    assert estimated == pytest.approx(np.var(draws), rel=0.3)  # 300 draws: 8 %; one sample of 100 groups: 2 %
    assert estimated > 5 * cell_variance(codes, None, 2)[1]


@given(CELLS)
@settings(deadline=None, max_examples=40)
def test_groups_of_one_row_are_independent_rows(codes):
    codes = np.array(codes)
    np.testing.assert_allclose(
        cell_variance(codes, np.arange(len(codes)), 5), cell_variance(codes, None, 5), atol=1e-12
    )


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(2)
    truth, other = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.3, 0.3, 0.2, 0.2])
    covered = 0
    for trial in range(200):
        first, second = (rng.multinomial(2000, share) / 2000 for share in (truth, other))
        low, high = distance_interval(first, second, sizes=(2000, 2000), seed=trial)
        covered += low <= total_variation(truth, other) <= high
    # nominal 95 %; 200 trials have a standard deviation of 1.5 %
    assert covered >= 180


def slow_cramers_v(joint, rows):
    left, right = joint.sum(axis=1), joint.sum(axis=0)
    chi = sum(
        (joint[i, j] - left[i] * right[j]) ** 2 / (left[i] * right[j])
        for i in range(len(left))
        for j in range(len(right))
    )
    r, k = joint.shape
    phi = max(0, chi - (k - 1) * (r - 1) / (rows - 1))
    return np.sqrt(phi / min(k - (k - 1) ** 2 / (rows - 1) - 1, r - (r - 1) ** 2 / (rows - 1) - 1))


def test_association_equals_the_slow_one():
    rng = np.random.default_rng(3)
    for _ in range(20):
        joint = rng.integers(1, 30, (3, 4)).astype(float)
        rows = int(joint.sum())
        assert association(joint / rows, rows) == pytest.approx(min(slow_cramers_v(joint / rows, rows), 1))


def test_association_of_a_constant_is_zero_and_of_a_copy_is_one():
    assert association(np.array([[1.0, 0.0]]), 10) == 0
    assert association(np.eye(3) / 3, 3000) == pytest.approx(1, abs=0.01)


def test_dependence_kept_is_one_for_real_rows_and_zero_for_shuffled_ones():
    rng = np.random.default_rng(4)

    def pair(rows):
        first = rng.integers(0, 5, rows)
        return first, (first + (rng.random(rows) < 0.3)) % 5

    original, fresh = pair(5000), pair(5000)
    shuffled = (fresh[0], rng.permutation(fresh[1]))
    first = Binned("a", (original[0], fresh[0], shuffled[0]), 6)
    second = Binned("b", (original[1], fresh[1], shuffled[1]), 6)
    compared = compare_pair(first, second, None)
    assert dependence_kept([compared], 0) > 0.97
    assert dependence_kept([compared], 1) < 0.03


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 8))
@settings(deadline=None, max_examples=60)
def test_cuts_are_increasing_and_few(values, bins):
    cuts = cut_points(np.array(values), bins)
    assert len(cuts) < max(bins, 1) + 1
    assert (np.diff(cuts) > 0).all()
    assert not len(cuts) or cuts[-1] < max(values)


def test_an_inflated_value_has_a_cell_of_its_own():
    values = np.array([0.0] * 95 + [5, 6, 7, 8, 9])
    binned = bin_variable(Variable(Column("x", "numeric", "double"), (values, values), None))
    assert len(set(binned.parts[0][:95])) == 1
    assert binned.parts[0][95] != binned.parts[0][0]


def test_missing_values_have_the_last_cell():
    values = np.array([1.0, np.nan])
    binned = bin_variable(Variable(Column("x", "numeric", "double"), (values, values), None))
    assert binned.parts[0][1] == binned.cardinality - 1
    assert similarity(0.0, 0.0) == 1


@pytest.mark.parametrize("rows", [1, 50, 5000])
def test_taken_places_are_those_a_sort_finds(rows):
    for places in (3, 700, 40_000):
        place = np.random.default_rng(rows).integers(0, places, rows)
        held, count = np.unique(place, return_counts=True)
        found = _taken_places(place, places)
        assert np.array_equal(found[0], held)
        assert np.array_equal(found[1], count)
