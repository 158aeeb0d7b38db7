"""Draw new rows from trained models, in blocks of a fixed number of roots.

Everything under the roots of a block is drawn together and every random number belongs to a root and a row,
so the size of a request, a batch or a shard never changes a row.
Shape letters: B active rows, P parents, C sub-columns, K codes, E embedding, R rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kinsynth.encoded import ChildCount, Encoded, EncodedTable, IntArray, RowArray
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.context import DECAYS, History, Relatives
from kinsynth.engine.device import torch_settings
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.tabular import TabularNetwork, add_echo
from kinsynth.errors import InternalError
from kinsynth.system.randomness import uniforms

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
) -> Iterator[SampledBlock]:
    """Draw roots and everything under them.

    Args:
        models: Model of each table, parents first.
        roots: Number of rows of each root table to draw.
        seed: Source of all randomness.
        first_root: Number of the first root; the roots before it are left out.
        temperature: 1 draws from the learned chances, less draws likelier rows.

    Guarantees:
        Root number r and all rows under it depend on the models, the seed, the temperature and r alone.
    """
    for root, wanted in roots.items():
        tree = {name: model for name, model in models.items() if _root_of(model.layout) == root}
        plan = tree[root].plan
        samplers = {name: _TableSampler(model, seed, temperature) for name, model in tree.items()}
        end = first_root + wanted
        stop = max(end, first_root + 1)  # no row at all is a block as well: tables without rows
        for start in range(first_root - first_root % plan.block_size, stop, plan.block_size):
            with torch_settings(plan), torch.inference_mode():
                block = _sample_block(samplers, root, start, plan.block_size)
            yield _keep_roots(block, max(start, first_root), min(start + plan.block_size, end))


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
    """Draws rows of one table column after column.

    The first layer is linear, so each column needs only the product of the columns before it.
    """

    def __init__(self, model: TableModel, seed: int, temperature: float) -> None:
        self.layout, self.plan, self.network = model.layout, model.plan, model.network
        self._seed, self._temperature = seed, temperature
        self._columns = [
            _Column(model.network, c, forbidden_of(model.layout, c)) for c in range(model.network.columns)
        ]

    def draw_roots(self, root_R: RowArray) -> SampledTable:
        """Draw root rows."""
        row_ids = number_rows(root_R, table=self.layout.name)
        uniform_RC = self._uniforms(row_ids)
        start = torch.zeros(len(root_R), 0)
        codes_RC = self._draw(uniform_RC, None, start)
        return SampledTable(self._encoded(codes_RC.numpy().astype(np.int32), None), root_R, row_ids)

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
            self._fill(codes_RC, count_P, relatives, self._uniforms(row_ids))
        return SampledTable(self._encoded(codes_RC, parent_R), root_R, row_ids)

    def _fill(
        self,
        codes_RC: IntArray,
        count_P: RowArray,
        relatives: Relatives,
        uniform_RC: Tensor,
    ) -> None:
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
            embedded = network.embedding(history.previous_BC) * history.known_B[:, None, None]
            remembered = network.history.remember(embedded.flatten(1), history.known_B)
            sums_PDM = sums_PDM[:active] * decay_D1 + remembered.unsqueeze(1)
            history_BT = network.history.join(embedded.flatten(1), sums_PDM, history)
            trunk_BT = network.trunk_of(context_PT, history_BT, context.parent_B[:active])
            rows = first_P[:active] + step
            previous_PC = self._draw(uniform_RC[rows], history, trunk_BT)
            codes_RC[rows] = previous_PC.numpy()

    def _draw(self, uniform_BC: Tensor, history: History | None, trunk_BT: Tensor) -> Tensor:
        network = self.network
        codes_BC = torch.zeros(uniform_BC.shape, dtype=torch.int64)
        width = network.embedding.free.shape[1]
        embedded_BX = torch.zeros(len(uniform_BC), network.columns * width)
        for c, column in enumerate(self._columns):
            logits_BK = column.logits(embedded_BX[:, : c * width], trunk_BT, history) / self._temperature
            code_B = draw_codes(logits_BK + column.barred_K, uniform_BC[:, c])
            codes_BC[:, c] = code_B
            embedded_BE = column.table_KE[code_B]
            if history is not None:
                repeated_B = (code_B == history.previous_BC[:, c]) & history.known_B
                embedded_BE = embedded_BE + repeated_B[:, None] * network.repeated[c]
            embedded_BX[:, c * width : (c + 1) * width] = embedded_BE
        return codes_BC

    def _uniforms(self, row_ids: RowArray) -> Tensor:
        stream = f"{self.layout.name}/codes"
        return torch.from_numpy(uniforms(self._seed, stream, row_ids, draws=self.network.columns)).float()

    def _encoded(self, codes_RC: IntArray, parent_R: RowArray | None) -> EncodedTable:
        layout = self.layout
        return EncodedTable(
            codes_RC, layout.sub_columns, layout.parent, parent_R, layout.counts, layout.ordered
        )


def forbidden_of(layout: TableLayout, column: int) -> Tensor:
    """Give minus infinity for the codes that must never be drawn, zero for the others, shape (K,)."""
    sub = layout.sub_columns[column]
    barred_K = torch.zeros(sub.cardinality)
    if sub.forbidden_K is not None:
        barred_K[torch.from_numpy(sub.forbidden_K)] = -torch.inf
    return barred_K


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


def draw_codes(logits_BK: Tensor, uniform_B: Tensor) -> Tensor:
    """Draw one code for each row by inverting the distribution function; never one of chance zero.

    >>> draw_codes(torch.tensor([[0.0, 0.0, -torch.inf]] * 3), torch.tensor([0.0, 0.6, 1.0]))
    tensor([0, 1, 1])
    """
    heap_BK = torch.softmax(logits_BK, 1).cumsum(1)
    total_B1 = heap_BK[:, -1:]
    wanted_B1 = torch.minimum(
        uniform_B.unsqueeze(1) * total_B1, torch.nextafter(total_B1, total_B1.new_zeros(1))
    )
    return (heap_BK <= wanted_B1).sum(1)


class _Column:
    """The weights of one column, cut out of the network."""

    def __init__(self, network: TabularNetwork, column: int, barred_K: Tensor) -> None:
        with torch.no_grad():
            here = slice(column * network.width, (column + 1) * network.width)
            before = column * network.embedding.free.shape[1]
            self.number, self.barred_K = column, barred_K
            self.table_KE = network.embedding.table(column).detach()
            self.first = network.first[:before, here].contiguous()
            self.first_bias = network.first_bias[here]
            self.deep = [
                (weight[column], bias[column])
                for weight, bias in zip(network.deep, network.deep_bias, strict=True)
            ]
            self.head, self.head_bias = network.heads.column(column)
            if network.child:
                self.trunk = network.trunk[:, here].contiguous()
                self.echo, self.echo_bias = network.echo[column], network.echo_bias[column]

    def logits(self, embedded_BX: Tensor, trunk_BT: Tensor, history: History | None) -> Tensor:
        """Give the logits of this column's codes, shape (B, K)."""
        before_BH = torch.addmm(self.first_bias, embedded_BX, self.first)
        if history is not None:
            before_BH = before_BH.addmm_(trunk_BT, self.trunk)
        hidden_BH = functional.silu(before_BH)
        for weight, bias in self.deep:
            hidden_BH = hidden_BH + functional.silu(torch.addmm(bias, hidden_BH, weight))
        logits_BK = torch.addmm(self.head_bias, hidden_BH, self.head)
        if history is None:
            return logits_BK
        echo_BJ = torch.addmm(self.echo_bias, hidden_BH, self.echo)
        previous_B1 = history.previous_BC[:, self.number : self.number + 1]
        return add_echo(logits_BK.unsqueeze(0), echo_BJ.unsqueeze(0), previous_B1, history.known_B)[0]
