"""A plain sampler: column after column, some rows at a time.

A rival gives ``begin(rows)``, whose ``logits(column)`` are asked for once each, in order, and whose
``put(column, codes)`` follows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.prefix import draw_codes, forbidden_of

ROWS = 2048


@torch.inference_mode()
def draw(model: TableModel, rows: int, *, seed: int) -> np.ndarray:
    """Draw rows of codes, shape (R, C); codes that must never be drawn are not."""
    network: Any = model.network
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for start in range(0, rows, ROWS):
        size = min(ROWS, rows - start)
        codes_BC = torch.zeros(size, network.columns, dtype=torch.int64)
        begun = network.begin(size)
        for c, sub in enumerate(model.layout.sub_columns):
            barred_K = forbidden_of(model.layout, c)[: sub.cardinality]
            uniform_B = torch.rand(size, generator=generator)
            codes_BC[:, c] = draw_codes(begun.logits(c) + barred_K, uniform_B)
            begun.put(c, codes_BC[:, c])
        parts.append(codes_BC.numpy())
    return np.concatenate(parts)
