"""Referenced: a column that follows from the rows of lookups that a row points at, and a category perhaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.measure import Mask, Rows
from kinsynth.privacy.protection import count_roots
from kinsynth.rules.base import Columns
from kinsynth.rules.evidence import log_all_same
from kinsynth.rules.functions import CATEGORIES
from kinsynth.rules.lookup import Values, keep_values
from kinsynth.rules.view import REFERENCE, View

MOST_REFERENCES = 3
TOLD_SHARE = 0.8  # of the rows that have all references, at least
FREE_SHARE = 0.05  # of them, at most: rows of places at which several values are seen
_MOST_PLACES = 2**62


@dataclass(frozen=True, eq=False)
class Referenced:
    """``columns[0]`` follows from the other columns together: keys of lookups, and a category perhaps.

    A *place* is one value of each of them. A place that fewer roots hold than a rule needs is not told, nor
    is one where several values are seen, or where a key is missing: there the column stays as it is drawn.

    Attributes:
        columns: Target, then the keys and the category.
        sources: Values of each of them that a told place has.
        target: Values of the target.
        places: Of each told place the number of its value of each source, and that of the target.
    """

    kind: ClassVar[str] = REFERENCE
    draws: ClassVar[int] = 0
    columns: tuple[str, ...]
    sources: tuple[Values, ...]
    target: Values
    places: tuple[tuple[int, ...], ...]

    @property
    def writes(self) -> tuple[str, ...]:
        """The target."""
        return self.columns[:1]

    @property
    def derives(self) -> None:
        """Nothing: places that are not told have values that are drawn."""
        return

    @property
    def weaker(self) -> None:
        """None: a table either holds or does not."""
        return

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name for each column the fewest sources that it seems to follow from, references first."""
        found: dict[str, list[set[str]]] = {
            name: []
            for name in (view.columns if view.of_kinds(REFERENCE) else ())
            if view.kinds[name] != REFERENCE and 2 <= len(view.code(name)[1]) <= view.rows / 2
        }
        for sources in _sources(view):
            names = {*sources}
            left = [target for target in found if target not in names]
            left = [target for target in left if not any(known <= names for known in found[target])]
            if left and _can_repeat(view, sources):
                left = _seem_to_follow(view.sample, left, sources)
                left = left if left and _can_be_told(view, sources) else []
                for part in (view.large_sample, view):
                    left = _seem_to_follow(part, left, sources)
                for target in left:
                    found[target].append(names)
                    yield target, *sources

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Referenced | None:
        """Make the table where nearly all places that enough roots hold have one value."""
        sources = columns[1:]
        if not any(view.kinds[name] == REFERENCE for name in sources) or not view.rows:
            return None
        places = Places.of(view, sources)
        value_R, _ = view.code(columns[0])
        told_N = places.told(value_R, view)
        if told_N is None or not told_N.any():
            return None
        return cls._of(view, columns, places, told_N)

    @classmethod
    def _of(cls, view: View, columns: tuple[str, ...], places: Places, told_N: Mask) -> Self:
        """Make the table of some places, each of which has one value."""
        value_R, _ = view.code(columns[0])
        part_SN = [part_R[places.first_N[told_N]] for part_R in places.parts]
        value_N = value_R[places.first_N[told_N]]
        kept = [np.unique(part_N, return_inverse=True) for part_N in (*part_SN, value_N)]
        named = zip((*columns[1:], columns[0]), kept, strict=True)
        known = [view.code(name)[1].take(pa.array(one)) for name, (one, _) in named]
        return cls(
            columns,
            tuple(keep_values(one) for one in known[:-1]),
            keep_values(known[-1]),
            tuple(zip(*(number_N.tolist() for _, number_N in kept), strict=True)),
        )

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:
        """Count rows without the most frequent value of their place, of places that enough roots hold."""
        places = Places.of(view, columns[1:])
        value_R, _ = view.code(columns[0])
        unusual_R = places.usual(value_R)[places.number_R] != value_R
        return int(unusual_R[places.is_held(view)[places.number_R]].sum())

    def chance(self, view: View) -> float:
        """Bound the chance that independent values agree at each told place, whichever places these are."""
        places = Places.of(view, self.columns[1:])
        value_R, values = view.code(self.columns[0])
        told_N = places.told(value_R, view)
        if told_N is None:
            return 0.0
        share_K = np.bincount(value_R, minlength=len(values)) / view.rows
        chosen = np.count_nonzero(places.is_held(view)) * np.log(2)
        free = np.count_nonzero(places.is_held(view) & ~told_N) > 0
        return log_all_same(share_K, places.roots_N[told_N]) + (chosen if free else 0.0)

    @cached_property
    def _table(self) -> tuple[Rows, Rows]:
        """The joint numbers of the told places, ascending, and the target's value of each."""
        place_NS = np.array(self.places, dtype=np.int64).reshape(len(self.places), len(self.columns))
        key_N = _join(list(place_NS[:, :-1].T), [len(one.texts) for one in self.sources])
        order_N = np.argsort(key_N)
        return key_N[order_N], place_NS[order_N, -1]

    def _follow(self, columns: Columns) -> tuple[Rows, Mask]:
        """Give the number of the value that follows for each row, and which rows have one."""
        found = [one.find(columns[name]) for name, one in zip(self.columns[1:], self.sources, strict=True)]
        known_R = np.logical_and.reduce([one_R >= 0 for one_R in found])
        key_R = _join([one_R.clip(0) for one_R in found], [len(one.texts) for one in self.sources])
        key_N, value_N = self._table
        at_R = np.searchsorted(key_N, key_R).clip(max=len(key_N) - 1)
        return value_N[at_R], known_R & (key_N[at_R] == key_R)

    def broken(self, columns: Columns) -> Mask:
        """Mark rows of told places that hold another value."""
        value_R, known_R = self._follow(columns)
        broken_R: Mask = known_R & (self.target.find(columns[self.columns[0]]) != value_R)
        return broken_R

    def apply(
        self,
        columns: Columns,
        uniform_RD: NDArray[Any],  # noqa: ARG002
        spare: Columns,  # noqa: ARG002
    ) -> dict[str, pa.Array]:
        """Look the target up where the place is told."""
        (value_R, known_R), name = self._follow(columns), self.columns[0]
        return {name: pc.if_else(pa.array(known_R), self.target.array.take(pa.array(value_R)), columns[name])}

    def to_json(self) -> dict[str, Any]:
        """Give names and the table."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "sources": [one.to_json() for one in self.sources],
            "target": self.target.to_json(),
            "places": [list(place) for place in self.places],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Referenced:
        """Read what ``to_json`` gave."""
        return cls(
            tuple(document["columns"]),
            tuple(Values.from_json(one) for one in document["sources"]),
            Values.from_json(document["target"]),
            tuple(tuple(place) for place in document["places"]),
        )


@dataclass(frozen=True, eq=False)
class Places:
    """The places of some rows.

    Attributes:
        number_R: Place of each row, from 0.
        first_N: First row of each place.
        parts: Number of each row's value of each source.
        rows_N: Rows of each place.
        missing_N: Whether a key of lookups is missing there.
        roots_N: Roots that hold each place.
    """

    number_R: Rows
    first_N: Rows
    parts: tuple[Rows, ...]
    rows_N: Rows
    missing_N: Mask
    roots_N: Rows

    @classmethod
    def of(cls, view: View, sources: Sequence[str]) -> Places:
        """Number the places."""
        codes = [view.code(name) for name in sources]
        parts = tuple(code_R for code_R, _ in codes)
        key_R = _join(list(parts), [len(values) for _, values in codes])
        _, first_N, number_R = np.unique(key_R, return_index=True, return_inverse=True)
        missing_R = np.zeros(view.rows, dtype=bool)
        for name in sources:
            if view.kinds[name] == REFERENCE:
                missing_R |= view.missing(name)
        roots_N = count_roots(number_R, view.root_R, codes=len(first_N))
        return cls(number_R, first_N, parts, np.bincount(number_R), missing_R[first_N], roots_N)

    def is_held(self, view: View) -> Mask:
        """Mark the places that enough roots hold, all keys there."""
        held_N: Mask = (self.roots_N >= view.minimum) & ~self.missing_N
        return held_N

    def is_constant(self, value_R: Rows) -> Mask:
        """Mark the places that have one value."""
        breaks_R = value_R != value_R[self.first_N][self.number_R]
        constant_N: Mask = np.bincount(self.number_R, breaks_R, len(self.first_N)) == 0
        return constant_N

    def told(self, value_R: Rows, view: View) -> Mask | None:
        """Mark the places that are told; None where these are too few, or too many have several values."""
        rows_N, held_N = self.rows_N, self.is_held(view)
        told_N = held_N & self.is_constant(value_R)
        there, told, free = (int(rows_N[one].sum()) for one in (~self.missing_N, told_N, held_N & ~told_N))
        return told_N if told >= TOLD_SHARE * there > 0 and free <= FREE_SHARE * there else None

    def usual(self, value_R: Rows) -> Rows:
        """Give the most frequent value of each place."""
        width = int(value_R.max(initial=0)) + 1
        pair_U, rows_U = np.unique(self.number_R * width + value_R, return_counts=True)
        order_U = np.argsort(rows_U, kind="stable")
        usual_N = np.zeros(len(self.first_N), dtype=np.int64)
        usual_N[pair_U[order_U] // width] = pair_U[order_U] % width
        return usual_N


def _sources(view: View) -> Iterator[tuple[str, ...]]:
    """Give the sets of sources: references, then references with one category, the smallest first."""
    keys, rest = view.of_kinds(REFERENCE), view.of_kinds(*CATEGORIES)
    for size in range(1, MOST_REFERENCES + 1):
        yield from combinations(keys, size)
        yield from ((*names, one) for names in combinations(keys, size - 1) if names for one in rest)


def _can_repeat(view: View, sources: Sequence[str]) -> bool:
    """Tell whether places may be held by several rows, and can be numbered."""
    sizes = [len(view.code(name)[1]) for name in sources]
    return (
        all(2 <= size <= view.rows / 2 for size in sizes) and np.prod(np.array(sizes, float)) < _MOST_PLACES
    )


def _seem_to_follow(view: View, targets: Sequence[str], sources: Sequence[str]) -> list[str]:
    """Give the columns of which hardly any place has several values."""
    if not targets:
        return []
    key_R, there_R = _keys_there(view, sources)
    _, first_N, number_R = np.unique(key_R, return_index=True, return_inverse=True)
    most = 2 * FREE_SHARE * len(first_N)

    def follows(target: str) -> bool:
        code_R, values = view.code(target)
        value_R = code_R[there_R]
        breaks_R = value_R != value_R[first_N][number_R]
        if np.count_nonzero(np.bincount(number_R[breaks_R], minlength=len(first_N))) > most:
            return False  # each such place has two values at least: no need to count them
        return len(np.unique(number_R * len(values) + value_R)) <= len(first_N) + most

    return [target for target in targets if follows(target)]


def _can_be_told(view: View, sources: Sequence[str]) -> bool:
    """Tell whether places of so many rows as a root each would do hold most rows."""
    _, rows_N = np.unique(_keys_there(view, sources)[0], return_counts=True)
    return bool(rows_N[rows_N >= view.minimum].sum() >= TOLD_SHARE * rows_N.sum())


def _keys_there(view: View, sources: Sequence[str]) -> tuple[Rows, Mask]:
    """Give the joint numbers of the rows in which no key of lookups is missing, and which rows these are."""
    parts = [view.code(name) for name in sources]
    key_R = _join([code_R for code_R, _ in parts], [len(values) for _, values in parts])
    keys = [name for name in sources if view.kinds[name] == REFERENCE]
    there_R: Mask = ~np.logical_or.reduce([view.missing(name) for name in keys])
    return key_R[there_R], there_R


def _join(parts: Sequence[Rows], sizes: Sequence[int]) -> Rows:
    """Give one number for the numbers of several parts."""
    key_R = np.zeros_like(parts[0])
    for part_R, size in zip(parts, sizes, strict=True):
        key_R = key_R * size + part_R
    return key_R
