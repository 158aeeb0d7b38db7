"""Sequences: how many child rows a parent has, and what stays the same over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded.sub_column import RowArray

ALWAYS = -1
AS_BEFORE, ANY = -1, -2


@dataclass(frozen=True)
class ChildCount:
    """How one sub-column of a parent says how many child rows a row has.

    Attributes:
        child: Name of the child table.
        sub_column: Position of the sub-column in the parent's ``sub_columns``.
        low_K: Smallest count of each code, shape (K,).
        high_K: Largest count of each code, inclusive, shape (K,).
        mean: Child rows of a row on average, whatever the codes leave of it; None where it does not matter.
    """

    child: str
    sub_column: int
    low_K: RowArray
    high_K: RowArray
    mean: float | None = None

    def __post_init__(self) -> None:
        """Check the shapes and ranges."""
        if self.low_K.shape != self.high_K.shape or self.low_K.ndim != 1:
            raise ValueError(f"low_K {self.low_K.shape} and high_K {self.high_K.shape} differ")
        if (self.low_K < 0).any() or (self.high_K < self.low_K).any():
            raise ValueError("a range of counts is empty or negative")

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        ranges = {"low": self.low_K.tolist(), "high": self.high_K.tolist()}
        return {"child": self.child, "sub_column": self.sub_column, **ranges, "mean": self.mean}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ChildCount:
        """Read what ``to_json`` gave."""
        low_K, high_K = (np.array(document[name], dtype=np.int64) for name in ("low", "high"))
        return cls(document["child"], document["sub_column"], low_K, high_K, document["mean"])


@dataclass(frozen=True)
class Stay:
    """A column of a child table that stays the same over all rows of some parents.

    Attributes:
        sub_columns: Positions of its sub-columns, in order.
        again: For each the code of a row that repeats the row before: ``AS_BEFORE`` for that row's own code,
            ``ANY`` for one that may be any.
        said: Position of the parent's sub-column that says for which parents, or ``ALWAYS`` for all.
        same: Code by which all rows repeat the first.
        other: Code by which not all of several rows do, or -1 for none.
    """

    sub_columns: tuple[int, ...]
    again: tuple[int, ...]
    said: int = ALWAYS
    same: int = 0
    other: int = -1

    def __post_init__(self) -> None:
        """Check the shapes."""
        if not self.sub_columns or len(self.again) != len(self.sub_columns):
            raise ValueError(f"again {self.again}: expected one code for each of {self.sub_columns}")

    def repeats(self, codes_RC: NDArray[Any], before_RC: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows repeat the rows before them, shape (R,)."""
        repeats_R = np.ones(len(codes_RC), dtype=np.bool_)
        for column, again in zip(self.sub_columns, self.again, strict=True):
            if again != ANY:
                repeats_R &= codes_RC[:, column] == (before_RC[:, column] if again == AS_BEFORE else again)
        return repeats_R

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        return {
            "sub_columns": list(self.sub_columns),
            "again": list(self.again),
            "said": self.said,
            "same": self.same,
            "other": self.other,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Stay:
        """Read what ``to_json`` gave."""
        columns, again = tuple(document["sub_columns"]), tuple(document["again"])
        return cls(columns, again, document["said"], document["same"], document["other"])
