"""The network of one table: the chance of every code of a row, given its context and the codes before it.

All columns are computed together: one masked matrix product, then one batched product over columns.
Shape letters: B batch rows, P parents, C sub-columns, K codes, E embedding, H hidden, T trunk, S all codes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kinsynth.encoded import IntArray
from kinsynth.engine.context import Context, ContextNetwork, History, HistoryNetwork, Seen, SeenNetwork
from kinsynth.engine.embedding import CodeEmbedding
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.sizing import TablePlan, padded_size
from kinsynth.engine.triangle import TriangularLayer

ECHO_SHIFTS = (0, 1, -1)
_NEVER = -1e9
_LEAST_CHANCE = 1e-30


@dataclass(frozen=True)
class Batch:
    """Rows of one table with what they may know.

    Attributes:
        codes_BC: Codes, int64.
        context: What the rows of each parent know, or None for a root table.
        history: What each row knows of the earlier rows of its sequence, or None for a root table.
        seen: What each row reaches by its links, or None for a table without links.
    """

    codes_BC: Tensor
    context: Context | None = None
    history: History | None = None
    seen: Seen | None = None

    def on(self, device: str) -> Batch:
        """Give the same batch on a device."""
        context = None if self.context is None else self.context.on(device)
        history = None if self.history is None else self.history.on(device)
        seen = None if self.seen is None else self.seen.on(device)
        return Batch(self.codes_BC.to(device), context, history, seen)


class TabularNetwork(nn.Module):
    """Chances of the codes of one table's rows, column after column.

    Args:
        layout: The table and its relatives.
        plan: Widths.
        generator: Source of the first weights.

    Attributes:
        child: Whether the rows have parents and earlier rows.
        linked: Whether the rows have links.
    """

    def __init__(self, layout: TableLayout, plan: TablePlan, generator: torch.Generator) -> None:
        super().__init__()
        subs = layout.sub_columns
        self.columns, self.shown, self.width = len(subs), layout.shown, plan.column_width
        self.embedding = CodeEmbedding(subs, plan.embedding_width, generator)
        self.child, self.linked = layout.parent is not None, bool(layout.links)
        inputs = self.columns * plan.embedding_width
        first = _scaled((inputs, self.columns * self.width), inputs / 2, generator)
        self.first = TriangularLayer(first, width=plan.embedding_width, hidden=self.width)
        self.deep = nn.ParameterList(
            nn.Parameter(_scaled((self.columns, self.width, self.width), self.width, generator))
            for _ in range(plan.layers)
        )
        self.deep_bias = nn.ParameterList(
            nn.Parameter(torch.zeros(self.columns, 1, self.width)) for _ in range(plan.layers)
        )
        self.heads = Heads([sub.cardinality for sub in subs], self.width)
        if self.child:
            self.context = ContextNetwork(layout, plan, generator)
            self.history = HistoryNetwork(layout, plan, generator)
        if self.linked:
            self.seen = SeenNetwork(layout, plan, generator)
        if self.has_trunk:
            trunk = plan.trunk_width
            self.trunk = nn.Parameter(_scaled((trunk, self.columns * self.width), trunk, generator))
        if self.child:
            self.repeated = nn.Parameter(torch.zeros(self.columns, plan.embedding_width))
            self.echo = nn.Parameter(torch.zeros(self.columns, self.width, len(ECHO_SHIFTS)))
            self.echo_bias = nn.Parameter(torch.zeros(self.columns, 1, len(ECHO_SHIFTS)))

    @property
    def has_trunk(self) -> bool:
        """Whether the rows know anything before their first code."""
        return self.child or self.linked

    def see(self, seen: Seen | None) -> Tensor | None:
        """Give the vector of what each row reaches by its links, shape (B, T); None for None."""
        return None if seen is None else self.seen(seen)

    def trunk_of(
        self,
        context_PT: Tensor | None,
        history_BT: Tensor | None,
        parent_B: Tensor | None,
        seen_BT: Tensor | None = None,
    ) -> Tensor:
        """Join what a row's parent, its earlier rows and what it points to say, shape (B, T).

        Args:
            context_PT: What each parent says; None for a root table, and then the next two as well.
            history_BT: What the earlier rows of each row say.
            parent_B: For each row the number of its parent among the P.
            seen_BT: What ``see`` gave; None for a table without links.
        """
        if context_PT is None or history_BT is None or parent_B is None:
            assert seen_BT is not None, "a root table has a trunk for its links alone"
            return functional.silu(seen_BT)
        known_BT = context_PT[parent_B] + history_BT
        return functional.silu(known_BT if seen_BT is None else known_BT + seen_BT)

    def know(self, batch: Batch) -> Tensor | None:
        """Join all that each row knows, shape (B, T); None for a root table without links."""
        seen_BT, context, history = self.see(batch.seen), batch.context, batch.history
        if context is not None and history is not None:
            history_BT = self.history(embed_previous(self, history), history)
            return self.trunk_of(self.context(context), history_BT, context.parent_B, seen_BT)
        return None if seen_BT is None else self.trunk_of(None, None, None, seen_BT)

    def forward(self, batch: Batch, dropout: Dropout | None = None) -> Tensor:
        """Give the negative log-likelihood of each row and column, shape (C, B), in nats."""
        hidden_CBH, echo_CBJ = self.hidden(batch, dropout or Dropout(0.0, None))
        losses_CB: Tensor = self.heads.losses(hidden_CBH, batch.codes_BC, echo_CBJ, batch.history)
        return losses_CB

    def chances(self, batch: Batch) -> list[Tensor]:
        """Give the chances of the codes of each column, one tensor (B, K) each."""
        hidden_CBH, echo_CBJ = self.hidden(batch, Dropout(0.0, None))
        groups = self.heads.logits(hidden_CBH, echo_CBJ, batch.history)
        chances = {
            c: torch.softmax(logits_GBK[i], 1)
            for (g, logits_GBK) in enumerate(groups)
            for i, c in enumerate(self.heads.groups[g])
        }
        return [chances[c][:, : self.heads.cardinalities[c]] for c in range(self.columns)]

    def hidden(self, batch: Batch, drop: Dropout) -> tuple[Tensor, Tensor | None]:
        """Give each column's last layer before its head, shape (C, B, H), and what it echoes, (C, B, J)."""
        codes_BC = batch.codes_BC
        embedded_BCE = self.embedding(codes_BC)
        if batch.history is not None:
            repeated_BC = (codes_BC == batch.history.previous_BC) & batch.history.known_B[:, None]
            embedded_BCE = embedded_BCE + repeated_BC.unsqueeze(2) * self.repeated
        embedded_BCE = drop.whole_columns(embedded_BCE)
        before_CBH: Tensor = self.first(embedded_BCE.flatten(1))
        trunk_BT = self.know(batch)
        if trunk_BT is not None:
            added_BY = drop(trunk_BT) @ self.trunk
            before_CBH = before_CBH + added_BY.view(-1, self.columns, self.width).transpose(0, 1)
        hidden_CBH = self.deepen(before_CBH, drop)
        echo_CBJ = None if batch.history is None else torch.baddbmm(self.echo_bias, hidden_CBH, self.echo)
        return hidden_CBH, echo_CBJ

    def deepen(self, before_CBH: Tensor, drop: Dropout) -> Tensor:
        """Pass each column's first layer through its own residual layers, shape (C, B, H)."""
        hidden = functional.silu(before_CBH)
        for weight, bias in zip(self.deep, self.deep_bias, strict=True):
            hidden = hidden + functional.silu(torch.baddbmm(bias, drop(hidden), weight))
        return hidden


