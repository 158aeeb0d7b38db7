"""Calibration: after training, each column's mean chances over the training rows equal its frequencies.

At the exact optimum of the likelihood they would: early stopping, averaged weights and weight decay leave
small errors, which a detector of many rows finds first.
Shape letters: B batch rows, C sub-columns, K codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from kinsynth.engine.tabular import Batch, TabularNetwork

ROUNDS = 2
ROWS = 1 << 16
_HALF = 0.5
_SURE = 4.0  # two standard errors, squared


def calibrate(
    network: TabularNetwork,
    batches: Callable[[], Iterable[Batch]],
    *,
    rows: int,
    shares: Mapping[int, Tensor],
) -> None:
    """Move the biases of the heads until mean chances and frequencies agree, nearly.

    Args:
        network: A trained network; changed in place.
        batches: Gives the training rows anew each time; about the first ``ROWS`` are looked at.
        rows: Training rows in all.
        shares: By column, the shares of some codes, NaN for others, that count instead of those among the
            rows that are looked at.
    """
    for _ in range(ROUNDS):
        looked_at, expected, seen = _sums(network, batches())
        if not looked_at:
            return
        unseen = max(0.0, 1 - looked_at / rows)
        for c, (chance_K, count_K) in enumerate(zip(expected, seen, strict=True)):
            change_K = choose_change(chance_K, count_K, unseen=unseen)
            if c in shares:
                known_K = shares[c].to(chance_K) * looked_at
                change_K = torch.where(
                    known_K.isnan(), change_K, choose_change(chance_K, known_K, unseen=0.0)
                )
            network.heads.add_to_bias(c, change_K.float())


def rows_looked_at(rows: int) -> int:
    """Give about how many rows calibration computes, those that are looked at twice counted twice."""
    return ROUNDS * min(rows, ROWS)


def choose_change(chance_K: Tensor, count_K: Tensor, *, unseen: float) -> Tensor:
    """Give what to add to the logits of the codes.

    Args:
        chance_K: Summed chances of the codes over some rows.
        count_K: How many of these rows hold each code.
        unseen: Share of the training rows that are not among them: what counts differ by chance from the
            frequencies of all rows moves nothing, for a network that saw all rows knows them better.

    >>> choose_change(torch.tensor([100.0, 100.0]), torch.tensor([110.0, 200.0]), unseen=0.9).tolist()[0]
    0.0
    """
    # Half a row each keeps codes that were hardly seen where they are.
    change_K = torch.log((count_K + _HALF) / (chance_K + _HALF))
    noise_K = _SURE * unseen * (chance_K + _HALF)
    sure_K = 1 - noise_K / (count_K - chance_K).square().clamp(min=1e-9)
    return change_K * sure_K.clamp(min=0.0)


@torch.no_grad()
def _sums(network: TabularNetwork, batches: Iterable[Batch]) -> tuple[int, list[Tensor], list[Tensor]]:
    """Sum chances and count codes of each column over the rows."""
    sizes = network.heads.cardinalities
    device = network.heads.biases[0].device
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
