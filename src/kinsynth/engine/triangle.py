"""The product with a weight in which columns look at earlier ones only, without most of its zeros.

The columns are cut into blocks: a block multiplies what stands before its end and nothing of what follows, so
that little more than half of the work is left, on the way there and on the way back.
Shape letters: B batch rows, X inputs of all columns, Y outputs of all columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

BLOCK_COLUMNS = 12
MOST_BLOCKS = 8


def triangular_product(inputs_BX: Tensor, weight_XY: Tensor, bias_Y: Tensor, columns: int) -> Tensor:
    """Give ``inputs @ weight + bias``, shape (B, Y).

    Args:
        inputs_BX: Inputs, as many for each column.
        weight_XY: Weight; zero wherever an input of a column meets an output of the same or an earlier one.
        bias_Y: Bias.
        columns: Number of columns.
    """
    product_BY: Tensor = _TriangularProduct.apply(inputs_BX, weight_XY, bias_Y, columns)  # type: ignore[no-untyped-call]
    return product_BY


def cut_blocks(columns: int, inputs: int, outputs: int) -> Iterator[tuple[slice, slice]]:
    """Give, for each block of columns, the inputs it looks at and its outputs.

    >>> list(cut_blocks(24, 48, 96))
    [(slice(0, 24, None), slice(0, 48, None)), (slice(0, 48, None), slice(48, 96, None))]
    """
    blocks = max(1, min(MOST_BLOCKS, columns // BLOCK_COLUMNS))
    ends = [columns * (number + 1) // blocks for number in range(blocks)]
    for begin, end in zip([0, *ends], ends, strict=False):
        yield slice(0, end * inputs // columns), slice(begin * outputs // columns, end * outputs // columns)


class _TriangularProduct(torch.autograd.Function):
    """Product by blocks, both ways."""

    @staticmethod
    def forward(ctx: Any, inputs_BX: Tensor, weight_XY: Tensor, bias_Y: Tensor, columns: int) -> Tensor:
        """Multiply block by block."""
        ctx.save_for_backward(inputs_BX, weight_XY)
        ctx.columns = columns
        product_BY = inputs_BX.new_empty(len(inputs_BX), weight_XY.shape[1])
        for seen, made in cut_blocks(columns, *weight_XY.shape):
            product_BY[:, made] = torch.addmm(bias_Y[made], inputs_BX[:, seen], weight_XY[seen, made])
        return product_BY

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Give the gradients of inputs, weight and bias."""
        inputs_BX, weight_XY = ctx.saved_tensors
        gradient_BY = gradients[0]
        inputs_gradient, weight_gradient = torch.zeros_like(inputs_BX), torch.zeros_like(weight_XY)
        for seen, made in cut_blocks(ctx.columns, *weight_XY.shape):
            inputs_gradient[:, seen].addmm_(gradient_BY[:, made], weight_XY[seen, made].T)
            weight_gradient[seen, made] = inputs_BX[:, seen].T @ gradient_BY[:, made]
        return inputs_gradient, weight_gradient, gradient_BY.sum(0), None
