"""Sketches: one number or category that sums up the child rows of a parent, in few coarse codes.

They are tokens between parent and children only: nothing is ever decoded from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Rows, Values
from kinsynth.columns.storage import as_array
from kinsynth.encoded import FloatArray, IntArray, SubColumn
from kinsynth.privacy.protection import Roots, count_roots, group_until_safe, has_few_roots

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SketchCodec:
    """Codes of one summary of a parent's child rows.

    Attributes:
        column: Column of the child table that is summed up.
        statistic: Which summary it is.
        absent: Whether code 0 stands for parents without the summary: no child rows, or no values in them.
        edge_K: Smallest summary of each further cell but the first, ascending; for categories the codes
            that have a cell of their own.
        mass_K: Parents of each code.
        ordered: Whether summaries are numbers; else they are codes of categories.

    Guarantees:
        At least ``rare_minimum`` roots stand behind each code: of parents, and of the rows summed up.
        An edge is the roundest number between two summaries.
    """

    kind: ClassVar[str] = "sketch"
    column: str
    statistic: str
    absent: bool
    edge_K: Numbers
    mass_K: Rows
    ordered: bool

    @cached_property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """One token, ordered where summaries are numbers."""
        codes = len(self.mass_K)
        if not self.ordered:
            return (SubColumn(0, codes),)
        mass_K = self.mass_K.copy()
        mass_K[: int(self.absent)] = 0
        position_K = (np.cumsum(mass_K) - mass_K / 2) / max(int(mass_K.sum()), 1)
        position_K[: int(self.absent)] = np.nan
        position: FloatArray = position_K.astype(np.float32)
        return (SubColumn(0, codes, position),)

    @property
    def draws(self) -> int:
        """None: it is never decoded."""
        return 0

    def encode(self, values: Values) -> IntArray:
        """Turn summaries into codes; missing stands for a parent without the summary."""
        array = as_array(values[0])
        valid_R = array.is_valid().to_numpy(zero_copy_only=False)
        cell_R = self.cells(array.fill_null(0.0).to_numpy(zero_copy_only=False))
        absent = 0 if self.absent else self._likely
        codes_RC: IntArray = np.where(valid_R, cell_R + int(self.absent), absent).astype(np.int32)[:, None]
        return codes_RC

    def cells(self, value_R: Numbers) -> Rows:
        """Give the cell of each summary, shape (R,).

        Categories without a cell of their own share the last one, where enough roots hold them; else they
        join the likeliest.
        """
        if self.ordered:
            return np.searchsorted(self.edge_K, value_R, side="right").astype(np.int64)
        place_R, kept = _places(self.edge_K, value_R), len(self.edge_K)
        if len(self.mass_K) > kept + int(self.absent):
            return place_R
        return np.where(place_R < kept, place_R, self._likely - int(self.absent))

    @property
    def _likely(self) -> int:
        """The code in the middle of numbers, or that of most parents: what is too rare joins it."""
        mass_K = self.mass_K[int(self.absent) :]
        middle = np.searchsorted(np.cumsum(mass_K), mass_K.sum() / 2) if self.ordered else mass_K.argmax()
        return int(middle) + int(self.absent)

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> NoReturn:  # noqa: ARG002
        """Refuse: a sketch is no cell of a table.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"{self.statistic} of {self.column}: a sketch is never decoded")

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {
            "kind": self.kind,
            "column": self.column,
            "statistic": self.statistic,
            "absent": self.absent,
            "edges": self.edge_K.tolist(),
            "mass": self.mass_K.tolist(),
            "ordered": self.ordered,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> SketchCodec:
        """Make a codec of ``to_json``'s document."""
        return cls(
            document["column"],
            document["statistic"],
            document["absent"],
            np.array(document["edges"], dtype=np.float64),
            np.array(document["mass"], dtype=np.int64),
            document["ordered"],
        )


@dataclass(frozen=True)
class Behind:
    """Who stands behind summaries: holders of parents, or of their child rows.

    Attributes:
        parent_N: Parent of each holder, shape (N,).
        root_N: The holders' numbers, by one unit of protection or more.
    """

    parent_N: Rows
    root_N: Roots


def build_sketch(
    value_R: Numbers,
    root_R: Roots,
    *,
    behind: Behind | None = None,
    column: str,
    statistic: str,
    ordered: bool,
    cells: int,
    minimum: int,
) -> SketchCodec | None:
    """Cut the summaries of all parents into about ``cells`` cells of equal mass.

    Args:
        value_R: Summary of each parent; NaN where it has none, shape (R,).
        root_R: Number of each parent's root, shape (R,), or own roots.
        behind: Who stands behind the summaries; none given, the parents' roots.
        column: Column of the child table that is summed up.
        statistic: Which summary it is.
        ordered: Whether summaries are numbers; else codes of categories.
        cells: Most cells wished for; a summary that many parents share has a cell of its own.
        minimum: How many roots a cell needs.

    Returns:
        The codec, or None where it would tell nothing: fewer than two codes.
    """
    known_R = ~np.isnan(value_R)
    absent = not has_few_roots(~known_R, root_R, minimum=minimum)
    behind = behind or Behind(np.arange(len(value_R)), root_R)
    held, known_N = value_R[known_R], known_R[behind.parent_N]
    if has_few_roots(known_N, behind.root_N, minimum=minimum):
        return None
    place_N = (np.cumsum(known_R) - 1)[behind.parent_N[known_N]]
    behind = Behind(place_N, behind.root_N[known_N])
    edge_K = _edges(held, behind, cells, minimum) if ordered else _kept(held, behind, cells, minimum)
    cell_R = np.searchsorted(edge_K, held, side="right") if ordered else _places(edge_K, held)
    if not ordered and has_few_roots((cell_R == len(edge_K))[place_N], behind.root_N, minimum=minimum):
        cell_R = cell_R[cell_R < len(edge_K)]
    mass_K = np.bincount(cell_R).astype(np.int64)
    mass_K = np.append((~known_R).sum(), mass_K) if absent else mass_K
    return SketchCodec(column, statistic, absent, edge_K, mass_K, ordered) if len(mass_K) > 1 else None


def _places(kept_K: Numbers, code_R: Numbers) -> Rows:
    """Give the place of each code among those kept, their number for all others."""
    if not len(kept_K):
        return np.zeros(len(code_R), dtype=np.int64)
    found_R = np.searchsorted(kept_K, code_R).clip(max=len(kept_K) - 1)
    return np.where(kept_K[found_R] == code_R, found_R, len(kept_K))


def _edges(value_R: Numbers, behind: Behind, cells: int, minimum: int) -> Numbers:
    """Give the roundest numbers between neighbouring cells of about equal mass."""
    tick_D, place_R, rows_D = np.unique(value_R, return_inverse=True, return_counts=True)
    middle_D = (np.cumsum(rows_D) - rows_D / 2) / rows_D.sum()
    equal_D = np.unique((middle_D * cells).astype(np.int64), return_inverse=True)[1]
    group_D = group_until_safe(
        equal_D.astype(np.int64), place_R[behind.parent_N], behind.root_N, minimum=minimum
    )
    first = np.flatnonzero(np.diff(group_D) > 0) + 1
    pairs = zip(tick_D[first - 1].tolist(), tick_D[first].tolist(), strict=True)
    return np.array([roundest_number(low, high) for low, high in pairs])


def _kept(code_R: Numbers, behind: Behind, cells: int, minimum: int) -> Numbers:
    """Give the codes that enough roots hold, the most frequent ones if they are too many, ascending."""
    code_D, place_R, rows_D = np.unique(code_R, return_inverse=True, return_counts=True)
    safe_D = count_roots(place_R[behind.parent_N], behind.root_N, codes=len(code_D)) >= minimum
    order = np.argsort(-np.where(safe_D, rows_D, 0), kind="stable")[: min(cells, int(safe_D.sum()))]
    return np.sort(code_D[order])


def roundest_number(low: float, high: float) -> float:
    """Give a number above ``low`` and not above ``high`` with as few digits as there is room for.

    >>> roundest_number(12.34, 13.1), roundest_number(0.0, 1.0), roundest_number(1234.0, 1290.0)
    (13.0, 1.0, 1250.0)
    """
    width = high - low
    if not np.isfinite(width) or width <= 0:
        return high
    exponent = int(np.floor(np.log10(width)))
    for step in (5.0 * 10.0**exponent, 10.0**exponent, 10.0 ** (exponent - 1)):
        found = float(np.floor(high / step) * step)
        if low < found <= high:
            return found
    return high
