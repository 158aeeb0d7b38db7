"""Rules: what must be kept when rows get target rows.

Shape letters: W rows, T target rows, S scopes, P proposals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import RowArray


@dataclass(frozen=True)
class Rules:
    """What must be kept.

    Attributes:
        scope_W: Scope of each row, 0 to S - 1, shape (W,).
        apart: Labels >= 0, each of shape (W,): rows with equal labels never hold the same target row.
        avoid: Target rows that the row must not hold, -1 for none, each of shape (W,).
        scope_T: Scope of each target row, shape (T,).
    """

    scope_W: RowArray
    apart: tuple[RowArray, ...]
    avoid: tuple[RowArray, ...]
    scope_T: RowArray

    def of(self, row: RowArray) -> Rules:
        """Give the rules of some rows."""
        apart, avoid = (tuple(array[row] for array in arrays) for arrays in (self.apart, self.avoid))
        return Rules(self.scope_W[row], apart, avoid, self.scope_T)

    def avoided(self, row_P: RowArray, target_P: RowArray) -> NDArray[np.bool_]:
        """Tell where a row must not hold a target row."""
        found_P = np.zeros(len(row_P), dtype=np.bool_)
        for place_W in self.avoid:
            found_P |= place_W[row_P] == target_P
        return found_P

    def pairs(self, number: int, row_P: RowArray, target_P: RowArray) -> RowArray:
        """Give the pair of label and target row as one number."""
        return self.apart[number][row_P] * len(self.scope_T) + target_P
