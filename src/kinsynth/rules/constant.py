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
        keys = [name for name in view.of_kinds(REFERENCE) if len(view.code(name)[1]) > 1]
        for target in view.columns if keys else ():
            if view.kinds[target] != REFERENCE and len(view.code(target)[1]) > 1:
                told = [_Evidence(view, target, key).rows for key in keys]
                if max(told):
                    yield target, keys[int(np.argmax(told))]

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Constant | None:
        """Make the table of the rows of the lookup at which one value is no chance; None without any."""
        target, key = columns
        if view.kinds[key] != REFERENCE or not view.rows:
            return None
        evidence = _Evidence(view, target, key)
        return cls._of(view, columns, evidence.places, evidence.told_N) if evidence.rows else None

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:  # noqa: ARG003
        """Give 0: it has no form that rows could break."""
        return 0

    def chance(self, view: View) -> float:
        """Bound the chance that independent values agree at one of the rows of the lookup that are told."""
        evidence = _Evidence(view, *self.columns)
        return float(evidence.chance_N[evidence.told_N].max(initial=-np.inf)) if evidence.rows else 0.0


class _Evidence:
    """Where a column has one value, and how likely that is by chance.

    Attributes:
        places: The rows of the lookup.
        chance_N: Bound on the log-chance that values agree there, whichever of the places it is.
        told_N: The places that are told.
    """

    def __init__(self, view: View, target: str, key: str) -> None:
        value_R, values = view.code(target)
        self.places = Places.of(view, (key,))
        share_K = np.bincount(value_R, minlength=len(values)) / max(view.rows, 1)
        held_N = self.places.is_held(view) & self.places.is_constant(value_R)
        self.chance_N: NDArray[np.float64] = np.zeros(len(held_N))
        for place in np.flatnonzero(held_N):
            agree = log_all_same(share_K, self.places.roots_N[place : place + 1])
            self.chance_N[place] = agree + math.log(len(held_N))
        candidates = len(view.columns) ** 3
        self.told_N: Mask = np.array([is_real(one, candidates) for one in self.chance_N.tolist()], dtype=bool)

    @property
    def rows(self) -> int:
        """Rows that are told their value."""
        return int(self.places.rows_N[self.told_N].sum())
