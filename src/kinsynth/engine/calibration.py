"""Calibration: after training, each column's mean chances over the training rows equal its frequencies.

At the exact optimum of the likelihood they would: early stopping, averaged weights and weight decay leave
small errors, which a detector of many rows finds first.
Shape letters: B batch rows, C sub-columns, K codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from kinsynth.engine.tabular import Batch, TabularNetwork

ROUNDS = 2
ROWS = 1 << 16
_HALF = 0.5


def calibrate(network: TabularNetwork, batches: Callable[[], Iterable[Batch]]) -> None:
    """Move the biases of the heads until mean chances and frequencies agree, nearly.

    Args:
        network: A trained network; changed in place.
        batches: Gives the training rows anew each time; about the first ``ROWS`` are looked at.
    """
    for _ in range(ROUNDS):
        rows, expected, seen = _sums(network, batches())
        if not rows:
            return
        for c, (chance_K, count_K) in enumerate(zip(expected, seen, strict=True)):
            # Half a row each keeps codes that were hardly seen where they are.
            network.heads.add_to_bias(c, torch.log((count_K + _HALF) / (chance_K + _HALF)).float())


@torch.no_grad()
def _sums(network: TabularNetwork, batches: Iterable[Batch]) -> tuple[int, list[Tensor], list[Tensor]]:
    """Sum chances and count codes of each column over the rows."""
    sizes = network.heads.cardinalities
    device = network.first_bias.device
    expected = [torch.zeros(size, dtype=torch.float64, device=device) for size in sizes]
    seen = [torch.zeros(size, dtype=torch.float64, device=device) for size in sizes]
    rows = 0
    for batch in batches:
        for c, chance_BK in enumerate(network.chances(batch)):
            expected[c] += chance_BK.sum(0, dtype=torch.float64)
            seen[c] += torch.bincount(batch.codes_BC[:, c], minlength=sizes[c])
        rows += len(batch.codes_BC)
        if rows >= ROWS:
            break
    return rows, expected, seen
