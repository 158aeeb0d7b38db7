"""Apart: what must differ, between rows of one parent or within a row, or never goes together: it is barred.

Shape letters: B rows, S earlier rows of the same parent, C sub-columns, K codes, G codes of a group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kinsynth.encoded import Ending, IntArray, RowArray, SubColumn, Together

Keys = tuple[tuple[int, ...], ...]
# Finite: where nothing else is left, what is barred is drawn all the same.
BARRED = -1e4


def find_keys(sub_columns: Sequence[SubColumn]) -> Keys:
    """Give the sub-columns of each key within a parent, in the order they are drawn."""
    numbers = sorted({key for sub in sub_columns for key in sub.keys})
    return tuple(tuple(c for c, sub in enumerate(sub_columns) if key in sub.keys) for key in numbers)


def find_several(sub_columns: Sequence[SubColumn]) -> dict[int, RowArray]:
    """Give the codes of each sub-column of a key that stand for several values."""
    return {
        c: np.flatnonzero(sub.several_K)
        for c, sub in enumerate(sub_columns)
        if sub.keys and sub.several_K is not None and sub.several_K.any()
    }


@dataclass(frozen=True)
class Earlier:
    """The earlier rows of the parents of some rows.

    Attributes:
        codes_BSC: Their codes, shape (B, S, C).
        keys: Sub-columns on all of which rows of one parent must not agree.
        several: By sub-column, codes on which they may agree all the same.
    """

    codes_BSC: IntArray
    keys: Keys
    several: Mapping[int, RowArray] = field(default_factory=dict)

    def take(self, index: RowArray) -> Earlier:
        """Give those of some of the rows."""
        return Earlier(self.codes_BSC[index], self.keys, self.several)

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
                for other in {*others, last} & self.several.keys():
                    agree_BS &= ~np.isin(self.codes_BSC[:, :, other], self.several[other])
                row, before = np.nonzero(agree_BS)
                code = self.codes_BSC[row, before, column].astype(np.int64)
                place = torch.from_numpy(row), torch.from_numpy(code)
                logits_BK = logits_BK.index_put(place, torch.tensor(BARRED))
        return logits_BK


class Unlike:
    """Two endings of a row that are never the same: what the first one is is barred for the second.

    Args:
        first: The ending that is drawn before.
        second: The other one.
        cardinalities: Number of codes of each sub-column.
    """

    def __init__(self, first: Ending, second: Ending, cardinalities: Sequence[int]) -> None:
        self._first, self._second = first, second
        self._sizes = [cardinalities[c] for c in first.sub_columns]
        self._first_N = torch.tensor(first.labels)
        self._second_GK = torch.tensor(second.labels).view(-1, cardinalities[second.sub_columns[-1]])
        # A group all of whose codes stand for one thing says it before its codes are drawn.
        sole_G = (self._second_GK == self._second_GK[:, :1]).all(1)
        self._sole_G = torch.where(sole_G, self._second_GK[:, 0], -1)

    def bar(self, column: int, logits_BK: Tensor, codes_BC: Tensor) -> Tensor:
        """Bar codes that would make the second ending what the first one is.

        Args:
            column: The sub-column that is drawn next.
            logits_BK: Its logits, padded.
            codes_BC: Codes of the sub-columns before it.
        """
        if column not in self._second.sub_columns:
            return logits_BK
        *groups, last = self._second.sub_columns
        label_BK = (
            self._second_GK[codes_BC[:, groups[0]] if groups else [0]]
            if column == last
            else self._sole_G[None]
        )
        place_B = torch.zeros(len(codes_BC), dtype=torch.int64)
        for c, size in zip(self._first.sub_columns, self._sizes, strict=True):
            place_B = place_B * size + codes_BC[:, c]
        label_B1 = self._first_N[place_B].unsqueeze(1)
        same_BK = (label_BK == label_B1) & (label_B1 >= 0)
        padding = logits_BK.shape[1] - same_BK.shape[1]
        return logits_BK.masked_fill(functional.pad(same_BK, (0, padding)), BARRED)


class OnlyTogether:
    """Two sub-columns of which only some codes go together: for the second one the others are barred.

    Args:
        together: Which ones do.
        cardinalities: Number of codes of each sub-column.
    """

    def __init__(self, together: Together, cardinalities: Sequence[int]) -> None:
        self._first, self._second = together.first, together.second
        barred_NK = np.zeros((len(together.codes), cardinalities[together.second]), dtype=np.bool_)
        for code, others in enumerate(together.codes):
            barred_NK[code] = bool(others)
            barred_NK[code, list(others)] = False
        self._barred_NK = torch.from_numpy(barred_NK)

    def bar(self, column: int, logits_BK: Tensor, codes_BC: Tensor) -> Tensor:
        """Bar what does not go with the code of the first sub-column.

        Args:
            column: The sub-column that is drawn next.
            logits_BK: Its logits, padded.
            codes_BC: Codes of the sub-columns before it.
        """
        if column != self._second:
            return logits_BK
        barred_BK = self._barred_NK[codes_BC[:, self._first]]
        padding = logits_BK.shape[1] - barred_BK.shape[1]
        # Where nothing else is left, what is barred is drawn by its own chances.
        return torch.where(functional.pad(barred_BK, (0, padding)), logits_BK + BARRED, logits_BK)
