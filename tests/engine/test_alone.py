"""Rows without owner: how many are drawn, what they know, and that no way of drawing changes them."""

from dataclasses import replace

import numpy as np
import pytest

from engine.engine_toys import QUICK, guests
from kinsynth.encoded import Encoded
from kinsynth.engine.batches import split_units
from kinsynth.engine.delivery import deliver
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.given_graph import GivenGraph
from kinsynth.engine.layout import describe_table, read_layout, write_layout
from kinsynth.engine.linked import draw_linked
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.trainer import train

PLAN = replace(QUICK, block_size=128)
LEARNED = 0.95  # share of rows that follow a rule without exception after a short training; by chance a third


@pytest.fixture(scope="module")
def models():
    encoded = guests()
    return {name: train(encoded, name, PLAN, seed=1) for name in encoded.tables}


@pytest.fixture(scope="module")
def drawn(models):
    return concatenate(sample(models, {"buyers": 1200}, seed=2)).tables


def test_rows_without_owner_are_as_many_for_each_root_as_learned(drawn):
    assert (drawn["orders"].alone, drawn["lines"].alone) == (600, 400)


@pytest.mark.parametrize("roots", [0, 1, 2, 5, 333])
def test_their_number_is_rounded(models, roots):
    tables = concatenate(sample(models, {"buyers": roots}, seed=2)).tables
    assert tables["buyers"].rows == roots
    assert tables["orders"].alone == (roots + 1) // 2
    assert tables["lines"].alone == int(np.floor(roots / 3 + 0.5))


def test_they_are_learned_beside_the_sequences_of_owners(drawn):
    buyers, orders, lines = (drawn[name] for name in ("buyers", "orders", "lines"))
    colour = orders.codes_RC[:, 0]
    assert (colour[: orders.owned] == buyers.codes_RC[orders.parent_R[: orders.owned], 0]).mean() > LEARNED
    assert (colour[orders.owned :] == 3).mean() > LEARNED
    under = lines.parent_R[: lines.owned]
    assert (lines.codes_RC[: lines.owned, 0] == colour[under]).mean() > LEARNED
    assert (lines.codes_RC[lines.owned :, 0] == 4).mean() > LEARNED


def test_rows_below_them_know_that_there_is_nobody_above(drawn):
    orders, lines = drawn["orders"], drawn["lines"]
    bought = lines.parent_R[: lines.owned] < orders.owned
    assert 0.1 < 1 - bought.mean() < 0.5
    assert (lines.codes_RC[: lines.owned, 1] == bought).mean() > LEARNED


def test_a_tree_drawn_table_by_table_is_the_one_drawn_block_by_block(models):
    samplers = {name: TableSampler(model, 7, 1.0, None) for name, model in models.items()}
    store = draw_linked(samplers, {"buyers": 300}, workers=2, begin=lambda: None)
    apart, together = list(sample(models, {"buyers": 300}, seed=7)), list(deliver(store, "buyers"))
    assert (
        [block.level for block in apart] == [block.level for block in together] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    )
    for one, other in zip(apart, together, strict=True):
        for name, table in one.tables.items():
            stored = other.tables[name]
            assert (table.row_ids == stored.row_ids).all()
            assert (table.root_R == stored.root_R).all()
            assert (table.encoded.codes_RC == stored.encoded.codes_RC).all()
            assert table.encoded.alone == stored.encoded.alone
            if table.encoded.parent_R is not None:
                assert (table.encoded.parent_R == stored.encoded.parent_R).all()


def test_a_table_with_all_its_rows_in_one_block_is_led_to_its_shares_and_one_with_some_behind_is_not(models):
    shares = {"buyers": {1: np.array([0.1, 0.2, 0.3, 0.4])}, "orders": {1: np.array([0.8, 0.1, 0.1])}}
    even = {}
    for name, model in models.items():
        subs = tuple(replace(sub, even_K=np.ones(sub.cardinality, bool)) for sub in model.layout.sub_columns)
        even[name] = replace(model, layout=replace(model.layout, sub_columns=subs))
    free, led = (
        concatenate(sample(even, {"buyers": 100}, seed=3, whole=True, shares=one)).tables
        for one in (None, shares)
    )
    assert np.abs(np.bincount(led["buyers"].codes_RC[:, 1]) - [10, 20, 30, 40]).max() <= 2
    assert np.abs(np.bincount(free["buyers"].codes_RC[:, 1]) - [10, 20, 30, 40]).max() > 5
    assert (led["orders"].codes_RC[:, 1] == 0).mean() < 0.6
    assert led["orders"].alone == free["orders"].alone == 50


