"""Drawing: the codes of some rows of one table, from its network.

Shape letters: B active rows, P parents, C sub-columns, R rows, D draws or decays, M memory, T trunk.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinsynth.encoded import IntArray, RowArray
from kinsynth.engine.apart import Earlier, find_keys
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.context import DECAYS, History, Relatives
from kinsynth.engine.evidence import Condition, Evidence, gather_evidence
from kinsynth.engine.particles import Begun, draw_freely, draw_given, draw_several
from kinsynth.engine.prefix import Columns
from kinsynth.engine.sampled import number_rows
from kinsynth.engine.tabular import embed_previous
from kinsynth.system.randomness import uniforms


class TableSampler:
    """Draws the rows of one table.

    Args:
        model: Model of the table.
        seed: Source of all randomness.
        temperature: 1 draws from the learned chances, less draws likelier rows.
        condition: What the rows must keep to.
    """

    def __init__(self, model: TableModel, seed: int, temperature: float, condition: Condition | None) -> None:
        self.layout, self.plan, self.network = model.layout, model.plan, model.network
        self.seed, self._condition = seed, condition
        self._columns, self._keys = Columns(model, temperature), find_keys(model.layout.sub_columns)

    def draw_roots(self, root_R: RowArray, row_ids: RowArray, relatives: Relatives | None = None) -> IntArray:
        """Draw root rows, shape (R, C).

        Args:
            root_R: Number of each row.
            row_ids: What the randomness of each row hangs on.
            relatives: Finds what the rows point to; needed where the table has links.
        """
        self._check_links(relatives)
        seen = None if relatives is None else relatives.seen(root_R)
        trunk_RT = None if seen is None else self.network.trunk_of(None, None, None, self.network.see(seen))
        return self._draw(Begun(self._columns, self._uniforms, row_ids, trunk_RT), root_R)

    def draw_several(self, root_R: RowArray, draws: int) -> IntArray:
        """Draw each root row several times, shape (R, D, C); only for a table without links."""
        self._check_links(None)
        row_ids = number_rows(root_R, table=self.layout.name)
        begun = Begun(self._columns, self._uniforms, row_ids)
        return draw_several(begun, self._evidence(root_R, row_ids), draws)

    def draw_children(
        self,
        count_P: RowArray,
        row_ids: RowArray,
        relatives: Relatives,
        *,
        first_parent: int = 0,
        first_row: int = 0,
    ) -> IntArray:
        """Draw the child rows of consecutive parent rows, all sequences one step at a time, shape (R, C).

        Longest first, so that the unfinished ones always stand in front.

        Args:
            count_P: Number of child rows of each parent row.
            row_ids: What the randomness of each row hangs on.
            relatives: Finds what the rows may look at.
            first_parent: Number of the first parent row there.
            first_row: Number of the first row there.
        """
        network = self.network
        codes_RC = np.zeros((len(row_ids), network.columns), dtype=np.int32)
        if not len(row_ids):
            return codes_RC
        longest_first = np.argsort(-count_P, kind="stable")
        longest_first = longest_first[: int((count_P > 0).sum())]
        first_P = (np.cumsum(count_P) - count_P)[longest_first]
        count_P = count_P[longest_first]
        context = relatives.of(first_parent + longest_first, np.arange(len(longest_first)))
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
            rows = first_P[:active] + step
            seen_BT = network.see(relatives.seen(first_row + rows))
            trunk_BT = network.trunk_of(context_PT, history_BT, context.parent_B[:active], seen_BT)
            earlier = self._earlier(codes_RC, first_P[:active], step)
            begun = Begun(self._columns, self._uniforms, row_ids[rows], trunk_BT, history, earlier)
            codes_RC[rows] = self._draw(begun, rows)
            previous_PC = torch.from_numpy(codes_RC[rows]).long()
        return codes_RC

    def _earlier(self, codes_RC: IntArray, first_P: RowArray, step: int) -> Earlier | None:
        """Give the rows drawn before under each parent, where rows of one parent must differ."""
        if not self._keys or not step:
            return None
        return Earlier(codes_RC[first_P[:, None] + np.arange(step)], self._keys)

    def _check_links(self, relatives: Relatives | None) -> None:
        if self.layout.links and relatives is None:
            raise ValueError(f"{self.layout.name}: its rows point to others, which are not given")

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
            seed=self.seed,
            stream=f"{self.layout.name}/shares",
        )

    def _uniforms(self, use: str, row_ids: RowArray, draws: int) -> NDArray[np.float64]:
        return uniforms(self.seed, f"{self.layout.name}/{use}", row_ids, draws=draws)


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
