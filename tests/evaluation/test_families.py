import numpy as np
import pytest

from kinsynth.evaluation.families import summarise
from kinsynth.evaluation.variables import Variable
from kinsynth.schema.table import Column

ROWS = np.array([0, 0, 2, 2, 2, -1])


def variable(values, labels=None):
    kind = "categorical" if labels else "numeric"
    return Variable(Column("x", kind, "double"), (np.array(values, float),), labels)


def summed(child, order=None):
    found = summarise([child], [ROWS], [3], order=order)
    return {v.column.name: v.parts[0] for v in found}


def test_numbers_are_summed_up_as_by_hand():
    found = summed(variable([1, 3, 5, 5, 8, 100]))
    np.testing.assert_array_equal(found["children"], [2, 0, 3])
    np.testing.assert_allclose(found["x.mean"], [2, np.nan, 6])
    np.testing.assert_allclose(found["x.spread"], [1, np.nan, np.sqrt(2)])
    np.testing.assert_allclose(found["x.largest"], [3, np.nan, 8])


@pytest.mark.parametrize("size", [1e-200, 1e300, np.finfo(float).max / 8])
def test_numbers_of_any_size_are_summed_up(size):
    found = summed(variable(np.array([1, 3, 5, 5, 8, 1]) * size))
    np.testing.assert_allclose(found["x.spread"] / size, [1, np.nan, np.sqrt(2)])


def test_categories_are_summed_up_as_by_hand():
    found = summed(variable([0, 1, 0, 0, np.nan, 1], labels=("a", "b")))
    np.testing.assert_array_equal(found["x.different"], [2, 0, 1])
    np.testing.assert_allclose(found["x.first"], [0.5, np.nan, 1])


@pytest.mark.parametrize(("labels", "expected"), [(None, [2, np.nan, 3]), (("a",) * 9, [1, np.nan, 0.5])])
def test_steps_follow_the_order(labels, expected):
    order = variable([2, 1, 3, 2, 1, 0])
    found = summed(variable([1, 3, 8, 2, 2, 0], labels), order)
    np.testing.assert_allclose(found["x.step"], expected)


def test_families_that_forgot_their_parent_are_told_apart():
    import pyarrow as pa
    from evaluation_toys import make_database

    from kinsynth.evaluation import evaluate
    from kinsynth.schema.table import Relation

    def database(seed, loyal):
        rng = np.random.default_rng(seed)
        owner = np.repeat(np.arange(800), 6)
        taste = rng.normal(size=800)[owner] if loyal else rng.normal(size=4800)
        visits = pa.table({"who": pa.array(owner), "spent": pa.array(taste + 0.3 * rng.normal(size=4800))})
        return make_database(
            {
                "guests": (pa.table({"id": pa.array(np.arange(800))}), {"id": "identifier"}),
                "visits": (visits, {"who": "identifier", "spent": "numeric"}),
            },
            keys={"guests": "id"},
            relations=(Relation("visits", ("who",), "guests", ("id",)),),
        )

    real = database(1, loyal=True)
    # 800 against 800: AUC of guessing has a standard deviation of about 0.015
    assert evaluate(real, database(2, loyal=True)).relations[0].families.value < 0.56
    assert evaluate(real, database(2, loyal=False)).relations[0].families.value > 0.9
