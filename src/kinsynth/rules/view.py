"""View: the rows of one table as rules look at them, each question about a column answered once.

Of a large table the last answers are kept, and others are given anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.measure import Mask, Measure, Rows, as_numbers, choose_measure, find_lattice
from kinsynth.privacy.protection import Numbered, OwnRoots, Roots, count_roots, extremes, number_of_roots

T = TypeVar("T")
SAMPLE = 2_000
LARGE_SAMPLE = 20_000
MOST_SEARCHED = 200_000
MOST_KEPT = 6
REFERENCE = "reference"
CONSTANT = "constant"
READS_KEYS = (REFERENCE, CONSTANT)  # kinds of rules that do
_LONG = ("code", "missing", "number", "ticks")


@dataclass(frozen=True, eq=False)
class View:
    """Rows of a table.

    Attributes:
        columns: Plain values of the columns that may take part, by name, each of shape (R,).
        kinds: Their column types; ``REFERENCE`` for keys that name rows of original tables.
        root_R: Number of each row's root, by one unit of protection or more, shape (R,).
        minimum: Fewest roots that must hold a value, or a combination, that a rule remembers.
        fixed: Columns that rules may read but not change.
    """

    columns: Mapping[str, pa.Array]
    kinds: Mapping[str, str]
    root_R: Numbered
    minimum: int
    fixed: frozenset[str] = frozenset()
    _known: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.root_R)

    @cached_property
    def roots(self) -> int:
        """Number of distinct roots."""
        return number_of_roots(self.root_R)

    @cached_property
    def sample(self) -> View:
        """At most ``SAMPLE`` rows, evenly spread: enough to see that most candidates do not hold."""
        return self._spread(SAMPLE)

    @cached_property
    def large_sample(self) -> View:
        """At most ``LARGE_SAMPLE`` rows, evenly spread."""
        return self._spread(LARGE_SAMPLE)

    @cached_property
    def searched(self) -> View:
        """The rows that rules are looked for in: all, or so many, evenly spread, that memory stays small."""
        return self._spread(MOST_SEARCHED)

    @cached_property
    def own(self) -> View:
        """The same rows without keys that name rows of original tables."""
        if not self.of_kinds(REFERENCE):
            return self
        columns = {name: values for name, values in self.columns.items() if self.kinds[name] != REFERENCE}
        return View(columns, self.kinds, self.root_R, self.minimum, self.fixed, self._known)

    def _spread(self, rows: int) -> View:
        if self.rows <= rows:
            return self
        place_R = np.linspace(0, self.rows - 1, rows).astype(np.int64)
        taken = {name: values.take(pa.array(place_R)) for name, values in self.columns.items()}
        return View(taken, self.kinds, self.root_R[place_R], self.minimum, self.fixed)

    def of_kinds(self, *kinds: str) -> list[str]:
        """Name the columns of some types."""
        return [name for name in self.columns if self.kinds[name] in kinds]

    def code(self, name: str) -> tuple[Rows, pa.Array]:
        """Give the number of each row's distinct value, a missing one included, and the values."""
        return self._once("code", name, encode)

    def counts(self, name: str) -> Rows:
        """Count the roots that hold each distinct value."""
        return self._once("counts", name, lambda _: self._count(*self.code(name)))

    def _count(self, code_R: Rows, values: pa.Array) -> Rows:
        if self.roots == self.rows:
            return np.bincount(code_R, minlength=len(values)).astype(np.int64)
        return count_roots(code_R, self.root_R, codes=len(values))

    def bounds(self, name: str) -> tuple[int, int] | None:
        """Give the smallest and largest tick that enough roots reach; None with fewer roots."""

        def answer(_: pa.Array) -> tuple[int, int] | None:
            tick_R, valid_R = self.ticks(name)
            own = self.roots == self.rows
            root_P: Roots = OwnRoots(np.ones(int(valid_R.sum()), np.int64)) if own else self.root_R[valid_R]
            if number_of_roots(root_P) < self.minimum:
                return None
            low, high = extremes(tick_R[valid_R], root_P, minimum=self.minimum)
            return int(low), int(high)

        return self._once("bounds", name, answer)

    def lattice(self, name: str) -> tuple[int, int]:
        """Give the step, with its remainder, that all ticks but those of few roots lie on."""

        def answer(_: pa.Array) -> tuple[int, int]:
            tick_R, valid_R = self.ticks(name)
            return find_lattice(tick_R[valid_R], self.root_R[valid_R], minimum=self.minimum)

        return self._once("lattice", name, answer)

    def missing(self, name: str) -> Mask:
        """Mark the missing values."""
        return self._once("missing", name, lambda values: values.is_null().to_numpy(zero_copy_only=False))

    def number(self, name: str) -> NDArray[np.float64]:
        """Give values as numbers, NaN for missing."""
        return self._once("number", name, as_numbers)

    def measure(self, name: str) -> Measure | None:
        """Give the exact measure of a column."""
        return self._once("measure", name, choose_measure)

    def ticks(self, name: str) -> tuple[Rows, Mask]:
        """Give the ticks of a column that has a measure, and which are not missing."""
        measure = self.measure(name)
        assert measure is not None, "asked only for columns with a measure"
        return self._once("ticks", name, measure.to_ticks)

    def _once(self, question: str, name: str, answer: Callable[[pa.Array], T]) -> T:
        key = (question, name)
        known: T = self._known.pop(key) if key in self._known else answer(self.columns[name])
        self._known[key] = known
        if self.rows > MOST_SEARCHED:
            self._forget()
        return known

    def _forget(self) -> None:
        """Of answers with an entry for each row keep the last only: all of a large table are too many."""
        long = [key for key in self._known if key[0] in _LONG]
        for key in long[: max(0, len(long) - MOST_KEPT)]:
            del self._known[key]


def encode(values: pa.Array) -> tuple[Rows, pa.Array]:
    """Number the distinct values, a missing one included."""
    encoded = values.dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary
