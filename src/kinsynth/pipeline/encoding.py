"""Fitted codecs for every table of a database, and the way from tables to codes and back.

A ``Factor`` is one thing the model draws: a column (or a pair), the row of a lookup, the place of a row
in a sequence, or the number of child rows. Keys are no factors: they are made anew by ``link``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.base import Codec, Values
from kinsynth.columns.count import CountCodec
from kinsynth.columns.registry import codec_from_json
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.encoded import ChildCount, Encoded, EncodedTable, IntArray, SubColumn
from kinsynth.system.randomness import uniforms

FactorKind = Literal["column", "reference", "sequence", "count"]


@dataclass(frozen=True)
class Factor:
    """One thing the model draws for a row.

    Attributes:
        kind: What it is.
        columns: Columns of the table it reads and fills; empty for a count.
        codec: How it becomes codes.
        other: The referenced table of a reference, the child table of a count, the parent's column
            a sequence may start from; empty otherwise.
    """

    kind: FactorKind
    columns: tuple[str, ...]
    codec: Codec
    other: str = ""


@dataclass(frozen=True)
class TableCodec:
    """How one synthesised table becomes codes.

    Attributes:
        name: Name of the table.
        parent: Name of the parent table, or None for a root table.
        ordered: Whether the order of rows under one parent carries meaning.
        factors: What the model draws, in the order of the encoded columns.
    """

    name: str
    parent: str | None
    ordered: bool
    factors: tuple[Factor, ...]

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Sub-columns of all factors, numbered by factor."""
        return tuple(
            replace(sub, column=number)
            for number, factor in enumerate(self.factors)
            for sub in factor.codec.sub_columns
        )

    @property
    def counts(self) -> tuple[ChildCount, ...]:
        """How sub-columns say the numbers of child rows."""
        found, start = [], 0
        for factor in self.factors:
            if isinstance(factor.codec, CountCodec):
                codec = factor.codec
                found.append(ChildCount(factor.other, start, codec.low_K, codec.high_K))
            start += len(factor.codec.sub_columns)
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        factors = [
            {"kind": f.kind, "columns": list(f.columns), "other": f.other, "codec": f.codec.to_json()}
            for f in self.factors
        ]
        return {"name": self.name, "parent": self.parent, "ordered": self.ordered, "factors": factors}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> TableCodec:
        """Read what ``to_json`` gave."""
        factors = tuple(
            Factor(f["kind"], tuple(f["columns"]), codec_from_json(f["codec"]), f["other"])
            for f in document["factors"]
        )
        return TableCodec(document["name"], document["parent"], document["ordered"], factors)
