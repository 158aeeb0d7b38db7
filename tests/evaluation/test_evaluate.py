import numpy as np
import pyarrow as pa
import pytest
from evaluation_toys import (
    make_database,
    partly,
    people,
    read_database,
    sample_rows,
    shop,
    shuffled,
    split,
    take,
)

from kinsynth.evaluation import Evaluation, evaluate
from kinsynth.schema.database import Database
from kinsynth.schema.table import Relation
from kinsynth.settings.evaluation import Evaluation as EvaluationSettings
from kinsynth.settings.evaluation import Report


@pytest.fixture(scope="module")
def toys():
    """Training, held-out and fresh rows of one truth."""
    return people(3000, seed=1), people(600, seed=2), people(3000, seed=3)


@pytest.fixture(scope="module")
def adult(data_root):
    """Training, held-out and fresh rows of a real table."""
    whole = sample_rows(read_database(data_root / "adult"), 12_000)
    return tuple(
        take(whole, {"adult": np.arange(*part)}) for part in ((0, 5000), (5000, 6000), (6000, 11_000))
    )


@pytest.fixture(scope="module", params=["toys", "adult"])
def parts(request):
    """Both."""
    return request.getfixturevalue(request.param)


def test_a_copy_is_accurate_and_not_private(parts):
    training, holdout, _ = parts
    found = evaluate(training, training, holdout=holdout)
    assert found.accuracy >= 9.9
    assert found.privacy <= 1


def test_shuffled_columns_are_private_and_not_accurate(parts):
    training, holdout, fresh = parts
    found = evaluate(training, shuffled(fresh), holdout=holdout)
    assert found.accuracy < 5
    assert found.privacy >= 9


def test_fresh_real_rows_are_both(parts):
    training, holdout, fresh = parts
    found = evaluate(training, fresh, holdout=holdout)
    assert found.accuracy >= 9.5
    assert found.privacy >= 9


def test_one_copied_row_in_five_lowers_privacy(parts):
    training, holdout, fresh = parts
    found = evaluate(training, partly(training, fresh, 0.2), holdout=holdout)
    assert found.privacy < 6


def test_copies_are_found_without_holdout(parts):
    training, _, fresh = parts
    assert evaluate(training, training).tables[0].neighbours.risk > 0.5
    assert evaluate(training, fresh).tables[0].neighbours.risk < 0.03


def test_privacy_is_not_measured_without_holdout(toys):
    training, holdout, fresh = toys
    for synthetic in (training, fresh):
        found = evaluate(training, synthetic)
        assert (found.privacy, found.privacy_missing) == (None, "no_holdout")
        assert all(table.privacy is None for table in found.tables)
    found = evaluate(training, fresh, holdout=people(20, seed=2))
    assert (found.privacy, found.privacy_missing) == (None, "too_few")
    assert evaluate(training, fresh, holdout=holdout).privacy_missing is None


def test_same_arguments_same_result_and_json_keeps_it(toys):
    training, holdout, fresh = toys
    first, second = (evaluate(training, fresh, holdout=holdout, seed=4) for _ in range(2))
    assert first == second
    assert Evaluation.model_validate_json(first.model_dump_json()) == first


def test_a_database_of_two_tables_with_fresh_children_scores_well():
    found = evaluate(shop(1500, seed=1), shop(1500, seed=2), holdout=shop(300, seed=3))
    assert found.accuracy > 9
    assert found.privacy > 9
    assert [table.name for table in found.tables] == ["customers", "orders"]


def test_keys_and_original_tables_take_no_part():
    database = shop(200, seed=1)
    found = evaluate(database, database)
    assert [column.name for table in found.tables for column in table.columns] == ["kind", "amount"]
    schema = database.schema
    copied = make_database(
        {
            "customers": (database.tables["customers"], {"id": "identifier", "kind": "categorical"}),
            "orders": (database.tables["orders"], {"customer_id": "identifier", "amount": "numeric"}),
        },
        keys={"customers": "id"},
        relations=schema.relations,
        original=("customers",),
    )
    found = evaluate(copied, copied)
    assert [table.name for table in found.tables] == ["orders"]
    assert [(c.name, c.type) for c in found.tables[0].columns] == [
        ("customer_id", "categorical"),
        ("amount", "numeric"),
    ]
    assert [relation.kind for relation in found.relations] == ["reference"]


