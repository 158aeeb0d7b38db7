"""Apart: rows of one parent that must differ: what earlier rows hold is barred for later ones.

Shape letters: B rows, S earlier rows of the same parent, C sub-columns, K codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kinsynth.encoded import IntArray, RowArray, SubColumn

Keys = tuple[tuple[int, ...], ...]
# Finite: where nothing else is left, what is barred is drawn all the same.
_BARRED = -1e4


def find_keys(sub_columns: Sequence[SubColumn]) -> Keys:
    """Give the sub-columns of each key within a parent, in the order they are drawn."""
    numbers = sorted({key for sub in sub_columns for key in sub.keys})
    return tuple(tuple(c for c, sub in enumerate(sub_columns) if key in sub.keys) for key in numbers)


@dataclass(frozen=True)
class Earlier:
    """The earlier rows of the parents of some rows.

    Attributes:
        codes_BSC: Their codes, shape (B, S, C).
        keys: Sub-columns on all of which rows of one parent must not agree.
    """

    codes_BSC: IntArray
    keys: Keys

    def take(self, index: RowArray) -> Earlier:
        """Give those of some of the rows."""
        return Earlier(self.codes_BSC[index], self.keys)

    def bar(self, column: int, logits_BK: Tensor, codes_BC: Tensor) -> Tensor:
        """Bar codes that would make a row agree with an earlier one on all of a key.

        Args:
            column: The sub-column that is drawn next.
            logits_BK: Its logits.
            codes_BC: Codes of the sub-columns before it.
        """
        for *others, last in self.keys:
            if last == column:
                agree_BS = np.ones(self.codes_BSC.shape[:2], dtype=np.bool_)
                for other in others:
                    agree_BS &= self.codes_BSC[:, :, other] == codes_BC[:, other].numpy()[:, None]
                row, before = np.nonzero(agree_BS)
                code = self.codes_BSC[row, before, column].astype(np.int64)
                place = torch.from_numpy(row), torch.from_numpy(code)
                logits_BK = logits_BK.index_put(place, torch.tensor(_BARRED))
        return logits_BK
