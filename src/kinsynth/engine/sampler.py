"""Draw new rows from trained models, in blocks of a fixed number of roots.

Everything under the roots of a block is drawn together and every random number belongs to a root and a row,
so the size of a request, a batch or a shard never changes a row.
Shape letters: B active rows, P parents, C sub-columns, K codes, E embedding, R rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinsynth.encoded import ChildCount, Encoded, EncodedTable, IntArray, RowArray
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.context import DECAYS, History, Relatives
from kinsynth.engine.evidence import Condition, Evidence, gather_evidence
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.particles import Begun, draw_freely, draw_given, draw_several
from kinsynth.engine.prefix import Columns
from kinsynth.engine.tabular import embed_previous
from kinsynth.errors import InternalError
from kinsynth.system.parallel import ordered
from kinsynth.system.randomness import uniforms

SEVERAL = 65_536
_POSITION_BITS = 24


@dataclass(frozen=True)
class SampledTable:
    """Drawn rows of one table.

    Attributes:
        encoded: The rows; ``parent_R`` counts rows of the parent table of the same block.
        root_R: Number of each row's root among all roots ever drawn from this model.
        row_ids: A number of each row, unique in its table, that depends on its root alone.
    """

    encoded: EncodedTable
    root_R: RowArray
    row_ids: RowArray


@dataclass(frozen=True)
class SampledBlock:
    """Everything drawn under some consecutive roots.

    Attributes:
        root: Name of the root table.
        tables: The root table and all tables under it, parents first.
    """

    root: str
    tables: Mapping[str, SampledTable]


def sample(
    models: Mapping[str, TableModel],
    roots: Mapping[str, int],
    *,
    seed: int,
    first_root: int = 0,
    temperature: float = 1.0,
    conditions: Mapping[str, Condition] | None = None,
    threads: int | None = None,
) -> Iterator[SampledBlock]:
    """Draw roots and everything under them.

    Args:
        models: Model of each table, parents first.
        roots: Number of rows of each root table to draw.
        seed: Source of all randomness.
        first_root: Number of the first root; the roots before it are left out.
        temperature: 1 draws from the learned chances, less draws likelier rows.
        conditions: What the rows of a table must keep to.
        threads: Blocks drawn at the same time; None for as many as torch has threads.

    Guarantees:
        Root number r and all rows under it depend on the models, the seed, the temperature, the conditions
        and r alone.
    """
    conditions = conditions or {}
    for root, wanted in roots.items():
        tree = {name: model for name, model in models.items() if _root_of(model.layout) == root}
        plan = tree[root].plan
        samplers = {
            name: _TableSampler(model, seed, temperature, conditions.get(name))
            for name, model in tree.items()
        }
        end = first_root + wanted
        stop = max(end, first_root + 1)  # no row at all is a block as well: tables without rows
        starts = range(first_root - first_root % plan.block_size, stop, plan.block_size)
        draw = partial(_sample_block, samplers, root, size=plan.block_size)
        with _one_thread_each() as begin:
            workers = torch.get_num_threads() if threads is None else threads
            for start, block in zip(starts, ordered(draw, starts, workers=workers, begin=begin), strict=True):
                yield _keep_roots(block, max(start, first_root), min(start + plan.block_size, end))


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
    sampler, step = _TableSampler(model, seed, temperature, condition), max(1, SEVERAL // draws)
    starts = range(0, max(rows, 1), step)

    @torch.inference_mode()
    def draw(start: int) -> IntArray:
        return sampler.draw_several(np.arange(start, min(start + step, rows), dtype=np.int64), draws)

    with _one_thread_each() as begin:
        workers = torch.get_num_threads() if threads is None else threads
        yield from ordered(draw, starts, workers=workers, begin=begin)


def concatenate(blocks: Iterable[SampledBlock]) -> Encoded:
    """Join blocks to one set of tables; the rows keep the order of the blocks."""
    parts: dict[str, list[EncodedTable]] = {}
    for block in blocks:
        for name, table in block.tables.items():
            parts.setdefault(name, []).append(table.encoded)
    return Encoded({name: _join(tables, parts) for name, tables in parts.items()})


def _join(tables: list[EncodedTable], parts: Mapping[str, list[EncodedTable]]) -> EncodedTable:
    codes_RC = np.concatenate([table.codes_RC for table in tables])
    parent = tables[0].parent
    if parent is None:
        return replace(tables[0], codes_RC=codes_RC)
    ahead = np.cumsum([0, *(table.rows for table in parts[parent])])
    parent_R = [
        table.parent_R + start
        for table, start in zip(tables, ahead, strict=False)
        if table.parent_R is not None
    ]
    return replace(tables[0], codes_RC=codes_RC, parent_R=np.concatenate(parent_R))


def _root_of(layout: TableLayout) -> str:
    return layout.ancestors[-1].name if layout.ancestors else layout.name


@torch.inference_mode()
def _sample_block(samplers: Mapping[str, _TableSampler], root: str, start: int, size: int) -> SampledBlock:
    drawn: dict[str, SampledTable] = {}
    for name, sampler in samplers.items():
        parent = sampler.layout.parent
        if parent is None:
            drawn[name] = sampler.draw_roots(np.arange(start, start + size, dtype=np.int64))
        else:
            tables = {known: table.encoded for known, table in drawn.items()}
            drawn[name] = sampler.draw_children(drawn[parent], tables)
    return SampledBlock(root, drawn)


def _keep_roots(block: SampledBlock, first: int, end: int) -> SampledBlock:
    """Cut a block to the roots from ``first`` up to, not including, ``end``."""
    kept: dict[str, SampledTable] = {}
    starts: dict[str, int] = {}
    for name, table in block.tables.items():
        begin, stop = np.searchsorted(table.root_R, [first, end])
        starts[name] = int(begin)
        rows, encoded = slice(begin, stop), table.encoded
        parent_R = None
        if encoded.parent is not None and encoded.parent_R is not None:
            parent_R = encoded.parent_R[rows] - starts[encoded.parent]
        cut = replace(encoded, codes_RC=encoded.codes_RC[rows], parent_R=parent_R)
        kept[name] = SampledTable(cut, table.root_R[rows], table.row_ids[rows])
    return replace(block, tables=kept)


def child_counts(table: SampledTable, count: ChildCount, *, seed: int, stream: str) -> RowArray:
    """Draw the number of child rows of each parent row from the range its code stands for, shape (R,)."""
    code_R = table.encoded.codes_RC[:, count.sub_column]
    low_R, high_R = count.low_K[code_R], count.high_K[code_R]
    uniform_R = uniforms(seed, stream, table.row_ids)[:, 0]
    return low_R + (uniform_R * (high_R - low_R + 1)).astype(np.int64)


def number_rows(root_R: RowArray, *, table: str) -> RowArray:
    """Number each row by its root and its place under that root.

    Raises:
        InternalError: A root has 2**24 rows or more in one table.
    """
    place_R = np.arange(len(root_R)) - np.searchsorted(root_R, root_R)
    if len(place_R) and place_R.max() >= 1 << _POSITION_BITS:
        raise InternalError("engine.rows_per_root", f"A root has {place_R.max() + 1} rows.", where=table)
    return (root_R << _POSITION_BITS) | place_R


class _TableSampler:
    """Draws the rows of one table."""

    def __init__(self, model: TableModel, seed: int, temperature: float, condition: Condition | None) -> None:
        self.layout, self.plan, self.network = model.layout, model.plan, model.network
        self._seed, self._condition = seed, condition
        self._columns = Columns(model, temperature)

    def draw_roots(self, root_R: RowArray) -> SampledTable:
        """Draw root rows."""
        row_ids = number_rows(root_R, table=self.layout.name)
        codes_RC = self._draw(Begun(self._columns, self._uniforms, row_ids), root_R)
        return SampledTable(self._encoded(codes_RC, None), root_R, row_ids)

    def draw_several(self, root_R: RowArray, draws: int) -> IntArray:
        """Draw each root row several times, shape (R, D, C)."""
        row_ids = number_rows(root_R, table=self.layout.name)
        begun = Begun(self._columns, self._uniforms, row_ids)
        return draw_several(begun, self._evidence(root_R, row_ids), draws)

    def draw_children(self, parent: SampledTable, tables: Mapping[str, EncodedTable]) -> SampledTable:
        """Draw the child rows of parent rows, all sequences one step at a time."""
        count = next(count for count in parent.encoded.counts if count.child == self.layout.name)
        stream = f"{self.layout.parent}/{self.layout.name}/count"
        count_P = child_counts(parent, count, seed=self._seed, stream=stream)
        parent_R = np.repeat(np.arange(len(count_P), dtype=np.int64), count_P)
        root_R = parent.root_R[parent_R]
        row_ids = number_rows(root_R, table=self.layout.name)
        codes_RC = np.zeros((len(parent_R), self.network.columns), dtype=np.int32)
        if len(parent_R):
            relatives = Relatives(self.layout, tables, set_limit=self.plan.set_limit)
            self._fill(codes_RC, count_P, relatives, row_ids)
        return SampledTable(self._encoded(codes_RC, parent_R), root_R, row_ids)

    def _fill(self, codes_RC: IntArray, count_P: RowArray, relatives: Relatives, row_ids: RowArray) -> None:
        """Draw sequences, longest first, so that the unfinished ones always stand in front."""
        network = self.network
        longest_first = np.argsort(-count_P, kind="stable")
        longest_first = longest_first[: int((count_P > 0).sum())]
        first_P = (np.cumsum(count_P) - count_P)[longest_first]
        count_P = count_P[longest_first]
        context = relatives.of(longest_first, np.arange(len(longest_first)))
        context_PT = network.context(context)
        sums_PDM = torch.zeros(len(count_P), len(DECAYS), self.plan.memory_width)
        decay_D1 = torch.tensor(DECAYS).unsqueeze(1)
        previous_PC = torch.zeros(len(count_P), network.columns, dtype=torch.int64)
        for step in range(int(count_P[0])):
            active = int(np.searchsorted(-count_P, -step))
            history = _history_at(step, count_P[:active], previous_PC[:active])
            embedded_BX = embed_previous(network, history)
            remembered = network.history.remember(embedded_BX, history.known_B)
            sums_PDM = sums_PDM[:active] * decay_D1 + remembered.unsqueeze(1)
            history_BT = network.history.join(embedded_BX, sums_PDM, history)
            trunk_BT = network.trunk_of(context_PT, history_BT, context.parent_B[:active])
            rows = first_P[:active] + step
            begun = Begun(self._columns, self._uniforms, row_ids[rows], trunk_BT, history)
            codes_RC[rows] = self._draw(begun, rows)
            previous_PC = torch.from_numpy(codes_RC[rows]).long()

    def _draw(self, begun: Begun, row_R: RowArray) -> IntArray:
        if self._condition is None:
            return draw_freely(begun).numpy().astype(np.int32)
        return draw_given(begun, self._evidence(row_R, begun.row_ids))

    def _evidence(self, row_R: RowArray, row_ids: RowArray) -> Evidence:
        return gather_evidence(
            self._condition or Condition(),
            row_R,
            row_ids,
            columns=self.network.columns,
            seed=self._seed,
            stream=f"{self.layout.name}/shares",
        )

    def _uniforms(self, use: str, row_ids: RowArray, draws: int) -> NDArray[np.float64]:
        return uniforms(self._seed, f"{self.layout.name}/{use}", row_ids, draws=draws)

    def _encoded(self, codes_RC: IntArray, parent_R: RowArray | None) -> EncodedTable:
        layout = self.layout
        return EncodedTable(
            codes_RC, layout.sub_columns, layout.parent, parent_R, layout.counts, layout.ordered
        )


def _history_at(step: int, count_P: RowArray, previous_BC: Tensor) -> History:
    rows = len(count_P)
    index_B = torch.full((rows,), step)
    return History(
        previous_BC=previous_BC,
        known_B=index_B > 0,
        index_B=index_B,
        remaining_B=torch.from_numpy(count_P - 1 - step),
        span_B=index_B,
    )
