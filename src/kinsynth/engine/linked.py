"""Draw tables that point at rows of others: one table after the other, each for all roots.

Every block of a table depends on the models, the tables drawn before and the number of the block alone, so
blocks can be drawn in any order and at any place.
Shape letters: R rows, C sub-columns, P parents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import torch

from kinsynth.encoded import CodeArray
from kinsynth.engine.aims import Aims
from kinsynth.engine.context import Relatives
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.given_graph import GivenGraph, lay_given, point_given
from kinsynth.engine.passes import Assign, plan_steps
from kinsynth.engine.pointing import assign_keys
from kinsynth.engine.sampled import draw_counts
from kinsynth.engine.store import Allocate, Store
from kinsynth.system.mapping import let_go
from kinsynth.system.parallel import ordered

OnShare = Callable[[float, str], None]


def draw_linked(
    samplers: Mapping[str, TableSampler],
    roots: Mapping[str, int],
    *,
    workers: int,
    begin: Callable[[], None],
    graph: GivenGraph | None = None,
    on_share: OnShare = lambda _share, _table: None,
    allocate: Allocate = np.zeros,
) -> Store:
    """Draw all tables and assign all further keys.

    Args:
        samplers: One for each table, in the order they are drawn.
        roots: Number of rows of each root table.
        workers: Blocks drawn at the same time.
        begin: What a thread that draws begins with.
        graph: Rows and keys of all tables; None to draw them.
        on_share: Told the share done, between 0 and 1, and the table that is drawn.
        allocate: Makes the arrays of the store.

    Guarantees:
        The rows depend on the samplers, ``roots`` and the graph alone.
    """
    store = Store({name: sampler.layout for name, sampler in samplers.items()}, allocate)
    steps = plan_steps(store.layouts)
    for done, step in enumerate(steps):
        let_go()
        if isinstance(step, Assign):
            if graph is None:
                assign_keys(store, step.keys, seed=samplers[step.keys].seed)
            else:
                point_given(store, step.keys, graph)
            on_share((done + 1) / len(steps), f"{store.owner(step.keys)}: keys assigned")
            continue
        if graph is not None and not store.has_rows(step.table):
            lay_given(store, step.table, graph, block=samplers[store.owner(step.table)].plan.block_size)
        if graph is not None and store.layouts[step.table].keys_of is not None:
            continue
        for part in _draw_table(store, samplers, step.table, roots, workers=workers, begin=begin):
            on_share((done + part) / len(steps), step.table)
    return store


def _draw_table(
    store: Store,
    samplers: Mapping[str, TableSampler],
    name: str,
    roots: Mapping[str, int],
    *,
    workers: int,
    begin: Callable[[], None],
) -> Iterator[float]:
    """Draw a table block by block; give the share done after each."""
    if not store.has_rows(name):
        lay_rows(store, samplers[store.owner(name)], roots)
    store.open(name)
    draw = partial(fill_block, store, samplers[name], relatives_of(store, samplers[name]))
    blocks = store.frame(name).blocks
    for number, _ in enumerate(ordered(draw, range(blocks), workers=workers, begin=begin)):
        yield (number + 1) / blocks


def lay_rows(store: Store, sampler: TableSampler, roots: Mapping[str, int]) -> None:
    """Decide which rows a table has: as many roots as asked for, or as many children as counted."""
    name, parent = sampler.layout.name, sampler.layout.parent
    if parent is None:
        store.lay_roots(name, roots[name], sampler.plan.block_size)
        return
    table = store.tables[parent]
    count = next(count for count in table.counts if count.child == name)
    ids_P, stream = store.all_row_ids(parent), f"{parent}/{name}/count"
    store.lay_children(name, draw_counts(table.codes_RC, ids_P, count, seed=sampler.seed, stream=stream))


def relatives_of(store: Store, sampler: TableSampler) -> Relatives | None:
    """Give what finds the rows that a table which was opened may look at; None where it looks at none."""
    layout = sampler.layout
    if layout.parent is None and not layout.links:
        return None
    links = store.tables[layout.name].links
    return Relatives(layout, store.tables, set_limit=sampler.plan.set_limit, links=links)


@torch.inference_mode()
def fill_block(store: Store, sampler: TableSampler, relatives: Relatives | None, block: int) -> None:
    """Draw the rows of one block of a table into the store; where it has all, led to their shares."""
    frame = store.frame(sampler.layout.name)
    rows = frame.block(block)
    if rows.start == rows.stop:
        return
    aims = sampler.aims(frame.rows) if rows.stop - rows.start == frame.rows else None
    if aims is not None:
        _draw_block(store, sampler, relatives, block, aims)
        aims.lead()
    store.fill(sampler.layout.name, block, _draw_block(store, sampler, relatives, block, aims))


def _draw_block(
    store: Store, sampler: TableSampler, relatives: Relatives | None, block: int, aims: Aims | None
) -> CodeArray:
    name = sampler.layout.name
    frame = store.frame(name)
    rows, row_ids = frame.block(block), store.row_ids(name, block)
    if frame.parent is None or frame.parent_R is None:
        root_R = np.arange(rows.start, rows.stop, dtype=np.int64)
        return sampler.draw_roots(root_R, row_ids, relatives, aims=aims)
    assert relatives is not None
    parents = store.frame(frame.parent).block(block)
    first = int(frame.parent_R[rows.start]) if rows.start >= frame.owned else parents.start
    count_P = np.bincount(frame.parent_R[rows] - first, minlength=parents.stop - parents.start)
    return sampler.draw_children(
        count_P, row_ids, relatives, first_parent=first, first_row=rows.start, aims=aims
    )
