"""Combinations: two categories of which only some pairs occur, as cities and countries that share names."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.measure import Mask, Rows
from kinsynth.privacy.protection import count_roots
from kinsynth.rules.base import Columns
from kinsynth.rules.functions import CATEGORIES
from kinsynth.rules.lookup import Values, keep_values
from kinsynth.rules.view import View

MOST_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class Combination:
    """``columns[0]`` and ``columns[1]`` only occur in pairs that enough roots hold.

    Attributes:
        columns: The column that changes where a drawn pair does not occur, and the one that stays.
        target, source: Values of the two that enough roots hold.
        pairs: Places in ``source`` and ``target`` of each pair, and the rows that hold it; by source.
    """

    kind: ClassVar[str] = "combination"
    draws: ClassVar[int] = 1
    columns: tuple[str, ...]
    target: Values
    source: Values
    pairs: tuple[tuple[int, int, int], ...]

    @property
    def writes(self) -> tuple[str, ...]:
        """The first column."""
        return self.columns[:1]

    @property
    def derives(self) -> None:
        """Nothing."""
        return

    @property
    def weaker(self) -> None:
        """None: pairs either occur or do not."""
        return

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name pairs of categories of which a good part does not occur in a sample, in both directions."""
        names = [name for name in view.of_kinds(*CATEGORIES) if 2 <= len(view.code(name)[1]) <= view.rows / 4]
        for target, source in permutations(names, 2):
            cells = len(view.code(target)[1]) * len(view.code(source)[1])
            if cells <= MOST_CELLS and _count_pairs(view.sample, target, source) < cells:
                yield target, source

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Combination | None:
        """Keep the pairs; every pair of two values that enough roots hold must be held by enough roots."""
        target, source = columns
        (target_R, targets), (source_R, sources) = view.code(target), view.code(source)
        common_T, common_S = (view.counts(name) >= view.minimum for name in columns)
        cell_R = source_R * len(targets) + target_R
        cell_P, first_P, rows_P = np.unique(cell_R, return_index=True, return_counts=True)
        place_R = np.searchsorted(cell_P, cell_R)
        roots_P = count_roots(place_R, view.root_R, codes=len(cell_P))
        of_P, to_P = source_R[first_P], target_R[first_P]
        both_P = common_S[of_P] & common_T[to_P]
        complete = len(np.unique(of_P[both_P])) == common_S.sum() and both_P.any()
        if not complete or (roots_P[both_P] < view.minimum).any() or both_P.sum() == common_S.sum():
            return None  # as many pairs as values: a function says more
        place_S, place_T = np.cumsum(common_S) - 1, np.cumsum(common_T) - 1
        kept = zip(place_S[of_P[both_P]], place_T[to_P[both_P]], rows_P[both_P], strict=True)
        return cls(
            columns,
            keep_values(targets.filter(pa.array(common_T))),
            keep_values(sources.filter(pa.array(common_S))),
            tuple((int(one), int(other), int(rows)) for one, other, rows in kept),
        )

    def chance(self, view: View) -> float:
        """Bound the chance that all pairs that do not occur are missed, whichever pairs these might be."""
        share_T, share_S = (self._shares(view, name) for name in self.columns)
        seen = sum(share_S[one] * share_T[other] for one, other, _ in self.pairs)
        cells = len(share_S) * len(share_T)
        return float(cells * math.log(2) - view.roots * (share_S.sum() * share_T.sum() - seen))

    def _shares(self, view: View, name: str) -> NDArray[np.float64]:
        values = self.target if name == self.columns[0] else self.source
        code_R, known = view.code(name)
        place_V = pc.index_in(values.array, value_set=known).to_numpy()
        shares: NDArray[np.float64] = np.bincount(code_R, minlength=len(known))[place_V] / view.rows
        return shares

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:  # noqa: ARG003
        """Give 0: every pair of the data occurs in the data."""
        return 0

    @cached_property
    def _cells(self) -> tuple[Rows, Rows]:
        """The cells of the pairs, ascending, and the rows up to each."""
        of_P, to_P, rows_P = np.array(self.pairs, dtype=np.int64).T
        return of_P * len(self.target.texts) + to_P, np.cumsum(rows_P)

    def _unknown(self, columns: Columns) -> tuple[Mask, Rows]:
        """Mark rows whose pair does not occur though both values do; give the place of the source value."""
        target_R, source_R = (
            self.target.find(columns[self.columns[0]]),
            self.source.find(columns[self.columns[1]]),
        )
        cell_P, _ = self._cells
        occurs_R = np.isin(source_R * len(self.target.texts) + target_R, cell_P)
        return (target_R >= 0) & (source_R >= 0) & ~occurs_R, source_R

    def broken(self, columns: Columns) -> Mask:
        """Mark rows whose pair does not occur though both values do."""
        return self._unknown(columns)[0]

    def apply(
        self,
        columns: Columns,
        uniform_RD: NDArray[Any],
        spare: Columns,  # noqa: ARG002
    ) -> dict[str, pa.Array]:
        """Draw the first column again, given the second, where their pair does not occur."""
        wrong_R, source_R = self._unknown(columns)
        cell_P, ends_P = self._cells
        width = len(self.target.texts)
        before_V = np.append(0, ends_P)[np.searchsorted(cell_P, np.arange(len(self.source.texts)) * width)]
        after_V = np.append(before_V[1:], ends_P[-1])
        place_R = np.where(wrong_R, source_R, 0)
        drawn_R = before_V[place_R] + uniform_RD[:, 0] * (after_V - before_V)[place_R]
        found_R = cell_P[np.searchsorted(ends_P, drawn_R, side="right")] % width
        name = self.columns[0]
        return {name: pc.if_else(pa.array(wrong_R), self.target.array.take(pa.array(found_R)), columns[name])}

    def to_json(self) -> dict[str, Any]:
        """Give names and pairs."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "target": self.target.to_json(),
            "source": self.source.to_json(),
            "pairs": [list(pair) for pair in self.pairs],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Combination:
        """Read what ``to_json`` gave."""
        pairs = tuple((of, to, rows) for of, to, rows in document["pairs"])
        target, source = (Values.from_json(document[name]) for name in ("target", "source"))
        return cls(tuple(document["columns"]), target, source, pairs)


def _count_pairs(view: View, target: str, source: str) -> int:
    """Count the pairs that occur."""
    (target_R, targets), (source_R, _) = view.code(target), view.code(source)
    return len(np.unique(source_R * len(targets) + target_R))