def test_limits_of_the_report_are_kept(toys):
    training, _, fresh = toys
    found = evaluate(
        training, fresh, report=Report(univariate_columns=2, bivariate_columns=3, knn_columns=4)
    ).tables[0]
    assert len(found.columns) == 2
    assert len(found.pairs.columns) == 3
    assert found.neighbours.columns == 4
    none = evaluate(
        training, fresh, report=Report(univariate_columns=0, bivariate_columns=0, knn_columns=0)
    ).tables[0]
    assert (none.columns, none.pairs, none.neighbours) == ((), None, None)
    assert none.accuracy > 9


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_tiny_tables_are_evaluated_or_left_out(rows):
    small, large = people(rows, seed=1), people(50, seed=2)
    assert len(evaluate(small, large).tables) == (rows > 0)
    assert len(evaluate(large, small).tables) == (rows > 0)
    assert len(evaluate(large, large, holdout=small).tables) == 1


@pytest.mark.parametrize("kind", [pa.string(), pa.float64(), pa.date32()])
def test_a_column_without_values_is_no_obstacle(kind):
    types = {"string": "categorical", "double": "numeric", "date32[day]": "date"}
    table = pa.table({"empty": pa.array([None] * 200, kind), "n": pa.array(range(200), pa.float64())})
    database = make_database({"t": (table, {"empty": types[str(kind)], "n": "numeric"})})
    column = evaluate(database, database).tables[0].columns[0]
    assert column.similarity.value == 1
    assert column.distribution is None
    assert column.missing == (1.0, 1.0)


def test_a_self_reference_and_an_empty_child_table_are_no_obstacle():
    staff = pa.table(
        {"id": pa.array(range(60)), "boss": pa.array([None] + [0] * 59), "x": pa.array(range(60))}
    )
    notes = pa.table({"staff_id": pa.array([], pa.int64()), "n": pa.array([], pa.float64())})
    database = make_database(
        {
            "staff": (staff, {"id": "identifier", "boss": "identifier", "x": "integer"}),
            "notes": (notes, {"staff_id": "identifier", "n": "numeric"}),
        },
        keys={"staff": "id"},
        relations=(
            Relation("staff", ("boss",), "staff", ("id",)),
            Relation("notes", ("staff_id",), "staff", ("id",)),
        ),
    )
    found = evaluate(database, database)
    assert [table.name for table in found.tables] == ["staff"]
    assert len(found.relations) == 2


def test_what_one_part_lacks_is_left_out(toys):
    training, _, _ = toys
    types = {column.name: column.type for column in training.schema.tables["people"].columns}
    fewer = training.tables["people"].drop_columns(["age"])
    found = evaluate(training, make_database({"people": (fewer, types)}))
    assert [column.name for column in found.tables[0].columns] == ["city", "income", "owner", "born", "job"]
    assert evaluate(training, make_database({"others": (fewer, types)})).accuracy is None


def test_row_numbers_are_rounded(toys):
    training, _, _ = toys
    odd = take(training, {"people": np.arange(2987)})
    assert evaluate(odd, training).tables[0].rows == (3000, 3000, 0)


def test_fewer_rows_are_compared_on_request(toys):
    training, holdout, fresh = toys
    found = evaluate(training, fresh, holdout=holdout, settings=EvaluationSettings(max_rows=200))
    assert found.accuracy > 8.5
    assert found.privacy > 8.5


@pytest.mark.slow
def test_berka_fresh_accounts_score_well_and_copies_do_not(data_root):
    whole = read_database(data_root / "berka", leave_out=("client",), original=("district",))
    rest, fresh = split(whole, 0.5)
    training, holdout = split(rest, 0.1, seed=1)
    good = evaluate(training, Database(fresh.schema, fresh.tables, "synthetic"), holdout=holdout)
    assert good.accuracy > 9
    assert good.privacy > 9
    assert evaluate(training, training, holdout=holdout).privacy < 1
    assert evaluate(training, shuffled(fresh), holdout=holdout).accuracy < good.accuracy - 2
