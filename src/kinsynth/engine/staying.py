"""Staying: columns that keep one value over all rows of a parent, or must not, as the parent says.

What is said beforehand is kept row by row: a single slip in a long sequence would break it.
Shape letters: B rows, S sequences, C sub-columns, F columns that may stay, K codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinsynth.encoded import ALWAYS, ANY, AS_BEFORE, CodeArray, IntArray, RowArray, Stay
from kinsynth.engine.apart import BARRED
from kinsynth.engine.context import History

FREE = -1
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Told:
    """Codes that rows are told to have, or not to have; what a condition says of them comes first.

    Attributes:
        wanted_BC: Codes to have, ``FREE`` for any, int64.
        barred_BC: Codes not to have, ``FREE`` for none, int64.
    """

    wanted_BC: Tensor
    barred_BC: Tensor

    def take(self, rows: Tensor) -> Told:
        """Give those of some of the rows."""
        return Told(self.wanted_BC[rows], self.barred_BC[rows])

    @cached_property
    def _touched(self) -> frozenset[int]:
        told_C = ((self.wanted_BC != FREE) | (self.barred_BC != FREE)).any(0)
        return frozenset(torch.nonzero(told_C).squeeze(1).tolist())

    def bend(self, column: int, logits_BK: Tensor) -> Tensor:
        """Lower the logits of the codes of a column that must not be drawn."""
        if column not in self._touched:
            return logits_BK
        logits_BK = logits_BK.clone()
        row, code = _some(self.wanted_BC[:, column])
        kept = logits_BK[row, code]
        logits_BK[row] += BARRED
        logits_BK[row, code] = kept
        row, code = _some(self.barred_BC[:, column])
        logits_BK[row, code] += BARRED
        return logits_BK


def _some(code_B: Tensor) -> tuple[Tensor, Tensor]:
    """Give the rows of which something is said, and what."""
    row = torch.nonzero(code_B != FREE).squeeze(1)
    return row, code_B[row]


class Staying:
    """Keeps what is said of sequences that are drawn beside each other, step by step.

    Args:
        stays: The columns.
        columns: Number of sub-columns C.
        said_SF: What each sequence's parent says of each column; any code where it says nothing.
    """

    def __init__(self, stays: Sequence[Stay], columns: int, said_SF: CodeArray) -> None:
        self._stays, self._columns = stays, columns
        always_F = np.array([stay.said == ALWAYS for stay in stays], dtype=np.bool_)
        told_F = np.array([ANY not in stay.again for stay in stays], dtype=np.bool_)
        self._same_SF: Flags = always_F | (said_SF == np.array([stay.same for stay in stays]))
        self._other_SF: Flags = ~always_F & told_F & (said_SF == np.array([stay.other for stay in stays]))
        self._unbroken_SF = np.ones_like(self._same_SF)

    def told(self, history: History) -> Told | None:
        """Give what the rows of the next step are told, those of the first sequences; None for nothing."""
        if not self._stays:
            return None
        known_B = history.known_B.numpy()
        wanted_BC = torch.full((len(known_B), self._columns), FREE, dtype=torch.int64)
        for f, stay in enumerate(self._stays):
            row = torch.from_numpy(np.flatnonzero(self._same_SF[: len(known_B), f] & known_B))
            for column, again in zip(stay.sub_columns, stay.again, strict=True):
                if again != ANY:
                    wanted_BC[row, column] = history.previous_BC[row, column] if again == AS_BEFORE else again
        return Told(wanted_BC, torch.full_like(wanted_BC, FREE))

    def settle(
        self,
        drawn_BC: IntArray,
        told: Told,
        history: History,
        redraw: Callable[[RowArray, Told, int], IntArray],
    ) -> None:
        """Draw last rows again that leave a column the same that is not to be, and note what is the same.

        Args:
            drawn_BC: The rows of a step; changed in place.
            told: What they were told.
            history: What they know of earlier rows.
            redraw: Draws some of the rows again, told more; the last argument is the turn, from 0.
        """
        rows, barred_BC = len(drawn_BC), told.barred_BC.clone()
        last_B = (history.known_B & (history.remaining_B == 0)).numpy()
        doubtful_BF = (self._other_SF & self._unbroken_SF)[:rows] & last_B[:, None]
        for turn in range(len(self._stays)):
            wrong_BF = doubtful_BF & self._repeats(drawn_BC, history)
            row = np.flatnonzero(wrong_BF.any(axis=1))
            if not len(row):
                break
            for f, stay in enumerate(self._stays):
                here, column = np.flatnonzero(wrong_BF[:, f]), stay.sub_columns[0]
                barred_BC[here, column] = torch.from_numpy(drawn_BC[here, column].astype(np.int64))
            some = torch.from_numpy(row)
            drawn_BC[row] = redraw(row, Told(told.wanted_BC[some], barred_BC[some]), turn)
        self._unbroken_SF[:rows] &= self._repeats(drawn_BC, history) | ~history.known_B.numpy()[:, None]

    def _repeats(self, drawn_BC: IntArray, history: History) -> Flags:
        """Tell which columns repeat the row before, shape (B, F)."""
        previous_BC = history.previous_BC.numpy()
        return np.stack([stay.repeats(drawn_BC, previous_BC) for stay in self._stays], axis=1)
