"""Sub-columns: the integer columns of a table, and how two of them go together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
CodeArray = NDArray[np.integer[Any]]
RowArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
CODE_TYPES: tuple[np.dtype[Any], ...] = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.int32))


def code_type(cardinalities: Iterable[int]) -> np.dtype[Any]:
    """Give the smallest integer type that holds all codes of a table.

    >>> code_type([3, 256]), code_type([3, 257]), code_type([70_000])
    (dtype('uint8'), dtype('uint16'), dtype('int32'))
    """
    largest = max(cardinalities, default=1) - 1
    return next(kind for kind in CODE_TYPES if largest <= np.iinfo(kind).max)


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
        keys: Numbers of the keys it is part of: rows of one parent never agree on all sub-columns of a key.
        even_K: True for codes that are spread evenly over the rows: how many rows hold one follows the
            chances more closely than independent draws would. The others are so together, not each by
            itself. Shape (K,), or None when all draws are independent.
        several_K: True for codes that stand for several values: rows that agree on one need not agree on the
            value, so no key bars them. Shape (K,), or None when each stands for one.
    """

    column: int
    cardinality: int
    position_K: FloatArray | None = None
    forbidden_K: NDArray[np.bool_] | None = None
    shown: bool = True
    keys: tuple[int, ...] = ()
    even_K: NDArray[np.bool_] | None = None
    several_K: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.cardinality < 1 or self.column < 0:
            raise ValueError(f"cardinality={self.cardinality}, column={self.column}: expected >= 1 and >= 0")
        for name in ("position_K", "forbidden_K", "even_K", "several_K"):
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
            "keys": list(self.keys),
            "even": None if self.even_K is None else np.flatnonzero(self.even_K).tolist(),
            "several": None if self.several_K is None else np.flatnonzero(self.several_K).tolist(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SubColumn:
        """Read what ``to_json`` gave."""
        position_K = None
        if document["position"] is not None:
            places = [np.nan if place is None else place for place in document["position"]]
            position_K = np.array(places, dtype=np.float32)
        return cls(
            document["column"],
            document["cardinality"],
            position_K,
            _marks(document["forbidden"], document["cardinality"]),
            document["shown"],
            tuple(document["keys"]),
            _marks(document["even"], document["cardinality"]),
            _marks(document["several"], document["cardinality"]),
        )


def _marks(places: list[int] | None, size: int) -> NDArray[np.bool_] | None:
    """Give an array that is True at the places; None for None."""
    return None if places is None else np.isin(np.arange(size), places)


@dataclass(frozen=True)
class Together:
    """Two sub-columns of a row of which only some codes go together.

    Attributes:
        first: The sub-column that is drawn before.
        second: The other one.
        codes: For each code of the first those of the second that go with it; none for any.
    """

    first: int
    second: int
    codes: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        return {"first": self.first, "second": self.second, "codes": [list(some) for some in self.codes]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Together:
        """Read what ``to_json`` gave."""
        codes = tuple(tuple(some) for some in document["codes"])
        return cls(document["first"], document["second"], codes)
