"""The layer by blocks is the plain masked product, both ways, and each of its parts."""

from __future__ import annotations

import pytest
import torch

from kinsynth.engine.blocks import block_weights
from kinsynth.engine.triangle import TriangularLayer

COLUMNS = [1, 2, 23, 24, 37, 130]


def make(columns):
    generator = torch.Generator().manual_seed(columns)
    inputs = torch.randn(7, columns * 3, generator=generator, dtype=torch.float64, requires_grad=True)
    mask = torch.ones(columns, columns).triu(1).repeat_interleave(3, 0).repeat_interleave(5, 1)
    weight = torch.randn(columns * 3, columns * 5, generator=generator, dtype=torch.float64)
    layer = TriangularLayer(weight, width=3, hidden=5).double()
    torch.nn.init.normal_(layer.bias, generator=generator)
    return layer, inputs, (weight * mask).requires_grad_(), mask, generator


def cut(layer, gradients):
    """Put the gradients of the blocks into one matrix, as the weights are."""
    for weight, gradient in zip(layer.blocks, gradients, strict=True):
        weight.data.copy_(gradient)
    return layer.part(0, layer.cut[-1].end, slice(0, layer.cut[-1].end * layer.width))


@pytest.mark.parametrize("columns", COLUMNS)
def test_blocks_equal_the_whole_product(columns):
    layer, inputs, weight, mask, generator = make(columns)
    wanted = torch.addmm(layer.bias, inputs, weight).view(7, columns, 5).transpose(0, 1)
    found = layer(inputs)
    assert torch.allclose(wanted, found, atol=1e-12)
    pull = torch.randn(wanted.shape, generator=generator, dtype=torch.float64)
    ours = torch.autograd.grad(found, (inputs, layer.bias, *layer.blocks), pull)
    theirs = torch.autograd.grad(wanted, (inputs, layer.bias, weight), pull)
    assert torch.allclose(ours[0], theirs[0], atol=1e-12)
    assert torch.allclose(ours[1], theirs[1], atol=1e-12)
    assert torch.allclose(cut(layer, ours[2:]), theirs[2] * mask, atol=1e-12)


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_part_is_cut_out_of_the_whole_weight(columns):
    layer, _, weight, _, _ = make(columns)
    first, last = columns // 3, columns
    for inputs in (slice(0, 3 * first), slice(3 * first, 3 * columns), slice(0, 3 * columns)):
        assert torch.equal(layer.part(first, last, inputs), weight[inputs, 5 * first : 5 * last])


@pytest.mark.parametrize("columns", COLUMNS)
def test_the_weights_of_the_blocks_are_counted(columns):
    layer, *_ = make(columns)
    assert sum(block.numel() for block in layer.blocks) == block_weights(columns, 3, 5)
