"""Overrun: rows of a sequence that its gaps lead beyond the last moment that may come out.

Cut off one by one they would all stand at that moment, and the rows after them would only repeat it.
"""

from __future__ import annotations

import numpy as np

from kinsynth.columns.base import Rows


def end_by(tick_R: Rows, high: int, first_R: Rows, parent_R: Rows, *, step: int = 1) -> Rows:
    """Move what a sequence leads beyond its end back, so that no rows pile up there.

    The longest gap is shortened where it is long enough, else the whole sequence begins earlier where there
    is room, else it begins as early as it may and all gaps shrink.

    Args:
        tick_R: Ticks that never decrease within a parent.
        high: The last tick.
        first_R: The earliest tick at which each row's sequence may begin.
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        step: What the longest gap is shortened by a multiple of, where it is long enough for that.

    Guarantees:
        Ticks never decrease within a parent, and none lies beyond the end unless it may not begin before.
    """
    begins = np.flatnonzero(np.diff(parent_R, prepend=-1))
    stops = np.append(begins[1:], len(tick_R))
    moved_R = tick_R.copy()
    for place in np.flatnonzero(tick_R[stops - 1] > high).tolist() if len(tick_R) else ():
        rows = slice(int(begins[place]), int(stops[place]))
        moved_R[rows] = _end_by(tick_R[rows], high, int(first_R[begins[place]]), step)
    return moved_R


def _end_by(tick_R: Rows, high: int, first: int, step: int) -> Rows:
    """Move one sequence back; see ``end_by``."""
    over, gap_R = int(tick_R[-1]) - high, np.diff(tick_R)
    longest = int(np.argmax(gap_R)) if len(gap_R) else 0
    whole = -(-over // step) * step
    if len(gap_R) and gap_R[longest] >= over:
        over = whole if gap_R[longest] >= whole else over
        return np.where(np.arange(len(tick_R)) > longest, tick_R - over, tick_R)
    if tick_R[0] - over >= first:
        return tick_R - over
    share_R = (tick_R - tick_R[0]) / max(int(tick_R[-1] - tick_R[0]), 1)
    begin = min(first, int(tick_R[0]))
    return begin + np.asarray(share_R * max(high - begin, 0), dtype=np.int64)
