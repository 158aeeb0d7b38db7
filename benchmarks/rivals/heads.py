"""Heads for columns on a line: a mixture of logistics, or a spline, and spikes, over the same codes.

A code on the line is a stretch of it, as wide as the share of the training rows that hold it; its chance is
what a distribution on the line puts there. Codes without a place, and those that many rows hold, are spikes
with chances of their own. All other columns keep the engine's heads.
Shape letters: B batch rows, C sub-columns, K codes, G columns with such a head, H hidden, E edges of
stretches, P numbers that describe a distribution, S spikes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kinsynth.encoded import IntArray, SubColumn
from kinsynth.engine.context import History
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.tabular import Heads, TabularNetwork, code_loss
from rivals.spreads import FLOOR, SPREADS

FEWEST_PLACES = 12
SPIKES = 8
SPIKE_SHARE = 0.02
_NOWHERE = 2  # codes without a place: missing and other


def edges_of(sub: SubColumn) -> np.ndarray:
    """Give where the stretch of each code ends on the line, shape (K,); codes without a place have none.

    A place is the middle of its stretch, and the first stretch begins at 0.
    """
    assert sub.position_K is not None
    ends_K, end = np.zeros(sub.cardinality), 0.0
    for code, middle in enumerate(sub.position_K.astype(np.float64)):
        end = end if np.isnan(middle) else min(max(end, 2 * middle - end), 1.0)
        ends_K[code] = end
    return ends_K


def is_line(sub: SubColumn) -> bool:
    """Say whether a column gets such a head."""
    return sub.position_K is not None and int((~np.isnan(sub.position_K)).sum()) >= FEWEST_PLACES


class LineHeads(Heads):
    """The engine's heads, of which those of columns on a line are others.

    Calibration moves the biases of codes as in all heads; training does not.

    Args:
        subs: The sub-columns.
        width: Hidden width of a column.
        spread: What is spread over the line: ``logistic`` or ``spline``.
    """

    def __init__(self, subs: Sequence[SubColumn], width: int, spread: str) -> None:
        super().__init__([sub.cardinality for sub in subs], width)
        self.spread, even_P = SPREADS[spread]
        self.lines = [c for c, sub in enumerate(subs) if is_line(sub)]
        self.positions = {c: subs[c].position_K for c in self.lines}
        start_P = torch.cat([even_P, torch.zeros(1 + SPIKES + _NOWHERE)])
        for c in self.lines:
            ends_K = edges_of(subs[c])
            edges_E = torch.from_numpy(np.concatenate([[0.0], ends_K])).float()
            self.register_buffer(f"edges_{c}", edges_E, persistent=False)
            self.register_buffer(f"spikes_{c}", torch.zeros(0, dtype=torch.int64))
        self.line_weights = nn.ParameterList(
            nn.Parameter(torch.zeros(width, len(start_P))) for _ in self.lines
        )
        self.line_biases = nn.ParameterList(nn.Parameter(start_P.clone()) for _ in self.lines)

    def start_at(self, codes_RC: IntArray) -> None:
        """Set the biases of the other heads and of the spikes to log-frequencies; choose the spikes."""
        super().start_at(codes_RC)
        for c, bias_P in zip(self.lines, self.line_biases, strict=True):
            count_K = np.bincount(codes_RC[:, c], minlength=self.cardinalities[c])
            width_K = np.diff(getattr(self, f"edges_{c}").numpy())
            nowhere = np.flatnonzero(np.isnan(self.positions[c]))
            often = np.argsort(-count_K, kind="stable")[:SPIKES]
            often = often[(count_K[often] >= SPIKE_SHARE * len(codes_RC)) & (width_K[often] > 0)]
            spikes_S = np.concatenate([nowhere, often]).astype(np.int64)
            setattr(self, f"spikes_{c}", torch.from_numpy(spikes_S))
            line = max(int(count_K.sum() - count_K[spikes_S].sum()), 1)
            with torch.no_grad():
                group, i = self.place[c]
                self.biases[group][i, 0, : self.cardinalities[c]] = 0
                first = len(bias_P) - 1 - SPIKES - _NOWHERE
                start_S = torch.from_numpy(np.log((count_K[spikes_S] + 0.1) / line)).float()
                bias_P[first + 1 : first + 1 + len(spikes_S)] = start_S

    def logits(
        self, hidden_CBH: Tensor, echo_CBJ: Tensor | None, history: History | None
    ) -> Iterator[Tensor]:
        """Give the logits of each group of columns, shape (G, B, K), padded."""
        assert echo_CBJ is None, "only root tables"
        assert history is None, "only root tables"
        for number, (group, size) in enumerate(self._sized()):
            bias_G1K = self.biases[number] + self.outside(number)
            plain_GBK = torch.baddbmm(bias_G1K, hidden_CBH[group], self.weights[number])
            rows = list(plain_GBK)
            for i, c in enumerate(group):
                if c in self.lines:
                    log_BK = self.log_chances(c, hidden_CBH[c])
                    padded_BK = functional.pad(log_BK, (0, size - log_BK.shape[1]))
                    # Training leaves these biases at 0: only calibration moves them.
                    rows[i] = padded_BK + bias_G1K[i].detach()
            yield torch.stack(rows)

    def column_logits(self, column: int, hidden_BH: Tensor) -> Tensor:
        """Give the logits of one column's codes, shape (B, K)."""
        weight_HK, bias_K = self.column(column)
        if column in self.lines:
            return self.log_chances(column, hidden_BH) + bias_K
        return torch.addmm(bias_K, hidden_BH, weight_HK)

    def losses(
        self, hidden_CBH: Tensor, codes_BC: Tensor, echo_CBJ: Tensor | None, history: History | None
    ) -> Tensor:
        """Give the negative log-likelihood of each column and row, shape (C, B)."""
        if not torch.is_grad_enabled():
            return super().losses(hidden_CBH, codes_BC, echo_CBJ, history)
        losses: dict[int, Tensor] = {}
        for number, group in enumerate(self.groups):
            if plain := [i for i, c in enumerate(group) if c not in self.lines]:
                here, bias_G1K = [group[i] for i in plain], self.biases[number] + self.outside(number)
                logits_GBK = torch.baddbmm(bias_G1K[plain], hidden_CBH[here], self.weights[number][plain])
                loss_GB = code_loss(logits_GBK, codes_BC[:, here].T.unsqueeze(2))
                losses.update(zip(here, loss_GB, strict=True))
        for c in self.lines:
            losses[c] = self.line_loss(c, hidden_CBH[c], codes_BC[:, c])
        return torch.stack([losses[c] for c in range(len(self.cardinalities))])

    def line_loss(self, column: int, hidden_BH: Tensor, code_B: Tensor) -> Tensor:
        """Give the negative log-likelihood of one column on a line from one stretch alone, shape (B,)."""
        line_BP, kind_BS = self.describe(column, hidden_BH)
        edges_E, spikes_S = getattr(self, f"edges_{column}"), getattr(self, f"spikes_{column}")
        before_B2 = self.spread(line_BP, torch.stack([edges_E[code_B], edges_E[code_B + 1]], 1))
        chance_B = kind_BS[:, 0] * (before_B2[:, 1] - before_B2[:, 0]).clamp(min=0)
        chance_B = chance_B + (kind_BS[:, 1:] * (code_B[:, None] == spikes_S)).sum(1)
        return -torch.log(chance_B + FLOOR)

    def log_chances(self, column: int, hidden_BH: Tensor) -> Tensor:
        """Give the logarithm of the chances of the codes of a column on a line, shape (B, K)."""
        line_BP, kind_BS = self.describe(column, hidden_BH)
        edges_E, spikes_S = getattr(self, f"edges_{column}"), getattr(self, f"spikes_{column}")
        before_BE = self.spread(line_BP, edges_E.expand(len(line_BP), -1))
        chance_BK = kind_BS[:, :1] * before_BE.diff(dim=1).clamp(min=0)
        chance_BK = chance_BK.index_add(1, spikes_S, kind_BS[:, 1:])
        # Not quite nothing anywhere; what is drawn from it is one row in ten thousand or less.
        return torch.log(chance_BK + FLOOR)

    def describe(self, column: int, hidden_BH: Tensor) -> tuple[Tensor, Tensor]:
        """Give the numbers of the distribution on the line, and the chances of the line and the spikes."""
        which, spikes = self.lines.index(column), len(getattr(self, f"spikes_{column}"))
        numbers_BP = torch.addmm(self.line_biases[which], hidden_BH, self.line_weights[which])
        first = numbers_BP.shape[1] - 1 - SPIKES - _NOWHERE
        return numbers_BP[:, :first], torch.softmax(numbers_BP[:, first : first + 1 + spikes], 1)


