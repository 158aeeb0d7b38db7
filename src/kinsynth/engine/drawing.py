"""Drawing: the codes of some rows of one table, from its network.

Shape letters: B active rows, S stretches, P parents, C sub-columns, R rows, D draws or decays,
M memory, T trunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from kinsynth.encoded import IntArray, RowArray
from kinsynth.engine.aims import MOST_ROWS, Aims
from kinsynth.engine.apart import Earlier, find_keys, find_several
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.context import DECAYS, Context, Relatives
from kinsynth.engine.evenly import even_uniforms
from kinsynth.engine.evidence import Condition, Evidence, gather_evidence
from kinsynth.engine.particles import Begun, draw_freely, draw_given, draw_several
from kinsynth.engine.prefix import Columns
from kinsynth.engine.sampled import number_rows
from kinsynth.engine.staying import Staying, Told
from kinsynth.engine.stretches import STRETCH, Stretches, cut_stretches
from kinsynth.engine.tabular import embed_previous
from kinsynth.system.randomness import uniforms


class TableSampler:
    """Draws the rows of one table.

    Args:
        model: Model of the table.
        seed: Source of all randomness.
        temperature: 1 draws from the learned chances, less draws likelier rows.
        condition: What the rows must keep to.
        shares: By sub-column the share of rows that hold each code, NaN for codes that are not led there.
    """

    def __init__(
        self,
        model: TableModel,
        seed: int,
        temperature: float,
        condition: Condition | None,
        shares: Mapping[int, NDArray[np.float64]] | None = None,
    ) -> None:
        self.layout, self.plan, self.network = model.layout, model.plan, model.network
        self.seed, self._condition, self._shares = seed, condition, shares or {}
        self._columns, self._keys = Columns(model, temperature), find_keys(model.layout.sub_columns)
        self._several = find_several(model.layout.sub_columns)

    def aims(self, rows: int) -> Aims | None:
        """Give what all rows of the table are led to, if any; None also where they are too many to matter."""
        if not self._shares or rows > MOST_ROWS:
            return None
        return Aims(self._shares, self._uniforms("aims", np.zeros(1, dtype=np.int64), len(self._shares))[0])

    def draw_roots(
        self,
        root_R: RowArray,
        row_ids: RowArray,
        relatives: Relatives | None = None,
        *,
        aims: Aims | None = None,
    ) -> IntArray:
        """Draw root rows, shape (R, C).

        Args:
            root_R: Number of each row.
            row_ids: What the randomness of each row hangs on.
            relatives: Finds what the rows point to; needed where the table has links.
            aims: What they are led to, where they are all rows of the table.
        """
        self._check_links(relatives)
        seen = None if relatives is None else relatives.seen(root_R)
        trunk_RT = None if seen is None else self.network.trunk_of(None, None, None, self.network.see(seen))
        is_even = trunk_RT is None and any(even_K is not None for even_K in self._columns.even[:1])
        even_R = even_uniforms(self.seed, f"{self.layout.name}/even", root_R) if is_even else None
        begun = Begun(self._columns, self._uniforms, row_ids, trunk_RT, even_R=even_R, aims=aims)
        return self._draw(begun, root_R)

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
        aims: Aims | None = None,
    ) -> IntArray:
        """Draw the child rows of consecutive parent rows, all sequences one step at a time, shape (R, C).

        Where the order of rows carries no meaning, long sequences are drawn in stretches: first the one that
        all begin with, then the others beside each other, each as if it followed on that first one.

        Args:
            count_P: Number of child rows of each parent row.
            row_ids: What the randomness of each row hangs on.
            relatives: Finds what the rows may look at.
            first_parent: Number of the first parent row there.
            first_row: Number of the first row there.
            aims: What they are led to, where they are all rows of the table.
        """
        network = self.network
        codes_RC = np.zeros((len(row_ids), network.columns), dtype=np.int32)
        starts: dict[int, NDArray[np.float64]] = {}
        begins, others = cut_stretches(count_P, most=None if self.layout.ordered or self._keys else STRETCH)
        for some, before_S in ((begins, None), (others, begins.last_rows(others))):
            if not len(some.first_S):
                continue
            previous_SC = np.zeros((len(some.first_S), network.columns), dtype=np.int32)
            if before_S is not None:
                previous_SC[:] = codes_RC[before_S]
            parent_P, parent_S = np.unique(some.parent_S, return_inverse=True)
            context = relatives.of(first_parent + parent_P, parent_S)
            said_SF = relatives.said(first_parent + some.parent_S, self.layout.stays)
            staying = Staying(self.layout.stays, network.columns, said_SF)
            for rows, drawn_BC in self._walk(
                some,
                previous_SC,
                context,
                row_ids,
                relatives,
                first_row=first_row,
                codes_RC=codes_RC,
                staying=staying,
                starts=starts,
                aims=aims,
            ):
                codes_RC[rows] = drawn_BC
        return codes_RC

    def _walk(
        self,
        some: Stretches,
        previous_SC: IntArray,
        context: Context,
        row_ids: RowArray,
        relatives: Relatives,
        *,
        first_row: int,
        codes_RC: IntArray,
        staying: Staying,
        starts: dict[int, NDArray[np.float64]],
        aims: Aims | None,
    ) -> Iterator[tuple[RowArray, IntArray]]:
        """Draw stretches one step at a time; give the rows of each step and their codes.

        ``codes_RC`` holds the rows of the steps before, ``starts`` what evenly spread codes go on with.
        """
        network = self.network
        context_PT = network.context(context)
        sums_SDM = torch.zeros(len(some.first_S), len(DECAYS), self.plan.memory_width)
        decay_D1 = torch.tensor(DECAYS).unsqueeze(1)
        previous_BC = torch.from_numpy(previous_SC).long()
        for step in range(int(some.length_S[0])):
            active = int(np.searchsorted(-some.length_S, -step))
            history = some.history_at(step, active, previous_BC[:active])
            embedded_BX = embed_previous(network, history)
            remembered = network.history.remember(embedded_BX, history.known_B)
            sums_SDM = sums_SDM[:active] * decay_D1 + remembered.unsqueeze(1)
            history_BT = network.history.join(embedded_BX, sums_SDM, history)
            rows = some.first_S[:active] + step
            seen_BT = network.see(relatives.seen(first_row + rows))
            trunk_BT = network.trunk_of(context_PT, history_BT, context.parent_B[:active], seen_BT)
            earlier = self._earlier(codes_RC, some.first_S[:active], step)
            told, places = staying.told(history), first_row + rows
            begun = Begun(
                self._columns,
                self._uniforms,
                row_ids[rows],
                trunk_BT,
                history,
                earlier,
                told=told,
                starts=starts,
                aims=aims,
            )
            drawn_BC = self._draw(begun, places)
            if told is not None:
                staying.settle(drawn_BC, told, history, partial(self._draw_again, begun, places))
            if aims is not None:
                aims.count(drawn_BC)
            previous_BC = torch.from_numpy(drawn_BC).long()
            yield rows, drawn_BC

    def _earlier(self, codes_RC: IntArray, first_P: RowArray, step: int) -> Earlier | None:
        """Give the rows drawn before under each parent, where rows of one parent must differ."""
        if not self._keys or not step:
            return None
        return Earlier(codes_RC[first_P[:, None] + np.arange(step)], self._keys, self._several)

    def _check_links(self, relatives: Relatives | None) -> None:
        if self.layout.links and relatives is None:
            raise ValueError(f"{self.layout.name}: its rows point to others, which are not given")

    def _draw(self, begun: Begun, row_R: RowArray) -> IntArray:
        if self._condition is None:
            return draw_freely(begun).numpy().astype(np.int32)
        return draw_given(begun, self._evidence(row_R, begun.row_ids))

    def _draw_again(self, begun: Begun, row_B: RowArray, some: RowArray, told: Told, turn: int) -> IntArray:
        return self._draw(begun.again(some, told, turn), row_B[some])

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
