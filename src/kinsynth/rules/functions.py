"""Functions: a column whose value follows from the category of another one, by a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.measure import Mask, Rows
from kinsynth.rules.base import Columns
from kinsynth.rules.evidence import log_all_same
from kinsynth.rules.lookup import Values, keep_values
from kinsynth.rules.view import View, encode

CATEGORIES = ("boolean", "categorical")
MOST_INTEGERS = 1_000
KEPT_SHARE = 0.8


@dataclass(frozen=True)
class Function:
    """``columns[0]`` follows from ``columns[1]``.

    Attributes:
        columns: Target and source.
        source: Values of the source that enough roots hold.
        target: The value that follows from each.
        numeric: Whether a source value that is not in the table goes by the nearest one that is.
        usual: Place in the table for other values.
    """

    kind: ClassVar[str] = "function"
    draws: ClassVar[int] = 0
    columns: tuple[str, ...]
    source: Values
    target: Values
    numeric: bool
    usual: int

    @property
    def writes(self) -> tuple[str, ...]:
        """The target."""
        return self.columns[:1]

    @property
    def derives(self) -> str | None:
        """The target."""
        return self.columns[0]

    @property
    def weaker(self) -> None:
        """None: a table either holds or does not."""
        return

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name pairs that hold on a sample; sources with few values first, one direction of two."""
        sources = sorted(_sources(view), key=lambda name: len(view.code(name)[1]))
        for target in view.columns:
            for source in sources:
                if target != source and _holds_quickly(view, target, source):
                    back = target in sources and _rank(view, target) < _rank(view, source)
                    if not (back and _holds_quickly(view, source, target)):
                        yield target, source

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Function | None:
        """Make the table where each source value has one target value, and enough rows can be told by it."""
        target, source = columns
        code_R, known = view.code(source)
        value_R, values = view.code(target)
        if not view.rows or len(known) < 2 or len(values) < 2:
            return None
        follows_K = _follow(code_R, value_R, len(known))
        rows_K = np.bincount(code_R, minlength=len(known))
        kept_K = view.counts(source) >= view.minimum
        told = rows_K[kept_K].sum() >= KEPT_SHARE * view.rows
        if not told or (follows_K[code_R] != value_R).any():
            return None
        return cls(
            columns,
            keep_values(known.filter(pa.array(kept_K))),
            keep_values(values.take(pa.array(follows_K[kept_K]))),
            view.kinds[source] == "integer",
            int(np.argmax(rows_K[kept_K])),
        )

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:
        """Count rows without the most frequent value among those with the same source value."""
        if not view.rows:
            return 0
        (value_R, values), (code_R, known) = (view.code(name) for name in columns)
        pairs, counts = np.unique(code_R * len(values) + value_R, return_counts=True)
        most_K = np.zeros(len(known), dtype=np.int64)
        np.maximum.at(most_K, pairs // len(values), counts)
        return int(view.rows - most_K.sum())

    def chance(self, view: View) -> float:
        """Bound the chance that independent values agree within each value of the source."""
        target, source = self.columns
        share_K = np.bincount(view.code(target)[0]) / view.rows
        return log_all_same(share_K, view.counts(source))

    def broken(self, columns: Columns) -> Mask:
        """Mark rows that differ from the table, or from the first row with the same source value."""
        target, source = (columns[name] for name in self.columns)
        place_R = self.source.find(source)
        value_R, values = encode(target)
        expected_V = (
            pc.index_in(self.target.array, value_set=values).fill_null(-1).to_numpy().astype(np.int64)
        )
        code_R, known = encode(source)
        follows_K = _follow(code_R, value_R, len(known))
        known_R = place_R >= 0
        broken_R: Mask = follows_K[code_R] != value_R
        broken_R[known_R] = value_R[known_R] != expected_V[place_R[known_R]]
        return broken_R

    def apply(
        self,
        columns: Columns,
        uniform_RD: NDArray[Any],  # noqa: ARG002
        spare: Columns,  # noqa: ARG002
    ) -> dict[str, pa.Array]:
        """Look the target up."""
        source = columns[self.columns[1]]
        place_R = self.source.find(source)
        other_R = self.source.nearest(source) if self.numeric else np.full(len(source), self.usual)
        place_R = np.where(place_R < 0, other_R, place_R)
        return {self.columns[0]: self.target.array.take(pa.array(place_R))}

    def to_json(self) -> dict[str, Any]:
        """Give names and the table."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "source": self.source.to_json(),
            "target": self.target.to_json(),
            "numeric": self.numeric,
            "usual": self.usual,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Function:
        """Read what ``to_json`` gave."""
        return cls(
            tuple(document["columns"]),
            Values.from_json(document["source"]),
            Values.from_json(document["target"]),
            document["numeric"],
            document["usual"],
        )


def _sources(view: View) -> list[str]:
    """Name columns with few values for their rows."""
    names = view.of_kinds(*CATEGORIES)
    names += [name for name in view.of_kinds("integer") if len(view.code(name)[1]) <= MOST_INTEGERS]
    return [name for name in names if 2 <= len(view.code(name)[1]) <= view.rows / 2]


def _rank(view: View, name: str) -> tuple[bool, int]:
    """Order columns that say the same: texts before numbers, then as they stand."""
    return view.kinds[name] not in CATEGORIES, list(view.columns).index(name)


def _holds_quickly(view: View, target: str, source: str) -> bool:
    sample = view.sample
    code_R, known = sample.code(source)
    value_R, values = sample.code(target)
    return len(values) > 1 and bool((_follow(code_R, value_R, len(known))[code_R] == value_R).all())


def _follow(code_R: Rows, value_R: Rows, codes: int) -> Rows:
    """Give a target value for each source value: that of its first row."""
    follows_K = np.zeros(codes, dtype=np.int64)
    follows_K[code_R[::-1]] = value_R[::-1]
    return follows_K
