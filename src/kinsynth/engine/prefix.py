"""Prefix: rows of one table drawn up to some column, and the chances of the codes that come next.

This is all that drawing knows of the network.
Shape letters: B rows, C sub-columns, K codes, E embedding, H hidden, T trunk, G columns of a group,
X embedded columns, Y hidden of columns.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kinsynth.engine.apart import Earlier, OnlyTogether, Unlike
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.context import History
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.staying import Told
from kinsynth.engine.tabular import TabularNetwork, add_echo

GROUP = 16
LANES = 16


class Columns:
    """The weights of all columns of one table, cut out of its network.

    The first layer is linear: what a code adds to the columns after it is looked up within a group of
    columns, and one product at the start of each group adds what the columns of earlier groups say.

    Args:
        model: The table's model.
        temperature: 1 gives the learned chances, less makes likely codes likelier.
    """

    def __init__(self, model: TableModel, temperature: float) -> None:
        network = model.network
        self.count, self.hidden = network.columns, network.width
        self.width = network.embedding.free.shape[1]
        self.barred = [forbidden_of(model.layout, c) for c in range(self.count)]
        self.even = [sub.even_K for sub in model.layout.sub_columns]
        self.weights = [_Column(network, c, temperature) for c in range(self.count)]
        with torch.no_grad():
            self.starts = [_GroupStart(network, c) for c in range(0, self.count, GROUP)]
        sizes = [sub.cardinality for sub in model.layout.sub_columns]
        self.within: tuple[Unlike | OnlyTogether, ...] = (
            *(Unlike(first, second, sizes) for first, second in model.layout.unlike),
            *(OnlyTogether(pair, sizes) for pair in model.layout.together),
        )

    def begin(
        self,
        rows: int,
        trunk_BT: Tensor | None = None,
        history: History | None = None,
        *,
        earlier: Earlier | None = None,
        told: Told | None = None,
    ) -> Prefix:
        """Begin rows, with what their parents, their earlier rows and what they point to say."""
        return Prefix(self, rows, trunk_BT, history, earlier=earlier, told=told)


class Prefix:
    """Rows drawn up to some column.

    Attributes:
        codes_BC: The codes put so far, int64.
    """

    def __init__(
        self,
        columns: Columns,
        rows: int,
        trunk_BT: Tensor | None,
        history: History | None,
        *,
        earlier: Earlier | None = None,
        told: Told | None = None,
    ) -> None:
        self._columns, self._trunk_BT, self._history = columns, trunk_BT, history
        self._earlier, self._told = earlier, told
        self.codes_BC = torch.zeros(rows, columns.count, dtype=torch.int64)
        # What the columns of earlier groups say; the last group needs none of its own.
        embedded = (len(columns.starts) - 1) * GROUP
        self._embedded_BX = torch.zeros(rows, max(embedded, 0) * columns.width)
        self._before_BY = torch.zeros(rows, 0)

    def logits(self, column: int) -> Tensor:
        """Give the logits of a column's codes given all columns before it, shape (B, K), padded."""
        group, place = divmod(column, GROUP)
        if place == 0:
            self._before_BY = self._columns.starts[group].of(self._embedded_BX, self._trunk_BT)
        here = slice(place * self._columns.hidden, (place + 1) * self._columns.hidden)
        logits_BK = self._columns.weights[column].logits(self._before_BY[:, here], self._history)
        for bound in self._columns.within:
            logits_BK = bound.bar(column, logits_BK, self.codes_BC)
        if self._earlier is not None:
            logits_BK = self._earlier.bar(column, logits_BK, self.codes_BC)
        return logits_BK if self._told is None else self._told.bend(column, logits_BK)

    def put(self, column: int, code_B: Tensor) -> None:
        """Set the codes of a column, whose logits were asked for."""
        self.codes_BC[:, column] = code_B
        weights = self._columns.weights[column]
        number_B = code_B
        if self._history is not None:
            repeated_B = (code_B == self._history.previous_BC[:, column]) & self._history.known_B
            number_B = code_B + repeated_B * weights.cardinality
        later = (column % GROUP + 1) * self._columns.hidden
        if later < self._before_BY.shape[1]:
            self._before_BY[:, later:] += functional.embedding(number_B, weights.added_KY)
        place = slice(column * self._columns.width, (column + 1) * self._columns.width)
        if place.start < self._embedded_BX.shape[1]:
            self._embedded_BX[:, place] = functional.embedding(number_B, weights.table_KE)

    def copy_rows(self, into: Tensor, source: Tensor, *, columns: int) -> None:
        """Let some rows go on from the first columns of others that share their parent and earlier rows."""
        self.codes_BC[into, :columns] = self.codes_BC[source, :columns]
        self._before_BY[into] = self._before_BY[source]
        end = columns * self._columns.width
        self._embedded_BX[into, :end] = self._embedded_BX[source, :end]


