"""Distributions on the line from 0 to 1, described by numbers a network gives: logistics, or a spline.

Shape letters: B batch rows, E edges, N parts of a line, P numbers that describe a distribution.

Sources:
    Salimans and others, "PixelCNN++", 2017, section 2.1 (discretised mixture of logistics).
    Durkan and others, "Neural spline flows", 2019, section 3.1 (monotone rational-quadratic splines).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

PARTS = 8
FLOOR = 1e-7
_LEAST = 1e-3


def even_logistics() -> Tensor:
    """Give the numbers of a mixture that is nearly even, shape (P,)."""
    middle_N = (torch.arange(PARTS) + 0.5) / PARTS
    return torch.cat([torch.zeros(PARTS), middle_N, torch.full((PARTS,), math.log(0.5 / PARTS))])


def even_spline() -> Tensor:
    """Give the numbers of the spline that is a straight line, shape (P,)."""
    return torch.cat([torch.zeros(2 * PARTS), torch.full((PARTS + 1,), math.log(math.exp(1 - _LEAST) - 1))])


def logistic_before(numbers_BP: Tensor, edges_BE: Tensor) -> Tensor:
    """Give how much of a mixture of logistics, cut to [0, 1], lies before each edge, shape (B, E)."""
    weight_BN, middle_BN, scale_BN = numbers_BP.split(PARTS, 1)
    scale_BN = scale_BN.clamp(-8, 2).exp()
    both_BE = torch.cat([edges_BE, torch.tensor([[0.0, 1.0]]).expand(len(edges_BE), 2)], 1)
    part_BEN = torch.sigmoid((both_BE[:, :, None] - middle_BN[:, None]) / scale_BN[:, None])
    before_BE = (part_BEN * torch.softmax(weight_BN, 1)[:, None]).sum(2)
    start_B1, end_B1 = before_BE[:, -2:-1], before_BE[:, -1:]
    return (before_BE[:, :-2] - start_B1) / (end_B1 - start_B1).clamp(min=FLOOR)


def spline_before(numbers_BP: Tensor, edges_BE: Tensor) -> Tensor:
    """Give how much of a monotone rational-quadratic spline on [0, 1] lies before each edge, shape (B, E)."""
    wide_BN, high_BN = (
        _LEAST + (1 - _LEAST * PARTS) * torch.softmax(part, 1) for part in numbers_BP.split(PARTS, 1)[:2]
    )
    slope_BN = _LEAST + functional.softplus(numbers_BP[:, 2 * PARTS :])
    x_BN, y_BN = (functional.pad(part.cumsum(1), (1, 0)) for part in (wide_BN, high_BN))
    edges_BE = edges_BE.expand(len(numbers_BP), -1).contiguous()
    bin_BE = torch.searchsorted(x_BN[:, 1:-1].contiguous(), edges_BE, right=True)
    left, low, wide, high, slope, next_slope = (
        part.gather(1, bin_BE)
        for part in (x_BN[:, :-1], y_BN[:, :-1], wide_BN, high_BN, slope_BN[:, :-1], slope_BN[:, 1:])
    )
    way = ((edges_BE - left) / wide).clamp(0, 1)
    steep, bent = high / wide, way * (1 - way)
    rise = high * (steep * way.square() + slope * bent)
    return low + rise / (steep + (slope + next_slope - 2 * steep) * bent)


Spread = Callable[[Tensor, Tensor], Tensor]
SPREADS: dict[str, tuple[Spread, Tensor]] = {
    "logistic": (logistic_before, even_logistics()),
    "spline": (spline_before, even_spline()),
}