def embed_previous(network: TabularNetwork, history: History) -> Tensor:
    """Embed what is shown of the previous row of each row, zero where there is none, shape (B, shown * E)."""
    embedded_BCE: Tensor = network.embedding(history.previous_BC)[:, : network.shown]
    return (embedded_BCE * history.known_B[:, None, None]).flatten(1)


class Dropout:
    """Dropout with its own generator, so that a step's noise depends on the step alone.

    Args:
        share: Share of the values set to zero, in [0, 1), in steps of 1/256.
        generator: Source of randomness; None switches dropout off.
    """

    def __init__(self, share: float, generator: torch.Generator | None) -> None:
        self.share, self.generator = share, generator

    def __call__(self, values: Tensor) -> Tensor:
        """Drop single values."""
        return values if self._off else values * self._keep(values.shape, values)

    def whole_columns(self, values_BCE: Tensor) -> Tensor:
        """Drop whole embedded columns of a row."""
        if self._off:
            return values_BCE
        return values_BCE * self._keep((*values_BCE.shape[:2], 1), values_BCE)

    @property
    def _off(self) -> bool:
        return self.generator is None or self.share <= 0

    def _keep(self, shape: Sequence[int], like: Tensor) -> Tensor:
        count = math.prod(shape)
        words = torch.empty(-(-count // 8), dtype=torch.int64, device=like.device)
        words.random_(-(2**63), None, generator=self.generator)
        # Eight bytes of each word decide eight values: much faster than one draw for each.
        level = min(255, round(256 * self.share))
        keep = words.view(torch.uint8)[:count].view(tuple(shape)) >= level
        return keep.to(like.dtype).mul_(256 / (256 - level))


class Heads(nn.Module):
    """Last layers, grouped by padded size so that each group is one batched product.

    Args:
        cardinalities: Codes of each column.
        width: Hidden width of a column.
    """

    def __init__(self, cardinalities: Sequence[int], width: int) -> None:
        super().__init__()
        self.cardinalities = tuple(cardinalities)
        sizes = [padded_size(k) for k in self.cardinalities]
        self.groups = [[c for c, size in enumerate(sizes) if size == wanted] for wanted in sorted(set(sizes))]
        self.padded = sorted(set(sizes))
        self.place = {c: (g, i) for g, group in enumerate(self.groups) for i, c in enumerate(group)}
        grouped_C = np.array(list(chain.from_iterable(self.groups)), dtype=np.int64)
        self.register_buffer("grouped_C", torch.from_numpy(grouped_C), persistent=False)
        self.register_buffer("given_C", torch.from_numpy(np.argsort(grouped_C)), persistent=False)
        self.grouped_C: Tensor
        self.given_C: Tensor
        self.weights = nn.ParameterList(
            nn.Parameter(torch.zeros(len(group), width, size)) for group, size in self._sized()
        )
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(len(group), 1, size)) for group, size in self._sized()
        )
        for number, (group, size) in enumerate(self._sized()):
            outside = torch.zeros(len(group), 1, size)
            for i, c in enumerate(group):
                outside[i, 0, self.cardinalities[c] :] = _NEVER
            self.register_buffer(f"outside_{number}", outside, persistent=False)

    def _sized(self) -> list[tuple[list[int], int]]:
        return list(zip(self.groups, self.padded, strict=True))

    def outside(self, group: int) -> Tensor:
        """Give what bars the padding of a group, shape (G, 1, K)."""
        barred: Tensor = getattr(self, f"outside_{group}")
        return barred

    def add_to_bias(self, column: int, change_K: Tensor) -> None:
        """Raise or lower the logits of one column's codes for every row."""
        group, i = self.place[column]
        with torch.no_grad():
            self.biases[group][i, 0, : self.cardinalities[column]] += change_K

    def start_at(self, codes_RC: IntArray) -> None:
        """Set the biases to the log-frequencies of the codes."""
        with torch.no_grad():
            for c, size in enumerate(self.cardinalities):
                counts_K = np.bincount(codes_RC[:, c], minlength=size) + min(0.1, 1 / size)
                group, i = self.place[c]
                self.biases[group][i, 0, :size] = torch.from_numpy(np.log(counts_K / counts_K.sum()))

    def column(self, c: int) -> tuple[Tensor, Tensor]:
        """Give weight (H, K) and bias (K,) of one column."""
        group, i = self.place[c]
        size = self.cardinalities[c]
        return self.weights[group][i, :, :size], self.biases[group][i, 0, :size]

    def logits(
        self, hidden_CBH: Tensor, echo_CBJ: Tensor | None, history: History | None
    ) -> Iterator[Tensor]:
        """Give the logits of each group of columns, shape (G, B, K), padded."""
        grouped_CBH = rearrange(hidden_CBH, self.grouped_C, self.given_C)
        parts = torch.split(grouped_CBH, [len(group) for group in self.groups])
        for number, (group, hidden_GBH) in enumerate(zip(self.groups, parts, strict=True)):
            bias = self.biases[number] + self.outside(number)
            logits_GBK = torch.baddbmm(bias, hidden_GBH, self.weights[number])
            if echo_CBJ is not None and history is not None:
                logits_GBK = add_echo(
                    logits_GBK, echo_CBJ[group], history.previous_BC[:, group], history.known_B
                )
            yield logits_GBK

    def losses(
        self, hidden_CBH: Tensor, codes_BC: Tensor, echo_CBJ: Tensor | None, history: History | None
    ) -> Tensor:
        """Give the negative log-likelihood of each column and row, shape (C, B)."""
        if not self.groups:
            return hidden_CBH.new_zeros(0, len(codes_BC))
        codes_CB1 = codes_BC.T[self.grouped_C].unsqueeze(2)
        parts = torch.split(codes_CB1, [len(group) for group in self.groups])
        logits = self.logits(hidden_CBH, echo_CBJ, history)
        losses_CB = torch.cat(
            [code_loss(logits_GBK, codes_GB1) for logits_GBK, codes_GB1 in zip(logits, parts, strict=True)]
        )
        return rearrange(losses_CB, self.given_C, self.grouped_C)


