"""Lookups: distinct values with a number for each, kept as texts; a missing value is a value here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.columns.measure import Rows
from kinsynth.columns.storage import read_values, write_values


@dataclass(frozen=True)
class Values:
    """Some values of one column.

    Attributes:
        storage: Arrow type.
        texts: The values, as texts; None for missing.
    """

    storage: str
    texts: tuple[str | None, ...]

    @cached_property
    def array(self) -> pa.Array:
        """The values."""
        return read_values(list(self.texts), self.storage)  # type: ignore[arg-type]

    def find(self, values: pa.Array) -> Rows:
        """Give the place of each value among these; -1 for others.

        >>> Values("string", ("a", None)).find(pa.array(["a", None, "b"])).tolist()
        [0, 1, -1]
        """
        place_R: Rows = pc.index_in(values, value_set=self.array).fill_null(-1).to_numpy().astype(np.int64)
        return place_R

    def nearest(self, values: pa.Array) -> Rows:
        """Give the place of the nearest value, for numbers; the first one for a missing number."""
        known_V = pc.cast(self.array, pa.float64()).fill_null(np.inf).to_numpy()
        number_R = pc.cast(values, pa.float64(), safe=False).fill_null(-np.inf).to_numpy()
        order_V = np.argsort(known_V, kind="stable")
        sorted_V = known_V[order_V]
        right_R = np.clip(np.searchsorted(sorted_V, number_R), 1, max(1, len(sorted_V) - 1))
        right_R = np.minimum(right_R, len(sorted_V) - 1)
        left_R = np.maximum(right_R - 1, 0)
        closer_R = number_R - sorted_V[left_R] <= sorted_V[right_R] - number_R
        place_R: Rows = order_V[np.where(closer_R, left_R, right_R)]
        return place_R

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {"storage": self.storage, "texts": list(self.texts)}

    @staticmethod
    def from_json(document: dict[str, Any]) -> Values:
        """Read what ``to_json`` gave."""
        return Values(document["storage"], tuple(document["texts"]))


def keep_values(values: pa.Array) -> Values:
    """Keep values as texts."""
    return Values(str(values.type), tuple(write_values(values)))
