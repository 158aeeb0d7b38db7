"""Prune: which rows must go because they, or what they hang on, lack a row to point to. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import RowArray

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Tie:
    """Rows of a table that cannot be without rows of another: their parents, or what they must point to.

    Attributes:
        table: Name of the table.
        target: Name of the other table.
        row_R: Its row for each row, -1 where the row needs none, shape (R,).
    """

    table: str
    target: str
    row_R: RowArray


def spread_dead(dead: Mapping[str, Flags], ties: Iterable[Tie]) -> dict[str, Flags]:
    """Give the rows that must go: those that are dead, and all that cannot be without a row that must go.

    Args:
        dead: For each table the rows that must go by themselves, shape (R,).
        ties: What holds the tables together.

    Returns:
        For each table the rows that must go, shape (R,); the arrays given stay as they are.
    """
    dead, ties = dict(dead), tuple(ties)
    changed = {name for name, dead_R in dead.items() if dead_R.any()}
    while changed:
        before, changed = changed, set()
        for tie in ties:
            if tie.target not in before | changed:
                continue
            lost_R = (tie.row_R >= 0) & dead[tie.target][tie.row_R]
            if (lost_R & ~dead[tie.table]).any():
                dead[tie.table] = dead[tie.table] | lost_R
                changed.add(tie.table)
    return dead


def renumber(dead_R: Flags) -> RowArray:
    """Give the number of each row when dead rows are gone, -1 for a dead row, shape (R,).

    >>> renumber(np.array([False, True, False]))
    array([ 0, -1,  1])
    """
    number_R: RowArray = np.cumsum(~dead_R, dtype=np.int64) - 1
    number_R[dead_R] = -1
    return number_R
