"""A causal transformer over the codes of a row: one token for each sub-column, and one that begins the row.

Shape letters: B batch rows, C sub-columns, K codes, E width, A attention heads, D width of one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from kinsynth.engine.embedding import CodeEmbedding
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.tabular import Batch, Dropout, Heads

WIDTH, LAYERS, ATTENTION_HEADS, GROWTH = 64, 2, 4, 4


class Transformer(nn.Module):
    """Chances of each code given the codes before, by attention.

    Pre-norm layers; the output at a token predicts the next token's code by a head of its own column.
    """

    def __init__(self, layout: TableLayout, _plan: TablePlan, generator: torch.Generator) -> None:
        super().__init__()
        subs = layout.sub_columns
        self.columns = len(subs)
        self.embedding = CodeEmbedding(subs, WIDTH, generator)
        self.place_embedding = nn.Parameter(torch.randn(self.columns, WIDTH, generator=generator) * 0.5)
        self.layers = nn.ModuleList(_Layer(generator) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.heads = Heads([sub.cardinality for sub in subs], WIDTH)

    def forward(self, batch: Batch, dropout: Dropout | None = None) -> Tensor:
        """Give the negative log-likelihood of each column and row, shape (C, B), in nats."""
        hidden_CBE = self._hidden(batch.codes_BC, dropout or Dropout(0.0, None))
        return self.heads.losses(hidden_CBE, batch.codes_BC, None, None)

    def chances(self, batch: Batch) -> list[Tensor]:
        """Give the chances of the codes of each column, one tensor (B, K) each."""
        hidden_CBE = self._hidden(batch.codes_BC, Dropout(0.0, None))
        chances = []
        for c in range(self.columns):
            weight_EK, bias_K = self.heads.column(c)
            chances.append(torch.softmax(torch.addmm(bias_K, hidden_CBE[c], weight_EK), 1))
        return chances

    def _hidden(self, codes_BC: Tensor, drop: Dropout) -> Tensor:
        embedded_BCE = drop.whole_columns(self.embedding(codes_BC))
        known_BCE = functional.pad(embedded_BCE, (0, 0, 1, 0))[:, :-1]
        tokens_BCE = known_BCE + self.place_embedding
        for layer in self.layers:
            tokens_BCE = layer(tokens_BCE)
        return self.norm(tokens_BCE).transpose(0, 1)

    def begin(self, rows: int) -> Begun:
        """Begin rows."""
        return Begun(self, rows)


class Begun:
    """Rows drawn up to some column; keys and values of their tokens are kept."""

    def __init__(self, network: Transformer, rows: int) -> None:
        self._network = network
        self._known_BE = torch.zeros(rows, WIDTH)
        self._kept: list[list[Tensor]] = [[] for _ in network.layers]

    def logits(self, column: int) -> Tensor:
        """Give the logits of a column's codes, shape (B, K)."""
        token_B1E = (self._known_BE + self._network.place_embedding[column]).unsqueeze(1)
        for layer, kept in zip(self._network.layers, self._kept, strict=True):
            token_B1E = layer(token_B1E, kept)
        weight_EK, bias_K = self._network.heads.column(column)
        return torch.addmm(bias_K, self._network.norm(token_B1E[:, 0]), weight_EK)

    def put(self, column: int, code_B: Tensor) -> None:
        """Set the codes of a column."""
        self._known_BE = self._network.embedding.table(column)[code_B]


class _Layer(nn.Module):
    """Attention, then a small network; both beside what they change."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.norm, self.norm_after = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.ask = _matrix((WIDTH, 3 * WIDTH), generator)
        self.answer = _matrix((WIDTH, WIDTH), generator)
        self.wide = _matrix((WIDTH, GROWTH * WIDTH), generator)
        self.wide_bias = nn.Parameter(torch.zeros(GROWTH * WIDTH))
        self.narrow = _matrix((GROWTH * WIDTH, WIDTH), generator)
        self.narrow_bias = nn.Parameter(torch.zeros(WIDTH))

    def forward(self, tokens_BCE: Tensor, kept: list[Tensor] | None = None) -> Tensor:
        """Change tokens; with ``kept``, one token each that looks at all that were kept and is kept."""
        asked_BAC3D = (self.norm(tokens_BCE) @ self.ask).unflatten(2, (ATTENTION_HEADS, -1)).transpose(1, 2)
        query, key, value = asked_BAC3D.chunk(3, 3)
        if kept is not None:
            kept.append(torch.stack([key, value]))
            key, value = torch.cat(kept, 3)
        seen_BACD = functional.scaled_dot_product_attention(query, key, value, is_causal=kept is None)
        tokens_BCE = tokens_BCE + seen_BACD.transpose(1, 2).flatten(2) @ self.answer
        wide = functional.silu(self.norm_after(tokens_BCE) @ self.wide + self.wide_bias)
        return tokens_BCE + wide @ self.narrow + self.narrow_bias


def _matrix(shape: Sequence[int], generator: torch.Generator) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, generator=generator) / shape[0] ** 0.5)
