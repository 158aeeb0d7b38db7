"""Context: what a row may look at, gathered from rows and turned into numbers.

Ancestors' codes, summaries of the sibling tables generated earlier, the earlier rows of its own sequence, and
the rows that it and its ancestors point to.
Shape letters: B batch rows, P parents, C sub-columns, E embedding, T trunk, M memory, D decays, R rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from kinsynth.encoded import ALWAYS, OWNER, EncodedTable, IntArray, Link, Path, RowArray, Stay
from kinsynth.engine.embedding import CodeEmbedding
from kinsynth.engine.layout import Reached, Relative, TableLayout
from kinsynth.engine.sizing import TablePlan

DECAYS = (0.5, 0.9, 0.99, 0.999)
_COUNT_STEPS = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    8,
    10,
    13,
    17,
    23,
    30,
    40,
    55,
    75,
    100,
    140,
    200,
    300,
    500,
    1000,
    3000,
    10000,
)


@dataclass(frozen=True)
class Related:
    """Rows of one sibling table that hang with P parents under shared ancestors.

    Attributes:
        codes_RC: Codes of the rows, int64.
        group_R: For each row the number of its anchor among the batch's distinct anchors.
        anchor_P: For each parent the number of its anchor.
        anchors: Number of distinct anchors.
    """

    codes_RC: Tensor
    group_R: Tensor
    anchor_P: Tensor
    anchors: int

    def on(self, device: str) -> Related:
        """Give the same rows on a device."""
        return Related(
            self.codes_RC.to(device), self.group_R.to(device), self.anchor_P.to(device), self.anchors
        )


@dataclass(frozen=True)
class Seen:
    """The rows that some rows reach by links, one or none of each relative.

    Attributes:
        codes: Codes of each relative, one tensor (B, C) each, int64; zero where there is no row.
        known_BN: Whether there is a row of each of the N relatives.
    """

    codes: tuple[Tensor, ...]
    known_BN: Tensor

    def on(self, device: str) -> Seen:
        """Give the same rows on a device."""
        return Seen(tuple(codes.to(device) for codes in self.codes), self.known_BN.to(device))


@dataclass(frozen=True)
class Context:
    """What the rows of P parents know.

    Attributes:
        ancestors: Codes of each ancestor, one tensor (P, C) each, int64, parent first; zero where there is
            none.
        siblings: Rows of each sibling table.
        parent_B: For each batch row the number of its parent among the P.
        seen: What each parent reaches by links.
        known_PA: Whether there is each of the A ancestors.
    """

    ancestors: tuple[Tensor, ...]
    siblings: tuple[Related, ...]
    parent_B: Tensor
    seen: Seen
    known_PA: Tensor

    def on(self, device: str) -> Context:
        """Give the same context on a device."""
        ancestors = tuple(codes.to(device) for codes in self.ancestors)
        siblings = tuple(rows.on(device) for rows in self.siblings)
        parent_B, known_PA = self.parent_B.to(device), self.known_PA.to(device)
        return Context(ancestors, siblings, parent_B, self.seen.on(device), known_PA)


@dataclass(frozen=True)
class History:
    """What each row knows of the earlier rows of its sequence.

    Attributes:
        previous_BC: Codes of the row before, int64; any code where there is none.
        known_B: Whether there is a row before.
        index_B: Place in the sequence, from 0.
        remaining_B: Rows still to come in the sequence.
        span_B: Number of earlier rows present in the batch just before the row.
    """

    previous_BC: Tensor
    known_B: Tensor
    index_B: Tensor
    remaining_B: Tensor
    span_B: Tensor

    def on(self, device: str) -> History:
        """Give the same history on a device."""
        tensors = (self.previous_BC, self.known_B, self.index_B, self.remaining_B, self.span_B)
        return History(*(tensor.to(device) for tensor in tensors))


class Relatives:
    """Finds the rows that the rows of one table may look at.

    Args:
        layout: The table and its relatives.
        tables: The relatives' rows.
        set_limit: Largest number of rows of a sibling table looked at under one ancestor.
        links: The rows that the table's own rows point to: as many as the layout names.
    """

    def __init__(
        self,
        layout: TableLayout,
        tables: Mapping[str, EncodedTable],
        *,
        set_limit: int,
        links: Sequence[Link] = (),
    ) -> None:
        if tuple(link.target for link in links) != layout.links:
            raise ValueError(f"{layout.name}: links to {layout.links} expected")
        self._layout, self._tables, self._set_limit, self._links = layout, tables, set_limit, links
        self._starts = [self._start_rows(relative) for relative in layout.siblings]

    def of(self, parent_P: RowArray, parent_B: RowArray) -> Context:
        """Gather the context of some parents.

        Args:
            parent_P: Row number of each parent; behind the last row for one that is none.
            parent_B: For each batch row the place of its parent in ``parent_P``.
        """
        rows = self.ancestor_rows(parent_P)
        named = zip(self._layout.ancestors, rows, strict=True)
        codes = [self._codes(relative, row_P) for relative, row_P in named]
        siblings = zip(self._layout.siblings, self._starts, strict=True)
        return Context(
            ancestors=tuple(torch.from_numpy(code) for code in codes),
            siblings=tuple(
                self._related(sibling, starts, rows[sibling.anchor]) for sibling, starts in siblings
            ),
            parent_B=torch.from_numpy(parent_B),
            seen=self._gather(self._layout.reached_by_parent, {(OWNER,): rows[0]}, len(parent_P)),
            known_PA=torch.from_numpy(np.stack(rows, axis=1) >= 0),
        )

    def _codes(self, relative: Relative, row_P: RowArray) -> NDArray[np.int64]:
        """Give the codes of some rows of an ancestor, zero where there is none, shape (P, C)."""
        codes_RC, shown = self._tables[relative.name].codes_RC, len(relative.sub_columns)
        if not relative.optional:
            return codes_RC[row_P, :shown].astype(np.int64)
        code_PC = np.zeros((len(row_P), shown), dtype=np.int64)
        known_P = row_P >= 0
        code_PC[known_P] = codes_RC[row_P[known_P], :shown]
        return code_PC

    def seen(self, row_B: RowArray) -> Seen | None:
        """Gather what some rows of the table reach by their links; None for a table without links.

        Args:
            row_B: Row numbers.
        """
        if not self._links:
            return None
        begun: dict[Path, RowArray] = {(k,): link.row_R[row_B] for k, link in enumerate(self._links)}
        return self._gather(self._layout.reached_by_row, begun, len(row_B))

    def _gather(self, wanted: Sequence[Reached], begun: dict[Path, RowArray], rows: int) -> Seen:
        """Gather rows reached, given the rows after the first steps."""
        codes, known_BN = [], np.zeros((rows, len(wanted)), dtype=np.bool_)
        for n, reached in enumerate(wanted):
            row_B = self._follow(reached.path, begun)
            known_BN[:, n] = row_B >= 0
            code_BC = np.zeros((rows, len(reached.sub_columns)), dtype=np.int64)
            found_RC = self._tables[reached.name].codes_RC[row_B[known_BN[:, n]], : len(reached.sub_columns)]
            code_BC[known_BN[:, n]] = found_RC
            codes.append(torch.from_numpy(code_BC))
        return Seen(tuple(codes), torch.from_numpy(known_BN))

    def _follow(self, path: Path, begun: dict[Path, RowArray]) -> RowArray:
        """Give the rows at the end of a path, -1 for none; what is found on the way is kept."""
        if path not in begun:
            before_B = self._follow(path[:-1], begun)
            known_B = before_B >= 0
            row_B = np.full(len(before_B), -1, dtype=np.int64)
            row_B[known_B] = _step_from(self._end(path[:-1]), path[-1])[before_B[known_B]]
            begun[path] = row_B
        return begun[path]

    def _end(self, path: Path) -> EncodedTable:
        """Give the table at the end of a path."""
        first, *later = path
        name = self._layout.parent if first == OWNER else self._layout.links[first]
        for step in later:
            assert name is not None, "paths lead to tables"
            here = self._tables[name]
            name = here.parent if step == OWNER else here.links[step].target
        assert name is not None, "paths lead to tables"
        return self._tables[name]

    def said(self, parent_P: RowArray, stays: Sequence[Stay]) -> IntArray:
        """Give what some parents say of each column that may stay, 0 where they say nothing, shape (P, F)."""
        said_PF = np.zeros((len(parent_P), len(stays)), dtype=np.int32)
        for f, stay in enumerate(stays):
            if stay.said != ALWAYS and self._layout.parent is not None:
                parents = self._tables[self._layout.parent]
                known_P = parent_P < parents.rows
                said_PF[known_P, f] = parents.codes_RC[parent_P[known_P], stay.said]
        return said_PF

    def ancestor_rows(self, parent_P: RowArray) -> list[RowArray]:
        """Give the row numbers of each ancestor, parent first, -1 where there is none."""
        first = self._layout.ancestors[0]
        rows = [parent_P]
        if first.optional:
            rows = [np.where(parent_P < self._tables[first.name].rows, parent_P, -1)]
        for relative, above in pairwise(self._layout.ancestors):
            owner_R = self._tables[relative.name].owner_rows
            rows.append(_follow(owner_R, rows[-1]) if above.optional else owner_R[rows[-1]])
        return rows

    def _start_rows(self, sibling: Relative) -> RowArray:
        """Give the first row of a sibling table under each anchor row, and the end; shape (anchors + 1,)."""
        anchor = self._layout.ancestors[sibling.anchor].name
        table = self._tables[sibling.name]
        row_R = np.arange(table.rows)
        while table.parent is not None:
            row_R = _follow(table.owner_rows, row_R)
            if table.parent == anchor:
                break
            table = self._tables[table.parent]
        # Rows that lead to no anchor stand last.
        row_R = row_R[: np.searchsorted(row_R < 0, True)]
        return np.searchsorted(row_R, np.arange(self._tables[anchor].rows + 1)).astype(np.int64)

    def _related(self, sibling: Relative, starts: RowArray, anchor_row_P: RowArray) -> Related:
        distinct, anchor_P = np.unique(anchor_row_P, return_inverse=True)
        end_A = np.where(distinct < 0, starts[distinct], starts[distinct + 1])
        rows, group_R = spread_rows(starts[distinct], end_A, limit=self._set_limit)
        codes_RC = self._tables[sibling.name].codes_RC[rows, : len(sibling.sub_columns)].astype(np.int64)
        return Related(
            torch.from_numpy(codes_RC), torch.from_numpy(group_R), torch.from_numpy(anchor_P), len(distinct)
        )


def _step_from(table: EncodedTable, step: int) -> RowArray:
    """Give where one step leads from each row of a table."""
    return table.owner_rows if step == OWNER else table.links[step].row_R


def _follow(next_R: RowArray, row_B: RowArray) -> RowArray:
    """Give where a step leads from some rows, -1 for none, shape (B,)."""
    found_B = np.full(len(row_B), -1, dtype=np.int64)
    known_B = row_B >= 0
    found_B[known_B] = next_R[row_B[known_B]]
    return found_B


def spread_rows(start_G: RowArray, end_G: RowArray, *, limit: int) -> tuple[RowArray, RowArray]:
    """Pick up to ``limit`` evenly spread rows of each range.

    Returns:
        The row numbers and the number of the range of each.

    >>> spread_rows(np.array([0, 4]), np.array([4, 5]), limit=2)
    (array([0, 2, 4]), array([0, 0, 1]))
    """
    length_G = end_G - start_G
    picked_G = np.minimum(length_G, limit)
    group_R = np.repeat(np.arange(len(start_G)), picked_G)
    place_R = np.arange(len(group_R)) - np.repeat(np.cumsum(picked_G) - picked_G, picked_G)
    rows = start_G[group_R] + place_R * length_G[group_R] // np.maximum(picked_G[group_R], 1)
    return rows, group_R


def count_bucket(counts: Tensor) -> Tensor:
    """Give the bucket of each count, fine for small counts, by ratio for large ones."""
    steps = torch.tensor(_COUNT_STEPS, device=counts.device)
    return torch.bucketize(counts, steps).clamp(max=len(_COUNT_STEPS) - 1)


class ContextNetwork(nn.Module):
    """Ancestors and sibling sets of each parent to a vector."""

    def __init__(self, layout: TableLayout, plan: TablePlan, generator: torch.Generator) -> None:
        super().__init__()
        width = plan.context_embedding_width
        self.ancestors = nn.ModuleList(
            CodeEmbedding(relative.sub_columns, width, generator) for relative in layout.ancestors
        )
        self.siblings = nn.ModuleList(
            SetNetwork(relative, width, plan.set_width, generator) for relative in layout.siblings
        )
        self.optional = tuple(relative.optional for relative in layout.ancestors)
        inputs = width * sum(len(relative.sub_columns) for relative in layout.ancestors) + sum(self.optional)
        inputs += (2 * plan.set_width + 1) * len(layout.siblings)
        self.seen = SeenEmbedding(layout.reached_by_parent, width, generator)
        self.first = Linear(inputs + self.seen.width, plan.trunk_width, generator)
        self.second = Linear(plan.trunk_width, plan.trunk_width, generator)

    def forward(self, context: Context) -> Tensor:
        """Give the vector of each parent, shape (P, T)."""
        parts: list[Tensor] = []
        for place, (embed, codes) in enumerate(zip(self.ancestors, context.ancestors, strict=True)):
            embedded_PX = embed(codes).flatten(1)
            if self.optional[place]:
                known_P1 = context.known_PA[:, place : place + 1].to(embedded_PX.dtype)
                parts += [embedded_PX * known_P1, known_P1]
            else:
                parts.append(embedded_PX)
        parts += [pool(related) for pool, related in zip(self.siblings, context.siblings, strict=True)]
        parts += self.seen(context.seen)
        hidden_PT = functional.silu(self.first(torch.cat(parts, 1)))
        context_PT: Tensor = hidden_PT + self.second(hidden_PT)
        return context_PT


class SeenEmbedding(nn.Module):
    """Rows reached by links as numbers: their codes' vectors, and whether there is a row.

    Attributes:
        width: How many numbers there are for each row.
    """

    def __init__(self, reached: Sequence[Reached], width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.relatives = nn.ModuleList(CodeEmbedding(each.sub_columns, width, generator) for each in reached)
        self.width = sum(1 + width * len(each.sub_columns) for each in reached)

    def forward(self, seen: Seen) -> list[Tensor]:
        """Give the parts of the numbers, zero where there is no row, each of shape (B, some)."""
        if not seen.codes:
            return []
        known_BN = seen.known_BN.to(torch.float32)
        parts = [
            embed(codes_BC).flatten(1) * known_BN[:, n : n + 1]
            for n, (embed, codes_BC) in enumerate(zip(self.relatives, seen.codes, strict=True))
        ]
        return [*parts, known_BN]


class SeenNetwork(nn.Module):
    """What each row reaches by its links to a vector."""

    def __init__(self, layout: TableLayout, plan: TablePlan, generator: torch.Generator) -> None:
        super().__init__()
        self.embedding = SeenEmbedding(layout.reached_by_row, plan.context_embedding_width, generator)
        self.first = Linear(self.embedding.width, plan.trunk_width, generator)
        self.second = Linear(plan.trunk_width, plan.trunk_width, generator)

    def forward(self, seen: Seen) -> Tensor:
        """Give the vector of each row, shape (B, T)."""
        hidden_BT = functional.silu(self.first(torch.cat(self.embedding(seen), 1)))
        seen_BT: Tensor = hidden_BT + self.second(hidden_BT)
        return seen_BT


class SetNetwork(nn.Module):
    """A set of rows to a small vector by pooled row features.

    Sources:
        Zaheer et al., "Deep Sets", 2017, theorem 2.
    """

    def __init__(self, relative: Relative, width: int, set_width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.embedding = CodeEmbedding(relative.sub_columns, width, generator)
        self.features = Linear(width * len(relative.sub_columns), set_width, generator)

    def forward(self, related: Related) -> Tensor:
        """Give mean, maximum and presence for each parent, shape (P, 2 * width + 1)."""
        features_RM = functional.relu(self.features(self.embedding(related.codes_RC).flatten(1)))
        empty_AM = features_RM.new_zeros(related.anchors, features_RM.shape[1])
        total_AM = empty_AM.index_add(0, related.group_R, features_RM)
        rows_A = torch.bincount(related.group_R, minlength=related.anchors).unsqueeze(1)
        index_RM = related.group_R.unsqueeze(1).expand_as(features_RM)
        most_AM = empty_AM.scatter_reduce(0, index_RM, features_RM, "amax")
        pooled_AX: Tensor = torch.cat(
            [total_AM / rows_A.clamp(min=1), most_AM, (rows_A > 0).to(total_AM.dtype)], 1
        )
        return pooled_AX[related.anchor_P]


class HistoryNetwork(nn.Module):
    """Earlier rows of a sequence to a vector: the row before, and slowly fading means of row features.

    A linear recurrence: in training all rows at once by doubling, in sampling one step after the other.
    """

    def __init__(self, layout: TableLayout, plan: TablePlan, generator: torch.Generator) -> None:
        super().__init__()
        inputs = layout.shown * plan.embedding_width
        self.memory = Linear(inputs, plan.memory_width, generator)
        self.places = nn.Parameter(
            torch.randn(2, len(_COUNT_STEPS), plan.trunk_width, generator=generator) * 0.3
        )
        self.first = Linear(inputs + plan.memory_width * len(DECAYS), plan.trunk_width, generator)
        self.second = Linear(plan.trunk_width, plan.trunk_width, generator)

    def forward(self, previous_BX: Tensor, history: History) -> Tensor:
        """Give the vector of each row of whole sequences, shape (B, T)."""
        sums_BDM = fading_sums(self.remember(previous_BX, history.known_B), history.span_B)
        return self.join(previous_BX, sums_BDM, history)

    def remember(self, previous_BX: Tensor, known_B: Tensor) -> Tensor:
        """Give the features of each row's previous row, zero where there is none, shape (B, M)."""
        return functional.silu(self.memory(previous_BX)) * known_B[:, None]

    def join(self, previous_BX: Tensor, sums_BDM: Tensor, history: History) -> Tensor:
        """Join the previous row, the fading sums and the place in the sequence, shape (B, T)."""
        means_BX = (sums_BDM / fading_weights(history.span_B)).flatten(1)
        hidden_BT = self.first(torch.cat([previous_BX, means_BX], 1))
        hidden_BT = hidden_BT + self.places[0][count_bucket(history.index_B)]
        hidden_BT = functional.silu(hidden_BT + self.places[1][count_bucket(history.remaining_B)])
        joined_BT: Tensor = hidden_BT + self.second(hidden_BT)
        return joined_BT


