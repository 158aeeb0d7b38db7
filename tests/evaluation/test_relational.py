from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from evaluation_toys import make_database, shop, shuffled

from kinsynth.evaluation import evaluate
from kinsynth.evaluation.links import ancestry, link, subjects
from kinsynth.evaluation.relational import (
    cell_starts,
    child_counts,
    compare_counts,
    compare_in_degrees,
    count_distance,
    thinned,
)
from kinsynth.schema.database import Database
from kinsynth.schema.table import Column, Relation, Schema, Table


def match_rows(children, parents):
    names = tuple(str(place) for place in range(len(children)))
    tables = {
        "child": pa.table(dict(zip(names, children, strict=True))),
        "parent": pa.table(dict(zip(names, parents, strict=True))),
    }
    schema = Schema(
        {
            name: Table(name, tuple(Column(one, "identifier", str(table[one].type)) for one in names))
            for name, table in tables.items()
        },
        (Relation("child", names, "parent", names),),
    )
    return link(Database(schema, tables, "original"), schema.relations[0])


def keys(*values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def test_keys_of_other_number_types_are_matched():
    children = keys(*map(Decimal, (7, 100)), kind=pa.decimal128(3, 0))
    assert match_rows([children], [keys(7, 2**62, 100)]).tolist() == [0, 2]


def test_keys_find_their_rows_and_only_those():
    assert match_rows([keys("b", None, "x", "a")], [keys("a", "b")]).tolist() == [1, -1, -1, 0]
    both = match_rows([keys(1, 1, 2), keys("x", "y", "x")], [keys(2, 1), keys("x", "x")])
    assert both.tolist() == [1, -1, 0]


def test_match_rows_equals_the_slow_one():
    rng = np.random.default_rng(0)
    parents = rng.permutation(50)[:30]
    children = rng.integers(0, 60, 200)
    found = match_rows([pa.chunked_array([children])], [pa.chunked_array([parents])])
    place = {int(key): row for row, key in enumerate(parents)}
    assert found.tolist() == [place.get(int(key), -1) for key in children]


def test_subjects_are_root_rows():
    database = shop(20, seed=1)
    relation = database.schema.relations[0]
    np.testing.assert_array_equal(subjects(database, "orders"), link(database, relation))
    assert ancestry(database.schema, "customers") == ()


def test_child_counts_include_parents_without_children():
    assert child_counts(np.array([0, 2, 2, -1]), 4).tolist() == [1, 0, 2, 0]


def test_equal_counts_have_no_distance_and_disjoint_ones_are_far():
    same = count_distance([np.array([0, 1, 2])] * 2, seed=0)
    apart = count_distance([np.array([0, 0]), np.array([3, 3])], seed=0)
    assert (same.value, apart.value) == (0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_cells_of_counts_hold_enough_parents(seed):
    counts = np.random.default_rng(seed).negative_binomial(1, 0.05, 500)
    starts = [*cell_starts(counts, 5), np.inf]
    held = [((counts >= low) & (counts < high)).sum() for low, high in pairwise(starts)]
    assert starts[0] == 0
    assert min(held) >= 5


def test_a_lonely_large_count_is_not_shown():
    counts = np.array([0] * 50 + [1] * 50 + [987])
    assert compare_counts([counts, counts], np.arange(101), minimum=5, seed=0).shown.labels == ("0", "1+")


def test_a_count_that_few_subjects_hold_is_not_shown():
    counts = np.array([0] * 50 + [1] * 50 + [987] * 20)
    owner = np.array([*range(100), *[100] * 20])
    assert compare_counts([counts, counts], owner, minimum=5, seed=0).shown.labels == ("0", "1+")


def test_a_relation_with_other_child_counts_scores_low_and_a_fresh_one_high():
    original, holdout = shop(1500, seed=1), shop(300, seed=2)
    fresh = evaluate(original, shop(1500, seed=3), holdout=holdout).relations[0]
    other = evaluate(original, shop(1500, seed=3, mean=9), holdout=holdout).relations[0]
    assert fresh.accuracy > 9
    assert other.counts.similarity.value < 0.6
    distance = fresh.counts.total_variation
    assert distance.interval[0] <= distance.value <= distance.interval[1]
    assert distance.reference is not None


def test_children_that_ignore_their_parents_are_noticed():
    original = shop(1500, seed=1)
    broken = evaluate(original, shuffled(shop(1500, seed=3))).relations[0]
    assert broken.pairs.value < 0.2


def test_rows_that_point_at_none_are_no_family():
    """Orders of guests are small; that drawn ones are not is no chance, as it would be of one customer's."""

    def with_guests(database, small):
        orders = database.tables["orders"]
        guest_R = np.arange(orders.num_rows) % 3 == 0
        key = pa.array(orders["customer_id"].to_numpy(), mask=guest_R)
        amount = np.where(guest_R & small, 1.0, orders["amount"].to_numpy())
        left = {"id": "identifier", "kind": "categorical"}
        return make_database(
            {
                "customers": (
                    database.tables["customers"].set_column(1, "kind", pa.array(["one"] * 1500)),
                    left,
                ),
                "orders": (
                    pa.table({"customer_id": key, "amount": amount}),
                    {"customer_id": "identifier", "amount": "numeric"},
                ),
            },
            keys={"customers": "id"},
            relations=database.schema.relations,
        )

    original = with_guests(shop(1500, seed=1), small=True)
    kept, broken = (
        evaluate(original, with_guests(shop(1500, seed=3), small)).relations[0] for small in (True, False)
    )
    assert kept.pairs.value > 0.95
    assert broken.pairs.value < 0.3  # 0.63 with guests as one family


def test_in_degrees_of_other_scale_and_equal_shape_are_alike():
    rng = np.random.default_rng(0)
    rate = rng.gamma(2, 3, 2000)
    real, made, even = rng.poisson(rate), rng.poisson(5 * rate), rng.poisson(np.full(2000, 30.0))
    owner = np.arange(2000)
    same = compare_in_degrees([real, made], owner, minimum=5, seed=0)
    other = compare_in_degrees([real, even], owner, minimum=5, seed=0)
    assert same.similarity.value > 0.97
    assert other.total_variation.value > 0.15
    assert same.means == pytest.approx((real.mean(), made.mean()), rel=0.01)
    assert same.total_variation.reference is None


def test_a_part_in_which_no_row_points_is_not_thinned_away():
    real, none = np.full(100, 4), np.zeros(100, dtype=np.int64)
    assert [part.tolist() for part in thinned([real, none], seed=0)] == [real.tolist(), none.tolist()]
    spread = np.repeat([1, 9], 50)
    assert compare_in_degrees([spread, none], np.arange(100), minimum=5, seed=0).similarity.value < 0.6


def test_few_targets_have_no_in_degrees_to_show():
    assert compare_in_degrees([np.arange(6)] * 2, np.arange(6), minimum=5, seed=0) is None
