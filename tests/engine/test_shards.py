"""Blocks in any order, in any number of threads, at any place: the same bytes."""

from dataclasses import replace

import numpy as np
import pytest

from engine.engine_toys import QUICK
from engine.linked_toys import company
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.linked import draw_linked, fill_block, lay_rows, relatives_of
from kinsynth.engine.passes import Assign, plan_steps
from kinsynth.engine.pointing import assign_keys
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.store import Store
from kinsynth.engine.trainer import train
from kinsynth.system.mapping import allocate_in

PLAN = replace(QUICK, block_size=32, max_steps=40)
ROOTS = {"products": 100, "customers": 300, "departments": 40, "staff": 200, "desks": 90}


@pytest.fixture(scope="module")
def samplers():
    encoded = company()
    return {name: TableSampler(train(encoded, name, PLAN, seed=1), 5, 1.0, None) for name in encoded.tables}


def in_order(samplers, roots, workers=1, **more):
    return draw_linked(samplers, roots, workers=workers, begin=lambda: None, **more)


def shuffled(samplers, roots, seed, shards):
    """Draw each table shard by shard, blocks of a shard in any order, the last shard first."""
    rng, store = np.random.default_rng(seed), Store({name: each.layout for name, each in samplers.items()})
    for step in plan_steps(store.layouts):
        if isinstance(step, Assign):
            assign_keys(store, step.keys, seed=samplers[step.keys].seed)
            continue
        if not store.has_rows(step.table):
            lay_rows(store, samplers[store.owner(step.table)], roots)
        store.open(step.table)
        relatives = relatives_of(store, samplers[step.table])
        blocks = np.arange(store.frame(step.table).blocks)
        for shard in reversed(range(shards)):
            for block in rng.permutation(blocks[shard::shards]):
                fill_block(store, samplers[step.table], relatives, int(block))
    return store


def content(store):
    """All bytes of a store: codes, parents, and what rows point to."""
    for name, table in store.tables.items():
        yield name, table.codes_RC.tobytes()
        yield name, b"" if table.parent_R is None else table.parent_R.tobytes()
        if store.owner(name) == name:
            for each, row_R, empty_R in store.keys(name):
                yield each.pointer.key, row_R.tobytes() + empty_R.tobytes()
            yield name, store.dead(name).tobytes()


@pytest.mark.parametrize(("seed", "shards"), [(0, 1), (1, 2), (2, 3), (3, 7)])
def test_tables_that_point_at_others_are_the_same_for_any_shards(samplers, seed, shards):
    whole = in_order(samplers, ROOTS)
    assert min(whole.frame(name).blocks for name in ("customers", "staff", "orders")) > 6
    assert list(content(shuffled(samplers, ROOTS, seed, shards))) == list(content(whole))


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_tables_that_point_at_others_are_the_same_for_any_threads(samplers, workers):
    assert list(content(in_order(samplers, ROOTS, workers))) == list(content(in_order(samplers, ROOTS)))


def test_rows_that_lie_in_files_are_the_same(samplers, tmp_path):
    mapped = in_order(samplers, ROOTS, allocate=allocate_in(tmp_path))
    assert list(content(mapped)) == list(content(in_order(samplers, ROOTS)))
    assert not list(tmp_path.iterdir()), "a file goes with its array"


@pytest.mark.parametrize("shards", [1, 2, 3])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_trees_are_the_same_for_any_shards_and_threads(family_models, shards, threads):
    whole = concatenate(sample(family_models, {"root": 900}, seed=4, threads=1))
    each = 900 // shards
    parts = [
        block
        for first in range(0, 900, each)
        for block in sample(family_models, {"root": each}, seed=4, first_root=first, threads=threads)
    ]
    joined = concatenate(parts)
    for name, table in whole.tables.items():
        assert joined.tables[name].codes_RC.tobytes() == table.codes_RC.tobytes()
        assert table.parent_R is None or joined.tables[name].parent_R.tobytes() == table.parent_R.tobytes()
