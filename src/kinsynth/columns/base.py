"""ColumnType and Codec: the four promises every column type keeps.

The life of a column: ``match`` proposes a type, ``fit`` counts the values of one part of the rows,
``merge`` adds such counts up, ``build`` makes a codec of them; the codec encodes and decodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.encoded import FloatArray, IntArray, SubColumn

Values = tuple[pa.ChunkedArray | pa.Array, ...]


@dataclass(frozen=True)
class Match:
    """How well a column type fits a column.

    Attributes:
        confidence: Between 0 and 1.
        reason: Why, in words a user reads; names and counts, never a value.
    """

    confidence: float
    reason: str


class Codec(Protocol):
    """A fitted column type: turns the values of one column (or of a pair) into codes and back.

    Guarantees:
        ``decode(encode(x))`` is ``x`` up to the stated precision and value protection; a missing value
        stays missing. Decoding depends on codes and uniforms only. ``to_json`` holds everything.
    """

    kind: ClassVar[str]

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """What the model sees; ``column`` is 0 in each, the caller renumbers."""

    @property
    def draws(self) -> int:
        """How many uniforms decoding needs for each row (D)."""

    def encode(self, values: Values) -> IntArray:
        """Turn values into codes, shape (R, c)."""

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> Values:
        """Turn codes, shape (R, c), and uniforms in [0, 1), shape (R, D), into values."""

    def to_json(self) -> dict[str, Any]:
        """Give a JSON document from which ``registry.codec_from_json`` makes an equal codec."""


__all__ = ["Codec", "FloatArray", "IntArray", "Match", "SubColumn", "Values"]