def forbidden_of(layout: TableLayout, column: int) -> Tensor:
    """Give minus infinity for the codes that must never be drawn, zero for the others, padded, shape (K,)."""
    sub = layout.sub_columns[column]
    barred_K = torch.zeros(sub.cardinality)
    if sub.forbidden_K is not None:
        barred_K[torch.from_numpy(sub.forbidden_K)] = -torch.inf
    return _padded(barred_K, -torch.inf)


def _padded(values: Tensor, filling: float) -> Tensor:
    """Lengthen the last dimension to whole lanes: torch is several times slower on rows of another length."""
    missing = -values.shape[-1] % LANES
    return functional.pad(values, (0, missing), value=filling).contiguous()


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
    return torch.searchsorted(heap_BK, wanted_B1, right=True).squeeze(1)


class _GroupStart:
    """What a group of columns begins with: the biases, the trunk, and the columns of earlier groups."""

    def __init__(self, network: TabularNetwork, first: int) -> None:
        last = min(first + GROUP, network.columns)
        here = slice(first * network.width, last * network.width)
        self._inputs = first * network.embedding.free.shape[1]
        self._bias_Y = network.first.bias[here]
        self._first = network.first.part(first, last, slice(0, self._inputs))
        self._trunk = network.trunk[:, here].contiguous() if network.has_trunk else None

    def of(self, embedded_BX: Tensor, trunk_BT: Tensor | None) -> Tensor:
        """Give the sums of the first layer, shape (B, G * H)."""
        before_BY = self._bias_Y.repeat(len(embedded_BX), 1)
        if self._inputs:
            before_BY.addmm_(embedded_BX[:, : self._inputs], self._first)
        if trunk_BT is not None and self._trunk is not None:
            before_BY.addmm_(trunk_BT, self._trunk)
        return before_BY


class _Column:
    """The weights of one column.

    Attributes:
        cardinality: Codes K.
        table_KE: Vector of each code; for a child table once more for codes that repeat the row before.
        added_KY: What each vector adds to the first layer of the later columns of the group.
    """

    def __init__(self, network: TabularNetwork, column: int, temperature: float) -> None:
        with torch.no_grad():
            width = network.embedding.free.shape[1]
            end = min(column - column % GROUP + GROUP, network.columns)
            self.number = column
            table_KE = network.embedding.table(column).detach()
            self.cardinality = len(table_KE)
            self.table_KE = (
                torch.cat([table_KE, table_KE + network.repeated[column]]) if network.child else table_KE
            )
            later = network.first.part(column + 1, end, slice(column * width, (column + 1) * width))
            self.added_KY = self.table_KE @ later
            self.deep = [
                (weight[column], bias[column])
                for weight, bias in zip(network.deep, network.deep_bias, strict=True)
            ]
            head, head_bias = network.heads.column(column)
            self.head = _padded(head / temperature, 0.0)
            self.head_bias = _padded(head_bias / temperature, -torch.inf)
            if network.child:
                self.echo = network.echo[column] / temperature
                self.echo_bias = network.echo_bias[column] / temperature

    def logits(self, before_BH: Tensor, history: History | None) -> Tensor:
        """Give the logits of this column's codes from its sums of the first layer, shape (B, K)."""
        hidden_BH = functional.silu(before_BH.contiguous())
        for weight, bias in self.deep:
            hidden_BH = hidden_BH + functional.silu(torch.addmm(bias, hidden_BH, weight))
        logits_BK = torch.addmm(self.head_bias, hidden_BH, self.head)
        if history is None:
            return logits_BK
        echo_BJ = torch.addmm(self.echo_bias, hidden_BH, self.echo)
        previous_B1 = history.previous_BC[:, self.number : self.number + 1]
        return add_echo(logits_BK.unsqueeze(0), echo_BJ.unsqueeze(0), previous_B1, history.known_B)[0]
