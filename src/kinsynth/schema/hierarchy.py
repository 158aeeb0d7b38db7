"""Rows that reference rows of their own table: circles, and levels of a hierarchy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def cut_circles(row_R: Rows) -> Rows:
    """Let one row of each circle point at none; rows that point at themselves stay.

    >>> cut_circles(np.array([1, 2, 0, 3, 0]))
    array([-1,  2,  0,  3,  0])
    """
    cut_R = row_R.copy()
    own_R = row_R == np.arange(len(row_R))
    for first in circle_rows(np.where(own_R, -1, row_R)):
        cut_R[first] = -1
    return cut_R


def circle_rows(row_R: Rows) -> list[int]:
    """Give the smallest row number on each circle of more than one row."""
    on_R = row_R >= 0
    reached_R = np.where(on_R, row_R, np.arange(len(row_R)))
    for _ in range(max(1, int(np.ceil(np.log2(max(len(row_R), 2)))))):
        reached_R = reached_R[reached_R]  # after so many doublings every row stands at an end or on a circle
    circled = np.unique(reached_R[on_R[reached_R]])
    firsts: list[int] = []
    known = set()
    for start in circled.tolist():
        if start in known:
            continue
        circle, place = [], start
        while place not in known:
            known.add(place)
            circle.append(place)
            place = int(row_R[place])
        firsts.append(min(circle))
    return firsts


def levels(row_R: Rows) -> Rows:
    """Give the number of rows above each row; a row that points at none or at itself has none above.

    >>> levels(np.array([-1, 0, 1, 3, 0])).tolist()
    [0, 1, 2, 0, 1]
    """
    above_R = np.where(row_R == np.arange(len(row_R)), -1, row_R)
    level_R = np.zeros(len(row_R), dtype=np.int64)
    climbing = np.arange(len(row_R))
    place = above_R[climbing]
    while len(climbing):
        going = place >= 0
        climbing, place = climbing[going], place[going]
        level_R[climbing] += 1
        place = above_R[place]
    return level_R