class _Rearrange(torch.autograd.Function):
    """A permutation of the first dimension; the way back is the permutation back, without zeros and sums."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, order_C: Tensor, back_C: Tensor) -> Tensor:
        """Take the values in order."""
        ctx.save_for_backward(back_C)
        return values.index_select(0, order_C)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Put the gradients back."""
        (back_C,) = ctx.saved_tensors
        return gradients[0].index_select(0, back_C), None, None


def rearrange(values: Tensor, order_C: Tensor, back_C: Tensor) -> Tensor:
    """Give ``values[order_C]``; ``back_C`` is the inverse of the permutation ``order_C``."""
    rearranged: Tensor = _Rearrange.apply(values, order_C, back_C)  # type: ignore[no-untyped-call]
    return rearranged


class _CodeLoss(torch.autograd.Function):
    """Cross-entropy that exponentiates once and keeps the chances for the way back."""

    @staticmethod
    def forward(ctx: Any, logits_GBK: Tensor, wanted_GB1: Tensor) -> Tensor:
        """Give the loss of each row."""
        chance_GBK = torch.softmax(logits_GBK, 2)
        ctx.save_for_backward(chance_GBK, wanted_GB1)
        return chance_GBK.gather(2, wanted_GB1).squeeze(2).clamp_(min=_LEAST_CHANCE).log_().neg_()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Give chance minus one for the wanted code and chance for the others, times the gradient."""
        chance_GBK, wanted_GB1 = ctx.saved_tensors
        gradient_GB1 = gradients[0].unsqueeze(2)
        change_GBK = chance_GBK * gradient_GB1
        return change_GBK.scatter_add_(2, wanted_GB1, -gradient_GB1), None


def code_loss(logits_GBK: Tensor, wanted_GB1: Tensor) -> Tensor:
    """Give the negative log-likelihood of the wanted codes, shape (G, B), at most 69 nats each."""
    loss_GB: Tensor = _CodeLoss.apply(logits_GBK, wanted_GB1)  # type: ignore[no-untyped-call]
    return loss_GB


def add_echo(logits_GBK: Tensor, echo_GBJ: Tensor, previous_BG: Tensor, known_B: Tensor) -> Tensor:
    """Raise or lower the codes at and beside the previous row's code.

    Args:
        logits_GBK: Logits.
        echo_GBJ: What to add for each shift of ``ECHO_SHIFTS``.
        previous_BG: Codes of the previous row.
        known_B: Whether there is a previous row.
    """
    shifts_J = torch.tensor(ECHO_SHIFTS, device=logits_GBK.device)
    place_GBJ = previous_BG.T.unsqueeze(2) + shifts_J
    inside = (place_GBJ >= 0) & (place_GBJ < logits_GBK.shape[2]) & known_B[:, None]
    changed_GBK: Tensor = logits_GBK.scatter_add(
        2, place_GBJ.clamp(0, logits_GBK.shape[2] - 1), echo_GBJ * inside
    )
    return changed_GBK


def _scaled(shape: tuple[int, ...], inputs: float, generator: torch.Generator) -> Tensor:
    weight: Tensor = torch.randn(shape, generator=generator) / math.sqrt(max(inputs, 1.0))
    return weight
