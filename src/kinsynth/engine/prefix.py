"""Prefix: rows of one table drawn up to some column, and the chances of the codes that come next.

This is all that drawing knows of the network.
Shape letters: B rows, C sub-columns, K codes, E embedding, H hidden, T trunk, X all embedded columns.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.context import History
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.tabular import TabularNetwork, add_echo


class Columns:
    """The weights of all columns of one table, cut out of its network.

    Args:
        model: The table's model.
        temperature: 1 gives the learned chances, less makes likely codes likelier.
    """

    def __init__(self, model: TableModel, temperature: float) -> None:
        self.network, self.temperature = model.network, temperature
        self.count = model.network.columns
        self.width = model.network.embedding.free.shape[1]
        self.weights = [_Column(model.network, c) for c in range(self.count)]
        self.barred = [forbidden_of(model.layout, c) for c in range(self.count)]

    def begin(self, rows: int, trunk_BT: Tensor | None = None, history: History | None = None) -> Prefix:
        """Begin rows; those of a child table with what their parents and earlier rows say."""
        return Prefix(self, rows, trunk_BT, history)


class Prefix:
    """Rows drawn up to some column.

    Attributes:
        codes_BC: The codes put so far, int64.
    """

    def __init__(self, columns: Columns, rows: int, trunk_BT: Tensor | None, history: History | None) -> None:
        self._columns, self._trunk_BT, self._history = columns, trunk_BT, history
        self.codes_BC = torch.zeros(rows, columns.count, dtype=torch.int64)
        self._embedded_BX = torch.zeros(rows, columns.count * columns.width)

    def logits(self, column: int) -> Tensor:
        """Give the logits of a column's codes given all columns before it, shape (B, K)."""
        width = self._columns.width
        weights = self._columns.weights[column]
        logits_BK = weights.logits(self._embedded_BX[:, : column * width], self._trunk_BT, self._history)
        return logits_BK / self._columns.temperature

    def put(self, column: int, code_B: Tensor) -> None:
        """Set the codes of a column."""
        width = self._columns.width
        self.codes_BC[:, column] = code_B
        embedded_BE = self._columns.weights[column].table_KE[code_B]
        if self._history is not None:
            repeated_B = (code_B == self._history.previous_BC[:, column]) & self._history.known_B
            embedded_BE = embedded_BE + repeated_B[:, None] * self._columns.network.repeated[column]
        self._embedded_BX[:, column * width : (column + 1) * width] = embedded_BE

    def copy_rows(self, into: Tensor, source: Tensor, *, columns: int) -> None:
        """Let some rows go on from the first columns of others that share their parent and earlier rows."""
        self.codes_BC[into, :columns] = self.codes_BC[source, :columns]
        end = columns * self._columns.width
        self._embedded_BX[into, :end] = self._embedded_BX[source, :end]


def forbidden_of(layout: TableLayout, column: int) -> Tensor:
    """Give minus infinity for the codes that must never be drawn, zero for the others, shape (K,)."""
    sub = layout.sub_columns[column]
    barred_K = torch.zeros(sub.cardinality)
    if sub.forbidden_K is not None:
        barred_K[torch.from_numpy(sub.forbidden_K)] = -torch.inf
    return barred_K


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
    """The weights of one column."""

    def __init__(self, network: TabularNetwork, column: int) -> None:
        with torch.no_grad():
            here = slice(column * network.width, (column + 1) * network.width)
            before = column * network.embedding.free.shape[1]
            self.number = column
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

    def logits(self, embedded_BX: Tensor, trunk_BT: Tensor | None, history: History | None) -> Tensor:
        """Give the logits of this column's codes, shape (B, K)."""
        before_BH = torch.addmm(self.first_bias, embedded_BX, self.first)
        if trunk_BT is not None:
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