@pytest.mark.parametrize("shards", [2, 3, 7])
@pytest.mark.parametrize("threads", [1, 3])
def test_they_are_the_same_for_any_shards_and_threads(models, shards, threads):
    whole = concatenate(sample(models, {"buyers": 840}, seed=4, threads=1))
    each = 840 // shards
    joined = concatenate(
        block
        for first in range(0, 840, each)
        for block in sample(models, {"buyers": each}, seed=4, first_root=first, threads=threads)
    )
    for name, table in whole.tables.items():
        assert joined.tables[name].codes_RC.tobytes() == table.codes_RC.tobytes()
        assert joined.tables[name].alone == table.alone
        assert table.parent_R is None or joined.tables[name].parent_R.tobytes() == table.parent_R.tobytes()


def test_row_numbers_are_of_one_row_each(models):
    blocks = list(sample(models, {"buyers": 700}, seed=4))
    for name in models:
        ids = np.concatenate([block.tables[name].row_ids for block in blocks])
        assert len(np.unique(ids)) == len(ids) > 0


def test_a_given_graph_is_kept(models):
    encoded = guests().tables
    parent_R = {name: table.parent_R for name, table in encoded.items() if table.parent_R is not None}
    graph = GivenGraph({"buyers": 600}, parent_R, {name: {} for name in encoded})
    tables = concatenate(sample(models, {"buyers": 600}, seed=1, graph=graph)).tables
    for name, rows in parent_R.items():
        assert (tables[name].parent_R == rows).all()
        assert tables[name].alone == encoded[name].alone


def test_a_root_is_judged_by_in_all_tables_or_in_none():
    encoded, held = guests(), {}
    for name in encoded.tables:
        split = split_units(encoded, name, PLAN, seed=3)
        roots = encoded.root_rows(name)
        held[name] = {*roots[split.validation.row_numbers()].tolist()}
        assert held[name].isdisjoint(roots[split.train.row_numbers()].tolist())
        assert len(held[name]) > 20
    assert held["orders"] - {*range(600, 10**6)} <= held["buyers"]
    assert held["lines"] - {*range(900, 10**6)} <= held["orders"]


def test_a_layout_with_rows_without_owner_is_stored():
    encoded = guests()
    layout = describe_table(encoded, "lines")
    assert [one.optional for one in layout.ancestors] == [True, True]
    assert read_layout(write_layout(layout)) == layout
    assert not any(one.optional for one in describe_table(family_of(encoded), "lines").ancestors)


def family_of(encoded: Encoded) -> Encoded:
    """The same without rows without owner."""
    tables = dict(encoded.tables)
    orders = tables["orders"]
    tables["orders"] = replace(
        orders, codes_RC=orders.codes_RC[: orders.owned], parent_R=orders.parent_R[: orders.owned], alone=0
    )
    lines = tables["lines"]
    kept = int((lines.parent_R < orders.owned).sum())
    tables["lines"] = replace(lines, codes_RC=lines.codes_RC[:kept], parent_R=lines.parent_R[:kept], alone=0)
    return Encoded(tables)


@pytest.mark.parametrize(
    ("alone", "parent_R"), [(1, [0, 1, 1]), (3, [2, 2, 3]), (4, [0, 1, 2]), (1, [0, 2, 3]), (0, [0, 1, 2])]
)
def test_numbers_of_parents_that_are_none_lie_behind_those_that_are(alone, parent_R):
    parents = guests().tables["buyers"]
    parents = replace(parents, codes_RC=parents.codes_RC[:2])
    orders = guests().tables["orders"]
    with pytest.raises(ValueError, match=r"alone|owner|outside"):
        Encoded(
            {
                "buyers": parents,
                "orders": replace(
                    orders, codes_RC=orders.codes_RC[:3], parent_R=np.array(parent_R), alone=alone
                ),
            }
        )