class LineNetwork(TabularNetwork):
    """The engine's network with other heads for columns on a line; only for root tables."""

    def __init__(
        self, layout: TableLayout, plan: TablePlan, generator: torch.Generator, *, spread: str
    ) -> None:
        super().__init__(layout, plan, generator)
        self.heads = LineHeads(layout.sub_columns, self.width, spread)

    def begin(self, rows: int) -> Begun:
        """Begin rows."""
        return Begun(self, rows)


class Begun:
    """Rows drawn up to some column."""

    def __init__(self, network: TabularNetwork, rows: int) -> None:
        self._network, self._inputs = network, network.embedding.free.shape[1]
        self._known_BX = torch.zeros(rows, network.columns * self._inputs)

    def logits(self, column: int) -> Tensor:
        """Give the logits of a column's codes, shape (B, K)."""
        network, seen = self._network, column * self._inputs
        own = slice(column * network.width, (column + 1) * network.width)
        first_XH = network.first.part(column, column + 1, slice(0, seen))
        before_BH = torch.addmm(network.first.bias[own], self._known_BX[:, :seen], first_XH)
        hidden_BH = functional.silu(before_BH)
        for weight, bias in zip(network.deep, network.deep_bias, strict=True):
            hidden_BH = hidden_BH + functional.silu(torch.addmm(bias[column], hidden_BH, weight[column]))
        heads = network.heads
        if isinstance(heads, LineHeads):
            return heads.column_logits(column, hidden_BH)
        weight_HK, bias_K = heads.column(column)
        return torch.addmm(bias_K, hidden_BH, weight_HK)

    def put(self, column: int, code_B: Tensor) -> None:
        """Set the codes of a column."""
        here = slice(column * self._inputs, (column + 1) * self._inputs)
        self._known_BX[:, here] = self._network.embedding.table(column)[code_B]


def line_heads(spread: str) -> partial[LineNetwork]:
    """Give what makes a network with heads of one kind."""
    return partial(LineNetwork, spread=spread)
