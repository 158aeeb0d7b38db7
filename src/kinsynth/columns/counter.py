"""Counters: a column that numbers the rows of one owner, such as the lines of an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from kinsynth.columns.base import Rows
from kinsynth.columns.identifier import Sequence
from kinsynth.columns.storage import as_array


@dataclass(frozen=True)
class CounterCodec:
    """Numbers of rows under one owner: nothing is drawn.

    Attributes:
        maker: Makes the number of each place.
    """

    kind: ClassVar[str] = "counter"
    maker: Sequence

    def values_at(self, place_R: Rows) -> pa.Array:
        """Give the value of each place, from 0 on, under an owner."""
        return self.maker.make(place_R)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {"kind": self.kind, "maker": self.maker.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> CounterCodec:
        """Make a codec of ``to_json``'s document."""
        maker = document["maker"]
        return cls(Sequence(maker["storage"], maker["start"], maker["step"]))


def build_counter(values: pa.Array | pa.ChunkedArray) -> CounterCodec:
    """Count on from the smallest value; every owner's rows begin with it."""
    numbers = as_array(values).drop_null().cast(pa.int64()).to_numpy()
    return CounterCodec(
        Sequence(str(values.type), int(np.min(numbers, initial=numbers[0] if len(numbers) else 1)))
    )
