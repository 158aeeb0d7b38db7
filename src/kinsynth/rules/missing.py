"""Missing values: a column that is missing for some values of another one, and there for others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.measure import Mask
from kinsynth.privacy.protection import number_of_roots
from kinsynth.rules.base import Columns
from kinsynth.rules.evidence import is_real, limit
from kinsynth.rules.functions import CATEGORIES
from kinsynth.rules.lookup import Values, keep_values
from kinsynth.rules.view import View

_MOST_VALUES = 1_000
_MOST_NUMBERS = 50
_MOST_SOURCES = 3
_FEW_VALUES = 100
_EXPLAINED, _EXPLAINED_BY_MANY = 0.005, 0.05  # least share of the missing values


@dataclass(frozen=True)
class Missing:
    """Whether ``columns[0]`` is missing follows from ``columns[1]``.

    Attributes:
        columns: Target and source.
        gone: Values of the source for which the target is missing.
        there: Values for which it is not.
        rest_there: Whether it is there for all values but those in ``gone``.
    """

    kind: ClassVar[str] = "missing"
    draws: ClassVar[int] = 0
    columns: tuple[str, ...]
    gone: Values
    there: Values
    rest_there: bool

    @property
    def writes(self) -> tuple[str, ...]:
        """The target."""
        return self.columns[:1]

    @property
    def derives(self) -> str | None:
        """Nothing: where the target is there, its value is drawn."""
        return None

    @property
    def fills(self) -> bool:
        """Whether drawn missing values may have to be filled."""
        return self.rest_there or bool(self.there.texts)

    @property
    def reads_values(self) -> bool:
        """Whether it matters which value the source has, not only whether it is missing."""
        return any(text is not None for text in (*self.gone.texts, *self.there.texts))

    def without_filling(self) -> Missing:
        """Give the half of the rule that needs no values."""
        return replace(self, there=Values(self.there.storage, ()), rest_there=False)

    @property
    def weaker(self) -> Missing | None:
        """Only where it is missing."""
        return self.without_filling() if self.fills else None

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name for each column with missing values those that say most about them, the best first."""
        sample = view.large_sample
        for target in [name for name in view.columns if 0 < view.missing(name).sum() < view.rows]:
            told = {}
            for source in view.columns:
                if source != target and _is_first(view, target, source):
                    rule = cls.fit(sample, (target, source))
                    told[source] = (rule.told(sample), -len(sample.code(source)[1])) if rule else (0, 0)
            best = sorted((name for name in told if told[name][0]), key=told.__getitem__, reverse=True)
            yield from ((target, source) for source in best[:_MOST_SOURCES])

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Missing | None:
        """Take the values of the source that decide, each with enough evidence of its own."""
        target, source = columns
        missing_R = view.missing(target)
        share = float(missing_R.mean()) if view.rows else 0.0
        if not 0 < share < 1:
            return None
        code_R, known = view.code(source)
        rows_K = np.bincount(code_R, minlength=len(known))
        gone_K = np.bincount(code_R, missing_R, minlength=len(known)) == rows_K
        roots_K = view.counts(source)
        tests = len(known) * len(view.columns) ** 2
        named_K = _named(view, source) & (roots_K >= view.minimum)
        sure_K = named_K & (roots_K * math.log(share) < limit(tests))
        gone_K &= sure_K
        least = missing_R.sum() * (_EXPLAINED if len(known) <= _FEW_VALUES else _EXPLAINED_BY_MANY)
        together = bool((gone_K & known.is_null().to_numpy(zero_copy_only=False)).any())
        if not gone_K.any() or (not together and gone_K[code_R].sum() < least):
            return None
        there_K = np.bincount(code_R, missing_R, minlength=len(known)) == 0
        rest_there = bool(there_K[~gone_K].all()) and bool((~gone_K).any())
        certain_K = roots_K * math.log1p(-share) < limit(tests)
        rest_there &= bool((certain_K & ~gone_K).any()) or _is_rest_real(view, gone_K[code_R], share, tests)
        named_K &= certain_K
        kept_K = there_K & named_K & (not rest_there)
        return cls(
            columns,
            keep_values(known.filter(pa.array(gone_K))),
            keep_values(known.filter(pa.array(kept_K))),
            rest_there,
        )

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:  # noqa: ARG003
        """Give 0: no value of the source decides, so that no row is the wrong one."""
        return 0

    def told(self, view: View) -> int:
        """Count the rows that the rule decides."""
        gone_R, there_R = self._decided(view.columns[self.columns[1]])
        return int((gone_R | there_R).sum())

    def _decided(self, source: pa.Array) -> tuple[Mask, Mask]:
        gone_R = self.gone.find(source) >= 0
        return gone_R, ~gone_R if self.rest_there else self.there.find(source) >= 0

    def chance(self, view: View) -> float:
        """Bound the chance for the value with the most roots."""
        code_R, known = view.code(self.columns[1])
        place_K = self.gone.find(known)
        most = int(view.counts(self.columns[1])[place_K >= 0].max(initial=0))
        return most * math.log(float(view.missing(self.columns[0]).mean())) if len(code_R) else 0.0

    def broken(self, columns: Columns) -> Mask:
        """Mark rows with a value where none may be, or none where one must be."""
        missing_R: Mask = columns[self.columns[0]].is_null().to_numpy(zero_copy_only=False)
        gone_R, there_R = self._decided(columns[self.columns[1]])
        return (gone_R & ~missing_R) | (there_R & missing_R)

    def apply(
        self,
        columns: Columns,
        uniform_RD: NDArray[Any],  # noqa: ARG002
        spare: Columns,
    ) -> dict[str, pa.Array]:
        """Take values away, and fill in spare ones."""
        name = self.columns[0]
        values = columns[name]
        gone_R, there_R = self._decided(columns[self.columns[1]])
        if self.fills:
            missing_R = values.is_null().to_numpy(zero_copy_only=False)
            values = pc.if_else(pa.array(there_R & missing_R), spare[name], values)
        return {name: pc.if_else(pa.array(gone_R), pa.scalar(None, values.type), values)}

    def to_json(self) -> dict[str, Any]:
        """Give names and values that decide."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "gone": self.gone.to_json(),
            "there": self.there.to_json(),
            "rest_there": self.rest_there,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Missing:
        """Read what ``to_json`` gave."""
        gone, there = (Values.from_json(document[name]) for name in ("gone", "there"))
        return cls(tuple(document["columns"]), gone, there, document["rest_there"])


def _is_first(view: View, target: str, source: str) -> bool:
    """Of columns that are missing together, let the later follow from the earlier."""
    if not (view.missing(target) == view.missing(source)).all():
        return True
    names = list(view.columns)
    return names.index(source) < names.index(target)


def _is_rest_real(view: View, gone_R: Mask, share: float, tests: int) -> bool:
    """Tell whether enough roots stand behind the values that are not named."""
    roots = number_of_roots(view.root_R[~gone_R])
    return is_real(roots * math.log1p(-share), tests)


def _named(view: View, source: str) -> NDArray[np.bool_]:
    """Mark the values that may decide: categories, the missing value, the most frequent numbers."""
    roots_K, values = view.counts(source), view.code(source)[1]
    most = _MOST_VALUES if view.kinds[source] in CATEGORIES else _MOST_NUMBERS
    named_K = np.zeros(len(values), dtype=bool)
    named_K[np.argsort(-roots_K, kind="stable")[:most]] = True
    named_K |= values.is_null().to_numpy(zero_copy_only=False)
    return named_K
