"""Runs: rare texts that stay over neighbouring rows of one owner are one made-up text, too.

Rare texts share one code, so that codes do not say whether two neighbours hold the same one. How often they
do is counted, and so often the text that was made up for a row is that of the row after it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.base import Rows
from kinsynth.columns.categorical import OTHER
from kinsynth.encoded import CodeArray
from kinsynth.pipeline.stays import repeats
from kinsynth.privacy.protection import Roots, has_few_roots

LEAST_SHARE = 0.01


def share_of_runs(
    codes_RC: CodeArray, values: pa.Array, parent_R: Rows, root_R: Roots, *, minimum: int
) -> float:
    """Give how often a rare text is that of the row before, which is rare, too, and of the same owner.

    Args:
        codes_RC: Codes of a column of texts; the first token says which are rare.
        values: Its texts, shape (R,).
        parent_R: Number of each row's owner, never decreasing, shape (R,).
        root_R: Number of each row's root, or own roots.
        minimum: Roots that must have such neighbours.

    Returns:
        The share; 0 where it is next to nothing, or where too few roots stand behind it.
    """
    pair_R = np.append(False, _follows(codes_RC, parent_R))[: len(values)]
    if has_few_roots(pair_R, root_R, minimum=minimum):
        return 0.0
    share = float(np.append(False, repeats(values))[pair_R].mean())
    return share if share >= LEAST_SHARE else 0.0


def first_rows(codes_RC: CodeArray, parent_R: Rows, share: float, uniform_R: NDArray[np.float64]) -> Rows:
    """Give for each row the first one of its run: itself unless it has the text of the row before.

    >>> codes_RC = np.array([[1], [1], [1], [2], [1]])
    >>> first_rows(codes_RC, np.zeros(5, dtype=int), 0.5, np.array([0, 0, 0.9, 0, 0]))
    array([0, 0, 2, 3, 4])
    """
    again_R = np.append(False, _follows(codes_RC, parent_R))[: len(parent_R)] & (uniform_R < share)
    found_R: Rows = np.maximum.accumulate(np.where(again_R, 0, np.arange(len(parent_R))))
    return found_R


def _follows(codes_RC: CodeArray, parent_R: Rows) -> NDArray[np.bool_]:
    """Tell which rows, from the second on, are rare as the one before, under the same owner."""
    rare_R = codes_RC[:, 0] == OTHER
    both_R: NDArray[np.bool_] = rare_R[1:] & rare_R[:-1] & (parent_R[1:] == parent_R[:-1])
    return both_R