def fading_weights(span_B: Tensor) -> Tensor:
    """Give the total weight of the earlier rows for each decay, at least 1, shape (B, D, 1)."""
    decay_D = torch.tensor(DECAYS, device=span_B.device)
    total_BD: Tensor = (1 - decay_D ** span_B[:, None]) / (1 - decay_D)
    return total_BD.clamp(min=1.0).unsqueeze(2)


def fading_sums(previous_BM: Tensor, span_B: Tensor) -> Tensor:
    """Sum the features of all earlier rows, faded by age, by doubling the distance looked back.

    Args:
        previous_BM: Features of each row's previous row; rows of one sequence stand together.
        span_B: Number of earlier rows of the sequence present just before each row.

    Returns:
        Sums for each decay, shape (B, D, M).
    """
    decay_D1 = torch.tensor(DECAYS, device=previous_BM.device).unsqueeze(1)
    sums_BDM = previous_BM.unsqueeze(1).expand(-1, len(DECAYS), -1)
    step, longest = 1, int(span_B.max()) if len(span_B) else 0
    while step < longest:
        within_B = (span_B[step:] > step).to(sums_BDM.dtype)
        faded = sums_BDM[:-step] * (decay_D1**step) * within_B[:, None, None]
        sums_BDM = torch.cat([sums_BDM[:step], sums_BDM[step:] + faded])
        step *= 2
    return sums_BDM


class Linear(nn.Module):
    """A linear layer whose first weights come from ``generator`` alone; it may have no inputs."""

    def __init__(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs, generator=generator) / max(inputs, 1) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, values_BX: Tensor) -> Tensor:
        """Give the outputs, shape (B, outputs)."""
        return torch.addmm(self.bias, values_BX, self.weight)
