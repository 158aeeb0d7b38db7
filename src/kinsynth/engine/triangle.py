"""A layer in which each column looks at earlier ones only, kept and computed without most of its zeros.

The columns are cut into blocks: a block has weights for what stands before its end and none for what follows,
so that little more than half of the weights and of the work is left, on the way there and on the way back.
Shape letters: B batch rows, C columns, H outputs of a column, X inputs of all columns, Y outputs of all
columns, I inputs that a block sees, O outputs of a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from kinsynth.engine.blocks import cut_blocks


class TriangularLayer(nn.Module):
    """Gives ``inputs @ weight + bias``, the weight zero where an input meets its own or an earlier column.

    Args:
        weight_XY: First weights; what stands at or before the diagonal is not used.
        width: Inputs of each column.
        hidden: Outputs of each column.
    """

    def __init__(self, weight_XY: Tensor, *, width: int, hidden: int) -> None:
        super().__init__()
        self.width, self.hidden = width, hidden
        self.cut = list(cut_blocks(len(weight_XY) // width))
        self.bias = nn.Parameter(torch.zeros(weight_XY.shape[1]))
        self.blocks = nn.ParameterList()
        for number, block in enumerate(self.cut):
            begin, end = block.begin * self.hidden, block.end * self.hidden
            weight_IO = weight_XY[: block.end * self.width, begin:end].clone()
            mask = torch.ones(block.columns, block.columns).triu(1)
            mask = mask.repeat_interleave(self.width, 0).repeat_interleave(self.hidden, 1)
            weight_IO[block.begin * self.width :] *= mask
            self.blocks.append(nn.Parameter(weight_IO))
            self.register_buffer(f"mask_{number}", mask, persistent=False)

    def forward(self, inputs_BX: Tensor) -> Tensor:
        """Give the outputs of each column, shape (C, B, H)."""
        masks = [getattr(self, f"mask_{number}") for number in range(len(self.cut))]
        product_CBH: Tensor = _TriangularProduct.apply(inputs_BX, self.bias, self.hidden, masks, *self.blocks)  # type: ignore[no-untyped-call]
        return product_CBH

    @torch.no_grad()
    def part(self, first: int, last: int, inputs: slice) -> Tensor:
        """Give the weights from some inputs to the columns ``first`` to ``last - 1``, zeros included."""
        whole = self.bias.new_zeros(inputs.stop - inputs.start, (last - first) * self.hidden)
        for block, weight_IO in zip(self.cut, self.blocks, strict=True):
            begin, end = max(first, block.begin), min(last, block.end)
            if begin >= end or inputs.start >= len(weight_IO):
                continue
            seen_IO = weight_IO[
                inputs, (begin - block.begin) * self.hidden : (end - block.begin) * self.hidden
            ]
            whole[: len(seen_IO), (begin - first) * self.hidden : (end - first) * self.hidden] = seen_IO
        return whole


class _TriangularProduct(torch.autograd.Function):
    """Product by blocks, both ways. The masked weights are zero, and get no gradient."""

    @staticmethod
    def forward(
        ctx: Any, inputs_BX: Tensor, bias_Y: Tensor, hidden: int, masks: Sequence[Tensor], *blocks: Tensor
    ) -> Tensor:
        """Multiply block by block."""
        ctx.save_for_backward(inputs_BX, *masks, *blocks)
        rows, begin = len(inputs_BX), 0
        product_CBH = inputs_BX.new_empty(len(bias_Y) // hidden, rows, hidden)
        for weight_IO in blocks:
            end = begin + weight_IO.shape[1]
            made_BO = torch.addmm(bias_Y[begin:end], inputs_BX[:, : len(weight_IO)], weight_IO)
            product_CBH[begin // hidden : end // hidden] = made_BO.view(rows, -1, hidden).transpose(0, 1)
            begin = end
        return product_CBH

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Give the gradients of inputs, bias and blocks."""
        inputs_BX, *kept = ctx.saved_tensors
        masks, blocks = kept[: len(kept) // 2], kept[len(kept) // 2 :]
        gradient_CBH, end = gradients[0], len(gradients[0])
        inputs_gradient_BX: Tensor | None = None
        weight_gradients: list[Tensor] = []
        for mask, weight_IO in zip(reversed(masks), reversed(blocks), strict=True):
            seen, begin = len(weight_IO), end - weight_IO.shape[1] // gradient_CBH.shape[2]
            made_BO = gradient_CBH[begin:end].transpose(0, 1).flatten(1)
            if inputs_gradient_BX is None:  # the last block sees all inputs
                inputs_gradient_BX = made_BO @ weight_IO.T
            else:
                inputs_gradient_BX[:, :seen].addmm_(made_BO, weight_IO.T)
            weight_gradients.append(inputs_BX[:, :seen].T @ made_BO)
            weight_gradients[-1][seen - len(mask) :] *= mask
            end = begin
        bias_gradient_Y = gradient_CBH.sum(1).flatten()
        return inputs_gradient_BX, bias_gradient_Y, None, None, *reversed(weight_gradients)
