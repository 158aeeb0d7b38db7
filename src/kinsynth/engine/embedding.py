"""CodeEmbedding: codes of several sub-columns to vectors, neighbours on a line close to each other.

Shape letters: B batch rows, C sub-columns, K codes, E embedding, F features of a place, S all codes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kinsynth.encoded import FloatArray, SubColumn

PLACE_FEATURES = 8


def place_features(sub: SubColumn) -> FloatArray:
    """Describe the place of each code piecewise linearly, zero for a code without a place, shape (K, F)."""
    if sub.position_K is None:
        return np.zeros((sub.cardinality, PLACE_FEATURES), dtype=np.float32)
    steps_KF = sub.position_K[:, None] * PLACE_FEATURES - np.arange(PLACE_FEATURES)
    features_KF: FloatArray = np.nan_to_num(np.clip(steps_KF, 0, 1)).astype(np.float32)
    return features_KF


class CodeEmbedding(nn.Module):
    """A vector for each code of each sub-column: a free part and a part from its place on the line.

    Args:
        sub_columns: The C sub-columns.
        width: Size E of a vector.
        generator: Source of the first weights.
    """

    def __init__(self, sub_columns: Sequence[SubColumn], width: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [sub.cardinality for sub in sub_columns]
        starts_C = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        nothing_SF = np.zeros((0, PLACE_FEATURES), dtype=np.float32)
        place_SF = np.concatenate([nothing_SF, *(place_features(sub) for sub in sub_columns)])
        self.has_place = bool(place_SF.any())
        self.starts = starts_C.tolist()
        self.free = nn.Parameter(torch.randn(int(starts_C[-1]), width, generator=generator) * 0.5)
        self.line = nn.Parameter(torch.randn(len(sizes), PLACE_FEATURES, width, generator=generator) * 0.3)
        self.register_buffer("start_C", torch.from_numpy(starts_C[:-1]), persistent=False)
        self.register_buffer("place_SF", torch.from_numpy(place_SF), persistent=False)
        self.start_C: Tensor
        self.place_SF: Tensor

    def forward(self, codes_BC: Tensor) -> Tensor:
        """Embed codes, shape (B, C, E)."""
        number_BC = codes_BC + self.start_C
        free_BCE = functional.embedding(number_BC, self.free)
        if not self.has_place:
            return free_BCE
        place_CBF = self.place_SF[number_BC.T]
        return free_BCE + torch.bmm(place_CBF, self.line).transpose(0, 1)

    def table(self, column: int) -> Tensor:
        """Give the vectors of all codes of one column, shape (K, E)."""
        rows = slice(self.starts[column], self.starts[column + 1])
        return self.free[rows] + self.place_SF[rows] @ self.line[column]
