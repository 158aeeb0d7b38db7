"""A graph that is given: rows and keys as it says, values drawn, the same bytes however they are cut."""

from dataclasses import replace

import numpy as np
import pytest

from engine.engine_toys import QUICK
from engine.linked_toys import company, layouts_of, store_of
from kinsynth.engine.evidence import UNKNOWN, Condition, Evidence
from kinsynth.engine.given_graph import GivenGraph, lay_given, point_given
from kinsynth.engine.sampled import concatenate, concatenate_pointed
from kinsynth.engine.sampler import sample
from kinsynth.engine.store import Store
from kinsynth.engine.trainer import train
from kinsynth.errors import InternalError

PLAN = replace(QUICK, block_size=64, max_steps=40)


@pytest.fixture(scope="module")
def encoded():
    return company()


@pytest.fixture(scope="module")
def models(encoded):
    return {name: train(encoded, name, PLAN, seed=1) for name in encoded.tables}


@pytest.fixture(scope="module")
def graph(encoded):
    """The graph of the company, its keys assigned by chance: any whole graph will do."""
    store = store_of(encoded)
    tables = {name: table for name, table in encoded.tables.items() if table.keys_of is None}
    return GivenGraph(
        roots={name: table.rows for name, table in tables.items() if table.parent is None},
        parent_R={name: table.parent_R for name, table in tables.items() if table.parent is not None},
        pointed={name: {each.pointer.key: row_R for each, row_R, _ in store.keys(name)} for name in tables},
    )


def draw(models, graph, seed, **more):
    return list(sample(models, graph.roots, seed=seed, graph=graph, **more))


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_and_keys_are_those_of_the_graph(models, graph, seed):
    blocks = draw(models, graph, seed)
    tables, pointed = concatenate(blocks).tables, concatenate_pointed(blocks)
    for name, table in tables.items():
        assert table.rows == graph.rows(name)
        if table.parent is not None:
            assert (table.parent_R == graph.parent_R[name]).all()
        for key, row_R in graph.pointed[name].items():
            assert (pointed[name][key] == row_R).all()
    assert not any(table.removed or table.emptied for block in blocks for table in block.tables.values())


def test_another_seed_draws_other_values(models, graph):
    one, other = (concatenate(draw(models, graph, seed)).tables for seed in (1, 2))
    assert (one["customers"].codes_RC != other["customers"].codes_RC).any()
    assert (one["orders"].codes_RC != other["orders"].codes_RC).any()


def test_what_is_known_of_child_rows_comes_back_in_its_place(models, graph):
    rows = graph.rows("orders")
    wanted_RC = (np.arange(rows) % 3).astype(np.int32)[:, None]
    conditions = {"orders": Condition(known_RC=wanted_RC)}
    made = concatenate(draw(models, graph, 1, conditions=conditions)).tables["orders"]
    assert (made.codes_RC[:, :1] == wanted_RC).all()


def test_codes_that_are_put_are_not_weighed():
    known_RC, group_R = np.array([[UNKNOWN, 2, UNKNOWN, 1]], dtype=np.int32), np.array([-1])
    assert Evidence(known_RC, group_R).counted().tolist() == [[False, True, False, True]]
    assert Evidence(known_RC, group_R, put=2).counted().tolist() == [[False, False, False, True]]
    assert Evidence(known_RC, group_R, put=2).take(np.array([0])).put == 2
    assert known_RC.tolist() == [[UNKNOWN, 2, UNKNOWN, 1]]


def test_any_number_of_threads_gives_the_same_rows(models, graph):
    one, other = (concatenate(draw(models, graph, 1, threads=threads)).tables for threads in (1, 3))
    assert all((table.codes_RC == other[name].codes_RC).all() for name, table in one.items())


def test_rows_of_keys_tell_what_they_would_when_learned(encoded):
    """Tokens of the true graph over the true codes are those that the tables of keys were learned from."""
    true = {"orders": {}, "likes": {}, "staff": {}, "desks": {}}
    store = Store(layouts_of(encoded))
    for name, table in encoded.tables.items():
        if table.keys_of is None or name.endswith("(late keys)"):
            continue
        links = encoded.tables[table.keys_of].links
        keys = [pointer.key for pointer in table.pointers]
        true[table.keys_of] = {key: link.row_R for key, link in zip(keys, links, strict=True)}
    graph = GivenGraph(
        roots={name: table.rows for name, table in encoded.tables.items() if table.parent is None},
        parent_R={name: t.parent_R for name, t in encoded.tables.items() if t.parent is not None},
        pointed=true,
    )
    compared = 0
    for name, table in encoded.tables.items():
        if name.endswith("(late keys)"):
            continue
        if not store.has_rows(name):
            lay_given(store, name, graph, block=64)
        if table.keys_of is not None:
            point_given(store, name, graph)
            assert (store.tables[name].codes_RC == table.codes_RC).all()
            compared += 1
            continue
        store.open(name)
        for number in range(store.frame(name).blocks):
            store.fill(name, number, table.codes_RC[store.frame(name).block(number)])
    assert compared == 4


def test_a_tree_without_further_keys_can_be_given(family_models):
    names = [name for name, model in family_models.items() if model.layout.parent is not None]
    parent_R, sizes = {}, {"root": 3}
    for name in names:
        parents = sizes[family_models[name].layout.parent]
        parent_R[name] = np.repeat(np.arange(parents), np.arange(parents) % 3)
        sizes[name] = len(parent_R[name])
    graph = GivenGraph({"root": 3}, parent_R, {name: {} for name in family_models})
    made = concatenate(draw(family_models, graph, 1)).tables
    assert {name: table.rows for name, table in made.items()} == sizes
    assert all((made[name].parent_R == parent_R[name]).all() for name in names)


def test_a_part_of_a_given_graph_cannot_be_drawn(models, graph):
    with pytest.raises(InternalError) as error:
        draw(models, graph, 1, first_root=5)
    assert error.value.code == "engine.first_root"
