import numpy as np
import pyarrow as pa
from evaluation_toys import make_database, people

from kinsynth.evaluation import evaluate
from kinsynth.evaluation.marginals import POOLED, protected_ends, show
from kinsynth.evaluation.variables import Variable
from kinsynth.schema.table import Column
from kinsynth.settings.privacy import Protection

PROTECTION = Protection(rare_minimum=5, extreme_minimum=5)


def categories(values, labels):
    parts = (np.array(values, float), np.array(values, float))
    return Variable(Column("x", "categorical", "string"), parts, labels)


def test_only_frequent_categories_are_named():
    shown = show(
        categories([0] * 10 + [1] * 5 + [2] * 4, ("often", "just", "secret")), np.arange(19), PROTECTION
    )
    assert shown.labels == ("often", "just", POOLED)
    assert shown.original == (0.5263, 0.2632, 0.2105)


def test_categories_are_counted_by_subject():
    one_person = np.zeros(10, dtype=int)
    assert show(categories([0] * 10, ("mine",)), one_person, PROTECTION).labels == (POOLED,)


def test_a_synthetic_category_unknown_to_the_original_is_pooled():
    variable = Variable(
        Column("x", "categorical", "string"), (np.zeros(9), np.array([0.0, 1, 1, 1])), ("known", "new")
    )
    shown = show(variable, np.arange(9), PROTECTION)
    assert shown.labels == ("known", POOLED)
    assert shown.synthetic == (0.25, 0.75)


def test_ends_are_the_kth_extremes_by_subject():
    assert protected_ends(np.arange(100.0), np.arange(100), 5) == (4, 95)
    owners = np.concatenate([np.zeros(10, int), np.arange(1, 91)])
    assert protected_ends(np.arange(100.0), owners, 5) == (13, 95)
    assert protected_ends(np.arange(4.0), np.arange(4), 5) is None


def test_no_value_beyond_the_ends_and_no_rare_category_reaches_the_results():
    rng = np.random.default_rng(0)
    salary = rng.normal(1000, 100, 500).round(2)
    salary[:3] = 987654.25
    names = [f"person-{i}" for i in range(500)]
    table = pa.table({"salary": salary, "name": names, "kind": ["leader"] * 4 + ["staff"] * 496})
    database = make_database(
        {"staff": (table, {"salary": "numeric", "name": "categorical", "kind": "categorical"})}
    )
    text = evaluate(database, database).model_dump_json()
    assert "person-" not in text
    assert "leader" not in text
    assert "987654" not in text
    assert "staff" in text


def test_shares_add_up_and_leave_out_missing_values():
    database = people(800, seed=1)
    for column in evaluate(database, database).tables[0].columns:
        assert abs(sum(column.distribution.original) - 1) < 0.001 * len(column.distribution.original)
    income = evaluate(database, database).tables[0].columns[2]
    assert 0.05 < income.missing[0] < 0.15
