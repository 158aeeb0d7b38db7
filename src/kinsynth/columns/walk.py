"""Walks: the rows of each parent along a line, none before the one before it.

Rows stand sorted by parent, then order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kinsynth.columns.absence import Absences
from kinsynth.columns.base import Rows, Uniforms
from kinsynth.columns.line import Line
from kinsynth.columns.step import Flags


def first_rows(parent_R: Rows) -> Flags:
    """Say which rows are the first of their parent."""
    first_R = np.ones(len(parent_R), dtype=bool)
    first_R[1:] = parent_R[1:] != parent_R[:-1]
    return first_R


def split_ticks(tick_R: Rows, valid_R: Flags, parent_R: Rows) -> tuple[Flags, Rows]:
    """Say which rows open their parent's sequence, and give the distance of the others to the row before.

    The row before is the nearest earlier one of the same parent that is not missing.
    """
    rows = np.arange(len(tick_R))
    begin_R = np.maximum.accumulate(np.where(first_rows(parent_R), rows, 0)) if len(rows) else rows
    last_R = np.maximum.accumulate(np.where(valid_R, rows, -1)) if len(rows) else rows
    before_R = np.concatenate([[-1], last_R[:-1]]) if len(rows) else rows
    follows_R = valid_R & (before_R >= begin_R)
    gap_R = np.where(follows_R, tick_R - tick_R[before_R.clip(0)], 0) if len(rows) else tick_R
    return valid_R & ~follows_R, np.maximum(gap_R, 0)


class Stretches(NamedTuple):
    """Where rows may stand.

    Attributes:
        low_R: First place of each row's stretch.
        high_R: Last place.
        uniform_R: Where in it a row stands that its gap leads out.
        slack: Places that a gap may lead out of a stretch.
        end: Last place of all rows.
    """

    low_R: Rows
    high_R: Rows
    uniform_R: Uniforms
    slack: int
    end: int

    def enter(self, before_T: Rows, step_T: Rows, turn: Rows) -> Rows:
        """Give the places of some rows a step from those before: anew in the stretch where that is out of it.

        A step that is not zero does not become zero, unless the stretch lies behind. Steps that may lead out
        then have all places ahead, others none.
        """
        moved_T, first_T = before_T + step_T, before_T + np.minimum(step_T, 1)
        high_T = np.where((self.high_R[turn] < first_T) & (self.slack > 0), self.end, self.high_R[turn])
        low_T = self.low_R[turn]
        out_T = (moved_T < low_T - self.slack) | (moved_T > np.minimum(high_T + self.slack, self.end))
        begin_T = np.maximum(low_T, first_T)
        anew_T = begin_T + (self.uniform_R[turn] * (high_T - begin_T + 1)).astype(np.int64)
        anew_T = np.where(high_T < first_T, before_T, np.minimum(anew_T, high_T))
        return np.where(out_T, anew_T, moved_T)


def walk_by_parent(
    step_R: Rows,
    opens_R: Flags,
    reached: Stretches,
    parent_R: Rows,
    absences: Absences | None = None,
) -> Rows:
    """Add up steps of each parent from its opening row on, never down, into the stretches reached.

    Args:
        step_R: Where an opening row stands, how far each other row lies from the one before.
        opens_R: Which rows open their parent's sequence.
        reached: Where the other rows may stand.
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        absences: Rows whose step ends at a time of day.
    """
    first_R = first_rows(parent_R)
    parent_R, rows = np.cumsum(first_R) - 1, np.arange(len(step_R))
    turn_R = rows - np.flatnonzero(first_R)[parent_R]
    at_P, walked_R = np.zeros(int(first_R.sum()), dtype=np.int64), np.zeros_like(step_R)
    for turn in np.split(np.argsort(turn_R, kind="stable"), np.cumsum(np.bincount(turn_R))):
        before, step = at_P[parent_R[turn]], step_R[turn]
        step = step if absences is None else absences.step(before, step, turn)
        moved = reached.enter(before, step, turn)
        walked_R[turn] = np.where(opens_R[turn], step_R[turn], moved)
        at_P[parent_R[turn]] = walked_R[turn]
    return walked_R


def sort_within(tick_R: Rows, moved_R: Flags, keys: tuple[Rows, Rows]) -> Rows:
    """Sort the ticks of some rows within the rows that share the keys, which ascend; others stay."""
    moved = np.flatnonzero(moved_R)
    sorted_R = tick_R.copy()
    order = np.lexsort((tick_R[moved], *(key_R[moved] for key_R in reversed(keys))))
    sorted_R[moved] = tick_R[moved][order]
    return sorted_R


def state_ends(line: Line) -> tuple[Rows, Rows]:
    """Give the first and the last tick of each state."""
    first = np.flatnonzero(np.diff(line.state_L, prepend=-1))
    return np.minimum.reduceat(line.low_L, first), np.maximum.reduceat(line.high_L, first)


def ascend_by_parent(tick_R: Rows, valid_R: Flags, parent_R: Rows) -> Rows:
    """Raise each tick to the highest one so far of its parent; missing rows do not count."""
    if not len(tick_R):
        return tick_R
    # Ranks instead of ticks: what is added for each parent must not run over 64 bits.
    values, rank_R = np.unique(np.where(valid_R, tick_R, tick_R.min()), return_inverse=True)
    begin_R = np.cumsum(first_rows(parent_R)) * len(values)
    ascending: Rows = values[np.maximum.accumulate(rank_R + begin_R) - begin_R]
    return ascending
