"""Copies: a column that repeats another one, missing values included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import pyarrow as pa

from kinsynth.rules.base import Columns
from kinsynth.rules.formula import Formula
from kinsynth.rules.view import View


@dataclass(frozen=True)
class Copy(Formula):
    """``columns[0]`` is ``columns[1]``."""

    kind: ClassVar[str] = "copy"
    columns: tuple[str, ...]
    complete: bool = True

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name pairs of one type whose sampled values agree; rather the earlier column as source."""
        sample = view.sample
        for source, target in combinations(sample.columns, 2):
            if sample.columns[source].equals(sample.columns[target]) and len(view.code(source)[1]) > 1:
                yield target, source
                yield source, target

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Copy | None:
        """Make the rule where all values agree."""
        target, source = columns
        return cls(columns) if view.columns[target].equals(view.columns[source]) else None

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:
        """Count rows whose values differ."""
        if view.columns[columns[0]].type != view.columns[columns[1]].type:
            return view.rows
        return int(cls(columns).broken(view.columns).sum())

    def predict(self, columns: Columns) -> pa.Array:
        """Give the source."""
        return columns[self.columns[1]]
