"""Stretches: consecutive rows of sequences that are drawn beside each other, one step at a time.

A network learns sequences in windows that begin anywhere, each with the row before, so that it can go on from
any row. Where the order of rows carries no meaning, any row of a sequence is as good as the row before.
Shape letters: S stretches, B active stretches, P parents, C sub-columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kinsynth.encoded import RowArray
from kinsynth.engine.context import History

STRETCH = 1_024  # well above the windows that are learned: what is remembered has faded


@dataclass(frozen=True)
class Stretches:
    """Consecutive rows of sequences, the longest first, so that unfinished ones always stand in front.

    Attributes:
        parent_S: Number of the parent of each, shape (S,).
        first_S: Its first row, shape (S,).
        length_S: Its number of rows, falling, shape (S,).
        offset_S: Place of its first row in its sequence, shape (S,).
        count_S: Number of rows of its sequence, shape (S,).
    """

    parent_S: RowArray
    first_S: RowArray
    length_S: RowArray
    offset_S: RowArray
    count_S: RowArray

    def last_rows(self, others: Stretches) -> RowArray:
        """Give the last row of the stretch here that has the parent of each of the others, shape (S,)."""
        order = np.argsort(self.parent_S)
        place_S = order[np.searchsorted(self.parent_S, others.parent_S, sorter=order)]
        last_S: RowArray = self.first_S[place_S] + self.length_S[place_S] - 1
        return last_S

    def history_at(self, step: int, active: int, previous_BC: Tensor) -> History:
        """Give what the rows of a step of the first ``active`` stretches know of earlier rows.

        Args:
            step: Place in the stretch, from 0.
            active: Number of stretches that have a row there.
            previous_BC: Codes of the row before each; any where there is none.
        """
        index_B = torch.from_numpy(self.offset_S[:active] + step)
        return History(
            previous_BC=previous_BC,
            known_B=index_B > 0,
            index_B=index_B,
            remaining_B=torch.from_numpy(self.count_S[:active]) - 1 - index_B,
            span_B=torch.from_numpy(step + (self.offset_S[:active] > 0)),
        )


def cut_stretches(count_P: RowArray, *, most: int | None) -> tuple[Stretches, Stretches]:
    """Cut the sequences of consecutive parents.

    Args:
        count_P: Number of rows of each parent, one parent after the other, shape (P,).
        most: The most rows of a stretch; None to leave sequences whole.

    Returns:
        The stretches that sequences begin with, and the others.

    >>> begins, others = cut_stretches(np.array([2, 0, 5]), most=2)
    >>> begins.first_S.tolist(), others.first_S.tolist(), others.length_S.tolist()
    ([0, 2], [4, 6], [2, 1])
    """
    size = most or max(1, int(count_P.max(initial=0)))
    pieces_P = -(-count_P // size)
    parent_S = np.repeat(np.arange(len(count_P), dtype=np.int64), pieces_P)
    offset_S = (np.arange(len(parent_S)) - np.repeat(np.cumsum(pieces_P) - pieces_P, pieces_P)) * size
    count_S = count_P[parent_S]
    length_S = np.minimum(count_S - offset_S, size)
    whole = Stretches(
        parent_S, (np.cumsum(count_P) - count_P)[parent_S] + offset_S, length_S, offset_S, count_S
    )
    return _longest_first(whole, offset_S == 0), _longest_first(whole, offset_S > 0)


def _longest_first(every: Stretches, wanted_S: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Stretches:
    """Give the wanted stretches in order."""
    some = np.flatnonzero(wanted_S)
    some = some[np.argsort(-every.length_S[some], kind="stable")]
    return Stretches(
        every.parent_S[some],
        every.first_S[some],
        every.length_S[some],
        every.offset_S[some],
        every.count_S[some],
    )
