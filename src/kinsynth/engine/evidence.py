"""Evidence: what is known of rows before they are drawn. No torch.

Shape letters: R rows, C sub-columns, K codes, G groups of codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import IntArray, RowArray
from kinsynth.system.randomness import uniforms

UNKNOWN = -1
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Shares:
    """Shares that groups of codes of one sub-column shall have among all rows.

    Attributes:
        sub_column: Its number.
        allowed_GK: The codes of each group; groups do not overlap, none is empty or forbidden. Shape (G, K).
        share_G: Share of each group; they add up to 1.
    """

    sub_column: int
    allowed_GK: Flags
    share_G: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the promises."""
        if not self.allowed_GK.any(axis=1).all() or (self.allowed_GK.sum(axis=0) > 1).any():
            raise ValueError("a group of codes is empty, or two overlap")
        if (self.share_G < 0).any() or abs(float(self.share_G.sum()) - 1) > 1e-9:
            raise ValueError("shares must add up to 1")


@dataclass(frozen=True)
class Condition:
    """What the rows of one table must keep to.

    Attributes:
        known_RC: Codes of the first rows of the table in its first sub-columns, ``UNKNOWN`` where they are to
            be drawn, shape (N, at most C), or None when nothing is known of any row. Of a table with a parent
            only where the rows of all blocks are numbered together.
        shares: Shares of groups of codes, or None.
        put: Number of first sub-columns whose known codes are put there without weighing what was drawn
            before them: those before are drawn as if nothing were known of these.
    """

    known_RC: IntArray | None = None
    shares: Shares | None = None
    put: int = 0


@dataclass(frozen=True)
class Evidence:
    """What is known of some rows.

    Attributes:
        known_RC: Known codes, ``UNKNOWN`` elsewhere, shape (R, C).
        group_R: Group of codes that each row's sub-column of shares must be in; -1 for any.
        shares: The groups, or None.
        put: Number of first sub-columns whose known codes are not weighed.
    """

    known_RC: IntArray
    group_R: RowArray
    shares: Shares | None = None
    put: int = 0

    def take(self, index: RowArray) -> Evidence:
        """Give some of the rows."""
        return Evidence(self.known_RC[index], self.group_R[index], self.shares, self.put)

    def counted(self) -> Flags:
        """Where the chance of what is known depends on codes that are drawn: after the first such code."""
        given_RC = self.known_RC != UNKNOWN
        drawn_RC = np.cumsum(~given_RC, axis=1) > 0
        given_RC[:, : self.put] = False
        if self.shares is not None:
            given_RC = given_RC.copy()
            given_RC[:, self.shares.sub_column] |= self.group_R >= 0
        before_RC = np.pad(drawn_RC[:, :-1], ((0, 0), (1, 0)))
        counted: Flags = given_RC & before_RC
        return counted


def gather_evidence(
    condition: Condition, row_R: RowArray, row_ids: RowArray, *, columns: int, seed: int, stream: str
) -> Evidence:
    """Give what is known of rows.

    Args:
        condition: What the table must keep to.
        row_R: Number of each row among all rows of its table.
        row_ids: What the randomness of each row hangs on.
        columns: Number of sub-columns.
        seed: Source of randomness.
        stream: Name of its use.
    """
    known_RC = np.full((len(row_R), columns), UNKNOWN, dtype=np.int32)
    if condition.known_RC is not None:
        held_R = row_R < len(condition.known_RC)
        known_RC[held_R, : condition.known_RC.shape[1]] = condition.known_RC[row_R[held_R]]
    group_R = np.full(len(row_R), -1, dtype=np.int64)
    if condition.shares is not None:
        ends = np.cumsum(condition.shares.share_G)
        uniform_R = uniforms(seed, stream, row_ids)[:, 0]
        group_R = np.searchsorted(ends / ends[-1], uniform_R, side="right")
        group_R[known_RC[:, condition.shares.sub_column] != UNKNOWN] = -1
    return Evidence(known_RC, group_R, condition.shares, condition.put)
