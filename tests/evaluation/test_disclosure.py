import numpy as np
import pytest

from kinsynth.evaluation.disclosure import Attack, compare_neighbours, copied_rows, excess, row_marks, wilson
from kinsynth.evaluation.variables import Variable
from kinsynth.schema.table import Column


def variables(*parts):
    """Make numeric variables of parts of shape (R, C)."""
    return [
        Variable(Column(f"c{j}", "numeric", "double"), tuple(part[:, j] for part in parts), None)
        for j in range(parts[0].shape[1])
    ]


def draw(rows, seed):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(rows, 1))
    return np.round(base + rng.normal(size=(rows, 4)), 3)


def compare(*parts):
    return compare_neighbours(variables(*parts), [np.arange(len(p)) for p in parts], max_rows=1000, seed=0)


def test_equal_rows_have_equal_marks():
    marks = row_marks(variables(np.array([[1, 2], [1, 3.0]]), np.array([[1, 3.0], [2, 2]])))
    assert marks[0][1] == marks[1][0]
    assert len({*marks[0], *marks[1]}) == 3


def test_missing_equals_missing_in_marks():
    marks = row_marks(variables(np.array([[1, np.nan]]), np.array([[1, np.nan], [1, 0]])))
    assert marks[0][0] == marks[1][0] != marks[1][1]


def test_copies_are_counted_against_the_holdout():
    original, holdout = np.arange(100.0)[:, None], np.arange(90, 140.0)[:, None]
    synthetic = np.arange(80, 120.0)[:, None]
    owners = [np.arange(len(p)) for p in (original, synthetic, holdout)]
    attack = copied_rows(variables(original, synthetic, holdout), owners)
    assert (attack.share, attack.baseline) == (0.5, 0.2)


def test_without_holdout_doubles_of_other_subjects_are_the_baseline():
    original, synthetic = np.array([[1.0], [1], [2], [3]]), np.array([[2.0], [9]])
    attack = copied_rows(variables(original, synthetic), [np.array([0, 0, 1, 2]), np.arange(2)])
    assert (attack.share, attack.baseline) == (0.5, 0.0)


def test_the_share_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    hits = [wilson(count / 200, 200) for count in rng.binomial(200, 0.1, 400)]
    # nominal 95 %; 400 trials have a standard deviation of 1.1 %
    assert np.mean([low <= 0.1 <= high for low, high in hits]) > 0.92


def test_risk_is_what_goes_beyond_baseline_and_chance():
    assert excess(0.5, 0.0) == 0.5
    assert excess(0.1, 0.3) == 0
    assert Attack("exact_copies", 0.05, 0.05, (100, 100)).risk == 0
    assert Attack("exact_copies", 1.0, 0.0, (5000, 5000)).risk > 0.97


@pytest.mark.parametrize("with_holdout", [True, False])
def test_a_copy_is_found_and_fresh_rows_are_not_blamed(with_holdout):
    training, fresh, holdout = draw(2000, 1), draw(2000, 2), draw(500, 3)
    rest = (holdout,) if with_holdout else ()
    assert compare(training, training, *rest).risk > 0.9
    # each of four attacks exceeds two standard errors with probability 2.3 %, and then by little
    assert compare(training, fresh, *rest).risk < 0.02


def test_more_copies_more_risk():
    training, fresh, holdout = draw(2000, 1), draw(2000, 2), draw(500, 3)
    risks = [
        compare(training, np.concatenate([training[:n], fresh[n:]]), holdout).risk
        for n in (0, 200, 400, 1000)
    ]
    assert risks == sorted(risks)
    assert risks[2] > 0.12


def test_nearly_copied_rows_are_found():
    training, holdout = draw(2000, 1), draw(500, 3)
    near = training + np.random.default_rng(5).normal(scale=0.01, size=training.shape)
    assert compare(training, near, holdout).risk > 0.8


def test_rows_of_one_subject_do_not_pass_for_copies():
    rng = np.random.default_rng(6)

    def grouped(subjects, seed):
        centre = np.random.default_rng(seed).normal(size=(subjects, 3))
        return np.repeat(centre, 10, axis=0) + rng.normal(scale=0.05, size=(10 * subjects, 3))

    parts = [grouped(200, 1), grouped(200, 2), grouped(80, 3)]
    owners = [np.repeat(np.arange(len(p) // 10), 10) for p in parts]
    found = compare_neighbours(variables(*parts), owners, max_rows=1000, seed=0)
    assert found.risk < 0.05


def test_too_few_rows_are_not_judged():
    assert compare(draw(20, 1), draw(500, 2), draw(500, 3)) is None
