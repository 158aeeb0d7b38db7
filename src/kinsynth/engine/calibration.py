"""Calibration: after training, each column's mean chances equal its frequencies in the training rows.

First over the training rows: at the exact optimum of the likelihood they would, but early stopping, averaged
weights and weight decay leave small errors, which a detector of many rows finds first. Then, in root tables,
over drawn rows: what a row of few training rows is drawn from is not quite what it was learned from, and
errors add up from column to column.
Shape letters: B batch rows, C sub-columns, K codes, N rows in all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.sampled import number_rows
from kinsynth.engine.tabular import Batch, TabularNetwork

ROUNDS = 2
ROWS = 1 << 16
FEWEST_DRAWN = 1 << 13
_AT_ONCE = 1 << 11
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


@torch.no_grad()
def calibrate_drawn(model: TableModel, share: Sequence[Tensor], *, rows: int, seed: int) -> None:
    """Move the biases of the heads until mean chances of drawn rows are nearly frequencies of training rows.

    Differences are shrunk by what chance explains (James, Stein, "Estimation with quadratic loss", 1961).

    Args:
        model: A trained model of a root table without links; changed in place.
        share: By column, the share of the training rows that hold each code, shape (K,).
        rows: Training rows; about as many are drawn.
        seed: Source of randomness.
    """
    drawn, plan = _count_drawn(rows), model.plan
    for turn in range(ROUNDS):
        sampler = TableSampler(model, seed, 1.0, None)
        sums = [torch.zeros((2, len(share_K)), dtype=torch.float64) for share_K in share]
        for row_R in np.array_split(np.arange(drawn) + turn * drawn, -(-drawn // plan.block_size)):
            row_ids = number_rows(row_R, table=model.layout.name)
            codes_RC = torch.from_numpy(sampler.draw_roots(row_R, row_ids)).long()
            for codes_BC in torch.split(codes_RC, min(plan.batch_size, _AT_ONCE)):
                for c, chance_BK in enumerate(model.network.chances(Batch(codes_BC))):
                    sums[c] += torch.stack([chance_BK.sum(0), chance_BK.square().sum(0)])
        for c, (chance_K, square_K) in enumerate(sums):
            noise_K = square_K - chance_K.square() / drawn + _HALF
            model.network.heads.add_to_bias(c, _change(chance_K, share[c] * drawn, noise_K).float())


def count_validations(rows: int, validation_rows: int, *, drawn: bool) -> float:
    """Give to about how many validations calibration comes.

    Args:
        rows: Training rows.
        validation_rows: Rows that a validation looks at; of few it takes as long as of some thousand.
        drawn: Whether rows are drawn, and looked at, as well.
    """
    looked_at = ROUNDS * min(rows, ROWS) / max(1, validation_rows)
    return looked_at + 2 * ROUNDS * drawn * _count_drawn(rows) / max(_AT_ONCE, validation_rows)


def _count_drawn(rows: int) -> int:
    return min(max(rows, FEWEST_DRAWN), ROWS)


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
    return _change(chance_K, count_K, _SURE * unseen * (chance_K + _HALF))


def _change(chance_K: Tensor, count_K: Tensor, noise_K: Tensor) -> Tensor:
    """Give what to add to the logits; squares of differences up to the noise add nothing."""
    # Half a row each keeps codes that were hardly seen where they are.
    change_K = torch.log((count_K + _HALF) / (chance_K + _HALF))
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
