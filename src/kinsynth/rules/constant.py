"""Constant: a column that holds one value in all rows that name some row of a lookup, though not any."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.measure import Mask
from kinsynth.rules.evidence import is_real, log_all_same
from kinsynth.rules.referenced import Places, Referenced
from kinsynth.rules.view import CONSTANT, REFERENCE, View


@dataclass(frozen=True, eq=False)
class Constant(Referenced):
    """``columns[0]`` has the told value where ``columns[1]`` names a told row; elsewhere it is as drawn.

    A learned chance near one is not enough: over many rows of a place it is missed once. Told are rows of the
    lookup that enough roots name, and at which independent values would hardly ever agree.
    """

    kind: ClassVar[str] = CONSTANT

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name for each column the key with the most rows that are told."""
        names = [name for name in view.of_kinds(REFERENCE) if 2 <= len(view.code(name)[1]) <= view.rows / 2]
        keys = {name: Places.of(view, (name,)) for name in names}
        for target in view.columns if keys else ():
            if view.kinds[target] != REFERENCE and len(view.code(target)[1]) > 1:
                told = {
                    key: int(places.rows_N[_told(view, target, places)].sum()) for key, places in keys.items()
                }
                best = max(told, key=lambda key: told[key])
                if told[best]:
                    yield target, best

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Constant | None:
        """Make the table of the rows of the lookup at which one value is no chance; None without any."""
        target, key = columns
        if view.kinds[key] != REFERENCE or not view.rows:
            return None
        places = Places.of(view, (key,))
        told_N = _told(view, target, places)
        return cls._of(view, columns, places, told_N) if told_N.any() else None

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:  # noqa: ARG003
        """Give 0: it has no form that rows could break."""
        return 0

    def chance(self, view: View) -> float:
        """Bound the chance that independent values agree at one of the rows of the lookup that are told."""
        places = Places.of(view, self.columns[1:])
        told_N = _told(view, self.columns[0], places)
        return float(_chances(view, self.columns[0], places, told_N).max()) if told_N.any() else 0.0


def _told(view: View, target: str, places: Places) -> Mask:
    """Mark the places that enough roots hold and that have one value of a column by no chance."""
    same_N: Mask = places.is_held(view) & places.is_constant(view.code(target)[0])
    if same_N.any():
        candidates = len(view.columns) ** 3
        chance_T = _chances(view, target, places, same_N)
        same_N[same_N] = [is_real(chance, candidates) for chance in chance_T.tolist()]
    return same_N


def _chances(view: View, target: str, places: Places, some_N: Mask) -> NDArray[np.float64]:
    """Bound the log-chance that values agree at each of some places, whichever of all places it is."""
    value_R, values = view.code(target)
    share_K = np.bincount(value_R, minlength=len(values)) / view.rows
    size_S, place_T = np.unique(places.roots_N[some_N], return_inverse=True)
    agree_S = [log_all_same(share_K, size_S[number : number + 1]) for number in range(len(size_S))]
    return np.array(agree_S)[place_T] + math.log(len(some_N))
