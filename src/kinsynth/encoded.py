"""Encoded: the narrow waist between column people and model people.

Integers only: no names of columns, no values, no types. ``columns`` writes it, ``engine`` reads it and
draws new ones. Array names end in their shape letters: R rows, C sub-columns, K codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
CodeArray = NDArray[np.integer[Any]]
RowArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
_CODE_TYPES: tuple[np.dtype[Any], ...] = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.int32))
_CHECKED_ROWS = 1 << 16


def code_type(cardinalities: Iterable[int]) -> np.dtype[Any]:
    """Give the smallest integer type that holds all codes of a table.

    >>> code_type([3, 256]), code_type([3, 257]), code_type([70_000])
    (dtype('uint8'), dtype('uint16'), dtype('int32'))
    """
    largest = max(cardinalities, default=1) - 1
    return next(kind for kind in _CODE_TYPES if largest <= np.iinfo(kind).max)


@dataclass(frozen=True)
class SubColumn:
    """One integer column of a table as the model sees it.

    Attributes:
        column: Number of the source column it belongs to. Sub-columns of one source column stand
            together and are drawn in this order: coarse before fine.
        cardinality: Number of codes K, at least 1; codes run from 0 to K - 1.
        position_K: Place of each code on a line, in [0, 1], for codes that have an order (numbers,
            dates); NaN for codes without a place (missing, categories). Shape (K,), or None when no
            code has one.
        forbidden_K: True for codes that must never be drawn, shape (K,), or None. At least one code
            stays allowed.
        shown: Whether other rows (children, later rows of a sequence) may look at it; what is not shown
            is seen by the same sub-column of the next row at most. What is drawn of a column that is
            computed afterwards is not shown: it need not be what is written.
    """

    column: int
    cardinality: int
    position_K: FloatArray | None = None
    forbidden_K: NDArray[np.bool_] | None = None
    shown: bool = True

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.cardinality < 1 or self.column < 0:
            raise ValueError(f"cardinality={self.cardinality}, column={self.column}: expected >= 1 and >= 0")
        for name in ("position_K", "forbidden_K"):
            array = getattr(self, name)
            if array is not None and array.shape != (self.cardinality,):
                raise ValueError(f"{name} has shape {array.shape}, expected ({self.cardinality},)")
        if self.forbidden_K is not None and bool(self.forbidden_K.all()):
            raise ValueError("forbidden_K forbids every code")

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        position = self.position_K
        return {
            "column": self.column,
            "cardinality": self.cardinality,
            "position": None
            if position is None
            else [None if np.isnan(place) else float(place) for place in position],
            "forbidden": None if self.forbidden_K is None else np.flatnonzero(self.forbidden_K).tolist(),
            "shown": self.shown,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SubColumn:
        """Read what ``to_json`` gave."""
        position_K, forbidden_K = None, None
        if document["position"] is not None:
            places = [np.nan if place is None else place for place in document["position"]]
            position_K = np.array(places, dtype=np.float32)
        if document["forbidden"] is not None:
            forbidden_K = np.zeros(document["cardinality"], dtype=np.bool_)
            forbidden_K[document["forbidden"]] = True
        return cls(document["column"], document["cardinality"], position_K, forbidden_K, document["shown"])


@dataclass(frozen=True)
class ChildCount:
    """How one sub-column of a parent says how many child rows a row has.

    Attributes:
        child: Name of the child table.
        sub_column: Position of the sub-column in the parent's ``sub_columns``.
        low_K: Smallest count of each code, shape (K,).
        high_K: Largest count of each code, inclusive, shape (K,).
    """

    child: str
    sub_column: int
    low_K: RowArray
    high_K: RowArray

    def __post_init__(self) -> None:
        """Check the shapes and ranges."""
        if self.low_K.shape != self.high_K.shape or self.low_K.ndim != 1:
            raise ValueError(f"low_K {self.low_K.shape} and high_K {self.high_K.shape} differ")
        if (self.low_K < 0).any() or (self.high_K < self.low_K).any():
            raise ValueError("a range of counts is empty or negative")

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        ranges = {"low": self.low_K.tolist(), "high": self.high_K.tolist()}
        return {"child": self.child, "sub_column": self.sub_column, **ranges}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ChildCount:
        """Read what ``to_json`` gave."""
        low_K, high_K = (np.array(document[name], dtype=np.int64) for name in ("low", "high"))
        return cls(document["child"], document["sub_column"], low_K, high_K)


@dataclass(frozen=True)
class EncodedTable:
    """The rows of one table as integers.

    Attributes:
        codes_RC: Codes, shape (R, C); uint8, uint16 or int32, whichever holds them. It may be a mapped file.
        sub_columns: What each of the C sub-columns is.
        parent: Name of the parent table, or None for a root table.
        parent_R: Row number of each row's parent in the parent table, shape (R,), never decreasing:
            the rows of one parent stand together, in the order of their sequence. None for a root.
        counts: One entry for each child table.
        ordered: Whether the order of rows under one parent carries meaning (a sequence).
    """

    codes_RC: CodeArray
    sub_columns: tuple[SubColumn, ...]
    parent: str | None = None
    parent_R: RowArray | None = None
    counts: tuple[ChildCount, ...] = ()
    ordered: bool = False

    def __post_init__(self) -> None:
        """Check every promise above."""
        self._check_codes()
        self._check_parents()
        self._check_counts()

    def _check_codes(self) -> None:
        codes = self.codes_RC
        if codes.ndim != 2 or codes.dtype not in _CODE_TYPES or codes.shape[1] != len(self.sub_columns):
            raise ValueError(
                f"codes_RC {codes.shape} {codes.dtype}: expected (R, {len(self.sub_columns)}) integers"
            )
        numbers = [sub.column for sub in self.sub_columns]
        if numbers != sorted(numbers):
            raise ValueError("sub-columns of one column must stand together")
        shown = [sub.shown for sub in self.sub_columns]
        if shown != sorted(shown, reverse=True):
            raise ValueError("sub-columns that are not shown must stand last")
        if codes.size:
            limits = np.array([sub.cardinality for sub in self.sub_columns])
            for start in range(0, len(codes), _CHECKED_ROWS):
                some = codes[start : start + _CHECKED_ROWS]
                if (some.min(axis=0) < 0).any() or (some.max(axis=0) >= limits).any():
                    raise ValueError("a code lies outside its sub-column's cardinality")

    def _check_parents(self) -> None:
        if (self.parent is None) != (self.parent_R is None):
            raise ValueError("parent and parent_R come together")
        if self.parent_R is None:
            return
        if self.parent_R.shape != (self.rows,) or self.parent_R.dtype != np.int64:
            raise ValueError(f"parent_R {self.parent_R.shape}: expected ({self.rows},) int64")
        if self.rows and ((np.diff(self.parent_R) < 0).any() or self.parent_R[0] < 0):
            raise ValueError("parent_R must never decrease")

    def _check_counts(self) -> None:
        for count in self.counts:
            if not 0 <= count.sub_column < len(self.sub_columns):
                raise ValueError(f"count of {count.child}: no sub-column {count.sub_column}")
            if len(count.low_K) != self.sub_columns[count.sub_column].cardinality:
                raise ValueError(f"count of {count.child}: one range for each code expected")

    @property
    def rows(self) -> int:
        """Number of rows R."""
        return len(self.codes_RC)

    def parts(self) -> EncodedParts:
        """Give the table as its own only part."""
        none = None if self.parent_R is None else self.parent_R[:0]
        head = replace(self, codes_RC=self.codes_RC[:0], parent_R=none)
        return EncodedParts(head, self.rows, self.parent_R, lambda: iter([self.codes_RC]))


@dataclass(frozen=True)
class EncodedParts:
    """A table whose codes are made some rows at a time, so that they never need be in memory at once.

    Attributes:
        head: The table without rows.
        rows: Number of rows R.
        parent_R: As in ``EncodedTable``.
        chunks: Gives the codes of some rows after the other, each of shape (chunk, C), in the head's type.
    """

    head: EncodedTable
    rows: int
    parent_R: RowArray | None
    chunks: Callable[[], Iterator[CodeArray]]

    def whole(self) -> EncodedTable:
        """Give the table in memory."""
        codes_RC = np.concatenate([self.head.codes_RC, *self.chunks()])
        return replace(self.head, codes_RC=codes_RC, parent_R=self.parent_R)


@dataclass(frozen=True)
class Encoded:
    """All modelled tables of a database.

    Attributes:
        tables: Table by name, in the order of generation: a parent before its children.

    Guarantees:
        Every parent precedes its children, every ``parent_R`` points to an existing row, and every
        child table is named by exactly one count of its parent.
    """

    tables: Mapping[str, EncodedTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the promises between tables."""
        seen: dict[str, EncodedTable] = {}
        for name, table in self.tables.items():
            if table.parent is not None:
                if table.parent not in seen:
                    raise ValueError(f"{name}: its parent {table.parent} must come before it")
                parent = seen[table.parent]
                if table.parent_R is not None and len(table.parent_R) and table.parent_R[-1] >= parent.rows:
                    raise ValueError(f"{name}: parent_R points outside {table.parent}")
                if sum(count.child == name for count in parent.counts) != 1:
                    raise ValueError(f"{name}: {table.parent} must count it exactly once")
            seen[name] = table

    def root_rows(self, name: str) -> RowArray:
        """Give the row number of each row's root, shape (R,)."""
        table = self.tables[name]
        if table.parent is None or table.parent_R is None:
            return np.arange(table.rows, dtype=np.int64)
        return self.root_rows(table.parent)[table.parent_R]
