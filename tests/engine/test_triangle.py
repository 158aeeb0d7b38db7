"""The product by blocks is the plain masked product, both ways."""

from __future__ import annotations

import pytest
import torch

from kinsynth.engine.triangle import triangular_product


@pytest.mark.parametrize("columns", [1, 2, 23, 24, 37, 130])
def test_blocks_equal_the_whole_product(columns):
    generator = torch.Generator().manual_seed(columns)
    inputs = torch.randn(7, columns * 3, generator=generator, dtype=torch.float64, requires_grad=True)
    mask = torch.ones(columns, columns).triu(1).repeat_interleave(3, 0).repeat_interleave(5, 1)
    weight = torch.randn(columns * 3, columns * 5, generator=generator, dtype=torch.float64)
    weight.requires_grad_()
    bias = torch.randn(columns * 5, generator=generator, dtype=torch.float64, requires_grad=True)
    wanted = torch.addmm(bias, inputs, weight * mask)
    found = triangular_product(inputs, weight * mask, bias, columns)
    assert torch.allclose(wanted, found, atol=1e-12)
    pull = torch.randn(wanted.shape, generator=generator, dtype=torch.float64)
    several = (inputs, weight, bias)
    for one, other in zip(
        torch.autograd.grad(wanted, several, pull), torch.autograd.grad(found, several, pull), strict=True
    ):
        assert torch.allclose(one, other, atol=1e-12)
