"""The row network with a share of random orders: some batches hide columns as another order would.

In a random order a column sees the columns that come before it there. Which ones it sees is told by one more
weight for each pair of columns; in the given order that is a constant, and part of the bias.
Shape letters: B batch rows, C sub-columns, E embedding, H hidden.

Sources:
    Germain and others, "MADE: masked autoencoder for distribution estimation", 2015, sections 4.2 and 4.3.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.tabular import Batch, Dropout, TabularNetwork
from kinsynth.engine.triangle import TriangularLayer


class SometimesShuffled(TabularNetwork):
    """The engine's network, trained in random orders on a share of the batches; only for root tables.

    Args:
        layout: The table.
        plan: Widths.
        generator: Source of the first weights.
        share: Share of the batches in a random order.
    """

    def __init__(
        self, layout: TableLayout, plan: TablePlan, generator: torch.Generator, *, share: float
    ) -> None:
        super().__init__(layout, plan, generator)
        self.share = share
        self.owners = [sub.column for sub in layout.sub_columns]
        self.seen_bias = nn.Parameter(torch.zeros(self.columns, self.columns * self.width))
        inputs = self.columns * plan.embedding_width
        first = torch.randn(inputs, self.columns * self.width, generator=generator) / math.sqrt(inputs / 2)
        self.first_bias = nn.Parameter(torch.zeros(self.columns * self.width))
        del self.first  # a later column may come first in another order
        self.whole = nn.Parameter(first)

    def forward(self, batch: Batch, dropout: Dropout | None = None) -> Tensor:
        """Give the negative log-likelihood of each column and row, shape (C, B), in nats."""
        see_CC = self.given()
        if dropout is not None and dropout.generator is not None:
            see_CC = self._choose(dropout.generator)
        hidden_CBH = self.seeing(batch.codes_BC, see_CC, dropout or Dropout(0.0, None))
        return self.heads.losses(hidden_CBH, batch.codes_BC, None, None)

    def hidden(self, batch: Batch, drop: Dropout) -> tuple[Tensor, Tensor | None]:
        """Give each column's last layer in the given order."""
        return self.seeing(batch.codes_BC, self.given(), drop), None

    def seeing(self, codes_BC: Tensor, see_CC: Tensor, drop: Dropout) -> Tensor:
        """Give each column's last layer, where row i of ``see_CC`` says which columns see column i."""
        inputs = self.embedding.free.shape[1]
        mask = see_CC.repeat_interleave(self.width, 1)
        embedded_BX = drop.whole_columns(self.embedding(codes_BC)).flatten(1)
        bias_Y = self.first_bias + (self.seen_bias * mask).sum(0)
        before_BY = torch.addmm(bias_Y, embedded_BX, self.whole * mask.repeat_interleave(inputs, 0))
        return self.deepen(before_BY.view(-1, self.columns, self.width).transpose(0, 1), drop)

    def given(self) -> Tensor:
        """Give which columns see which in the given order."""
        return torch.ones(self.columns, self.columns).triu(1)

    def _choose(self, generator: torch.Generator) -> Tensor:
        if float(torch.rand(1, generator=generator)) >= self.share:
            return self.given()
        return see(shuffle(self.owners, generator))


def shuffle(owners: list[int], generator: torch.Generator) -> Tensor:
    """Give each sub-column's rank in a random order of columns; those of one column stay together."""
    columns = sorted(set(owners))
    place = dict(zip(columns, torch.randperm(len(columns), generator=generator).tolist(), strict=True))
    order = sorted(range(len(owners)), key=lambda c: (place[owners[c]], c))
    rank = torch.empty(len(owners), dtype=torch.int64)
    rank[order] = torch.arange(len(owners))
    return rank


def see(rank_C: Tensor) -> Tensor:
    """Give 1 where the column of the row comes before that of the column, shape (C, C)."""
    return (rank_C[:, None] < rank_C[None, :]).float()


def share_of(share: float) -> partial[SometimesShuffled]:
    """Give what makes the network of a share."""
    return partial(SometimesShuffled, share=share)


def in_given_order(model: TableModel) -> TableModel:
    """Give the same chances as the engine's network, which the engine draws from."""
    network = model.network
    assert isinstance(network, SometimesShuffled)
    plain = TabularNetwork(model.layout, model.plan, torch.Generator().manual_seed(0))
    own = ("seen_bias", "first_bias", "whole")
    alike = {name: kept for name, kept in network.state_dict().items() if name not in own}
    plain.load_state_dict(alike, strict=False)
    mask = network.given().repeat_interleave(network.width, 1)
    with torch.no_grad():
        plain.first = TriangularLayer(
            network.whole.detach(), width=model.plan.embedding_width, hidden=network.width
        )
        plain.first.bias += network.first_bias + (network.seen_bias * mask).sum(0)
    return replace(model, network=plain.eval())
