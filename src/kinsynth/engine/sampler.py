"""Draw new rows from trained models, in blocks of a fixed number of roots.

Everything under the roots of a block is drawn together and every random number belongs to a root and a row,
so the size of a request, a batch or a shard never changes a row.
Tables that point at rows of others are drawn one after the other instead: see ``linked``.
Shape letters: P parents, C sub-columns, D draws, R rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray

from kinsynth.encoded import EncodedTable, IntArray, RowArray
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.context import Relatives
from kinsynth.engine.delivery import deliver
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.evidence import Condition
from kinsynth.engine.given_graph import GivenGraph
from kinsynth.engine.layout import TableLayout, find_levels
from kinsynth.engine.linked import OnShare, draw_linked
from kinsynth.engine.passes import is_linked
from kinsynth.engine.sampled import SampledBlock, SampledTable, draw_counts, number_alone, number_rows
from kinsynth.engine.store import Allocate, Store
from kinsynth.errors import InternalError
from kinsynth.system.parallel import ordered

SEVERAL = 65_536


def sample(
    models: Mapping[str, TableModel],
    roots: Mapping[str, int],
    *,
    seed: int,
    first_root: int = 0,
    temperature: float = 1.0,
    conditions: Mapping[str, Condition] | None = None,
    graph: GivenGraph | None = None,
    shares: Mapping[str, Mapping[int, NDArray[np.float64]]] | None = None,
    whole: bool = False,
    threads: int | None = None,
    on_share: OnShare = lambda _share, _table: None,
    allocate: Allocate = np.zeros,
) -> Iterable[SampledBlock]:
    """Draw roots and everything under them.

    Args:
        models: Model of each table, parents first.
        roots: Number of rows of each root table to draw.
        seed: Source of all randomness.
        first_root: Number of the first root; the roots before it are left out.
        temperature: 1 draws from the learned chances, less draws likelier rows.
        conditions: What the rows of a table must keep to.
        graph: Rows and keys of all tables, as many roots as are to be drawn; None to draw them.
        shares: For each table and sub-column the share of rows that hold each code, NaN for codes of which
            only chances are known: what the rows of small tables, all in one block, are led to where all
            rows are drawn before the first block is given.
        whole: Whether all rows are drawn before the first block is given, and kept, as they are where tables
            point at others: then the blocks can be gone through again and again.
        threads: Blocks drawn at the same time; None for as many as torch has threads.
        on_share: Told the share done before the first block is given, between 0 and 1, and the table that is
            drawn; where tables point at others all are drawn before.
        allocate: Makes the arrays that hold all rows where tables point at others; it may map files.

    Guarantees:
        Root number r and all rows under it depend on the models, the seed, the temperature, the conditions
        and r alone. Rows without owner, and all under them, come in blocks of their own behind those of the
        roots, as many for each stretch of roots as in training; so each depends on its own number. Where
        tables point at others or a graph is given, all rows depend on the numbers of roots and on the graph
        as well.
    """
    samplers = {
        name: TableSampler(model, seed, temperature, (conditions or {}).get(name), (shares or {}).get(name))
        for name, model in models.items()
    }
    workers = torch.get_num_threads() if threads is None else threads
    if whole or graph is not None or is_linked({name: model.layout for name, model in models.items()}):
        draw = partial(
            _draw_linked,
            samplers,
            roots,
            first_root,
            graph=graph,
            workers=workers,
            on_share=on_share,
            allocate=allocate,
        )
        drawn = Delivery(draw, tuple(roots))
        return drawn if whole else iter(drawn)
    return _sample_trees(samplers, roots, first_root, workers)


class Delivery:
    """Blocks of rows that are drawn as a whole when the first one is asked for.

    Args:
        draw: Draws all rows.
        roots: Names of the root tables.
    """

    def __init__(self, draw: Callable[[], Store], roots: Sequence[str]) -> None:
        self._draw, self._roots = draw, roots

    @cached_property
    def _store(self) -> Store:
        return self._draw()

    def __iter__(self) -> Iterator[SampledBlock]:
        """Give the blocks, root table by root table."""
        for root in self._roots:
            yield from deliver(self._store, root)


def _draw_linked(
    samplers: Mapping[str, TableSampler],
    roots: Mapping[str, int],
    first_root: int,
    *,
    graph: GivenGraph | None,
    workers: int,
    on_share: OnShare,
    allocate: Allocate,
) -> Store:
    if first_root:
        raise InternalError(
            "engine.first_root",
            f"first_root={first_root}: expected 0 where tables point at others or a graph is given.",
            where=next(iter(roots)),
        )
    with _one_thread_each() as begin:
        return draw_linked(
            samplers,
            roots,
            workers=workers,
            begin=begin,
            graph=graph,
            on_share=on_share,
            allocate=allocate,
        )


def _sample_trees(
    samplers: Mapping[str, TableSampler], roots: Mapping[str, int], first_root: int, workers: int
) -> Iterator[SampledBlock]:
    for root, wanted in roots.items():
        yield from _sample_tree(samplers, root, first_root, first_root + wanted, workers)


def _sample_tree(
    samplers: Mapping[str, TableSampler], root: str, first: int, end: int, workers: int
) -> Iterator[SampledBlock]:
    """Draw a root table from one row to another, and all under it, block by block."""
    tree = {name: sampler for name, sampler in samplers.items() if sampler.layout.root == root}
    size = tree[root].plan.block_size
    stop = max(end, first + 1)  # no row at all is a block as well: tables without rows
    starts = range(first - first % size, stop, size)
    levels = find_levels({name: sampler.layout for name, sampler in tree.items()}, root)
    with _one_thread_each() as begin:
        for level in (0, *levels):
            draw = partial(_sample_block, tree, root, level=level, size=size)
            for start, block in zip(starts, ordered(draw, starts, workers=workers, begin=begin), strict=True):
                yield _keep_roots(block, tree, level, max(start, first), min(start + size, end))


@contextmanager
def _one_thread_each() -> Iterator[Callable[[], None]]:
    """Give what a thread that draws begins with: it computes alone, so bytes depend on no number of threads.

    What torch keeps for the process is put back.
    """

    def begin() -> None:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)

    before = torch.get_num_threads()
    try:
        yield begin
    finally:
        torch.set_num_threads(before)


def sample_several(
    model: TableModel,
    *,
    rows: int,
    seed: int,
    condition: Condition,
    draws: int,
    temperature: float = 1.0,
    threads: int | None = None,
) -> Iterator[IntArray]:
    """Draw rows of a root table several times each, given what is known of them.

    The draws of one row share particles: together they are a sample of what the row may be.

    Args:
        model: Model of the table.
        rows: Number of rows.
        seed: Source of all randomness.
        condition: What is known of them.
        draws: Draws of each row.
        temperature: 1 draws from the learned chances, less draws likelier rows.
        threads: Blocks drawn at the same time; None for as many as torch has threads.

    Returns:
        Codes of some rows after the other, shape (R, D, C); where there are no rows, one block without rows.
    """
    sampler, step = TableSampler(model, seed, temperature, condition), max(1, SEVERAL // draws)
    starts = range(0, max(rows, 1), step)

    @torch.inference_mode()
    def draw(start: int) -> IntArray:
        return sampler.draw_several(np.arange(start, min(start + step, rows), dtype=np.int64), draws)

    with _one_thread_each() as begin:
        workers = torch.get_num_threads() if threads is None else threads
        yield from ordered(draw, starts, workers=workers, begin=begin)


@torch.inference_mode()
def _sample_block(
    samplers: Mapping[str, TableSampler], root: str, start: int, *, level: int, size: int
) -> SampledBlock:
    """Draw some roots, or the rows without owner at a level that go with them, and everything under them."""
    drawn: dict[str, SampledTable] = {}
    for name, sampler in samplers.items():
        layout, tables = sampler.layout, {known: table.encoded for known, table in drawn.items()}
        first, end = _span(layout, start, start + size) if layout.level == level else (0, 0)
        if layout.parent is None:
            root_R = np.arange(first, end, dtype=np.int64)
            row_ids = number_rows(root_R, table=name)
            codes_RC = sampler.draw_roots(root_R, row_ids) if end else _no_codes(layout)
            drawn[name] = SampledTable(_encode(layout, codes_RC, None), root_R, row_ids)
        elif layout.level <= level:
            drawn[name] = _sample_alone(sampler, first, end, tables)
        else:
            drawn[name] = _sample_children(sampler, drawn[layout.parent], tables)
    return SampledBlock(root, drawn, level)


def _span(layout: TableLayout, first: int, end: int) -> tuple[int, int]:
    """Give the first one, and the one after the last, of the rows without owner that go with some roots."""
    if layout.parent is None:
        return first, end
    return (0, 0) if layout.alone is None else (layout.alone.up_to(first), layout.alone.up_to(end))


def _no_codes(layout: TableLayout) -> IntArray:
    return np.zeros((0, len(layout.sub_columns)), dtype=np.int32)


def _sample_alone(
    sampler: TableSampler, first: int, end: int, tables: Mapping[str, EncodedTable]
) -> SampledTable:
    """Draw rows without owner from one to another; there is no row above them."""
    layout = sampler.layout
    root_R, parent_R = number_alone(layout.level, first, end), np.arange(end - first, dtype=np.int64)
    row_ids = number_rows(root_R, table=layout.name)
    codes_RC = _no_codes(layout)
    if len(root_R):
        relatives = Relatives(layout, tables, set_limit=sampler.plan.set_limit)
        codes_RC = sampler.draw_children(np.ones_like(parent_R), row_ids, relatives)
    encoded = replace(_encode(layout, codes_RC, parent_R), alone=len(root_R))
    return SampledTable(encoded, root_R, row_ids)


def _sample_children(
    sampler: TableSampler, parent: SampledTable, tables: Mapping[str, EncodedTable]
) -> SampledTable:
    """Draw the child rows of the parent rows of a block."""
    layout = sampler.layout
    count = next(count for count in parent.encoded.counts if count.child == layout.name)
    stream = f"{layout.parent}/{layout.name}/count"
    codes_PC, ids_P = parent.encoded.codes_RC, parent.row_ids
    count_P = draw_counts(codes_PC, ids_P, count, seed=sampler.seed, stream=stream)
    parent_R = np.repeat(np.arange(len(count_P), dtype=np.int64), count_P)
    root_R = parent.root_R[parent_R]
    row_ids = number_rows(root_R, table=layout.name)
    relatives = Relatives(layout, tables, set_limit=sampler.plan.set_limit)
    codes_RC = sampler.draw_children(count_P, row_ids, relatives)
    return SampledTable(_encode(layout, codes_RC, parent_R), root_R, row_ids)


def _encode(layout: TableLayout, codes_RC: IntArray, parent_R: RowArray | None) -> EncodedTable:
    return EncodedTable(codes_RC, layout.sub_columns, layout.parent, parent_R, layout.counts, layout.ordered)


def _keep_roots(
    block: SampledBlock, samplers: Mapping[str, TableSampler], level: int, first: int, end: int
) -> SampledBlock:
    """Cut a block to what goes with the roots from ``first`` up to, not including, ``end``."""
    kept: dict[str, SampledTable] = {}
    starts: dict[str, int] = {}
    spans: dict[str, RowArray] = {}
    for name, table in block.tables.items():
        encoded, layout = table.encoded, samplers[name].layout
        if layout.parent is None or layout.level <= level:
            upper = number_alone(level, 0, 1)[0] if level else 0
            spans[name] = upper + np.array(_span(layout, first, end), dtype=np.int64)
        else:
            spans[name] = spans[layout.parent]
        begin, stop = map(int, np.searchsorted(table.root_R, spans[name]))
        starts[name] = begin
        rows = slice(begin, stop)
        parent_R = None
        if encoded.parent is not None and encoded.parent_R is not None:
            parent_R = encoded.parent_R[rows] - (begin if encoded.alone else starts[encoded.parent])
        alone = stop - begin if encoded.alone else 0
        cut = replace(encoded, codes_RC=encoded.codes_RC[rows], parent_R=parent_R, alone=alone)
        kept[name] = SampledTable(cut, table.root_R[rows], table.row_ids[rows])
    return replace(block, tables=kept)
