import pytest

from kinsynth.evaluation.scores import (
    overall_accuracy,
    overall_privacy,
    realism,
    relation_accuracy,
    table_accuracy,
    table_privacy,
)


def test_table_accuracy_is_the_published_mean():
    assert table_accuracy(1.0, 0.5, 0.25) == pytest.approx(10 * (0.25 + 0.35 * 0.5 + 0.40 * 0.25), abs=0.01)
    assert table_accuracy(0.5, None, None) == 5
    assert table_accuracy(1.0, None, 0.0) == pytest.approx(10 * 0.25 / 0.65, abs=0.01)


def test_realism_falls_from_guessing_to_certainty():
    assert [realism(auc) for auc in (0.4, 0.5, 0.75, 1.0)] == [1, 1, 0.5, 0]


def test_database_accuracy_weighs_tables_by_columns_and_relations_by_three_tenths():
    assert overall_accuracy([(10, 3), (6, 1)], []) == 9
    assert overall_accuracy([(10, 1)], [0.0, 10.0]) == pytest.approx(0.7 * 10 + 0.3 * 5)
    assert overall_accuracy([], []) is None
    assert relation_accuracy([0.5, None, None]) == 5
    assert relation_accuracy([1.0, 0.0, 0.5]) == 5
    assert relation_accuracy([None]) is None


def test_privacy_is_steep_and_that_of_the_weakest():
    assert table_privacy(0) == 10
    assert table_privacy(1) == 0
    assert table_privacy(0.2) == pytest.approx(4.1, abs=0.01)
    assert overall_privacy([9.0, None, 3.0]) == 3
    assert overall_privacy([None]) is None
