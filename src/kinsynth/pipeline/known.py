"""Known: cells of a root table that are given and come back as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.schema.table import Relation

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """Cells of one root table that are known.

    Attributes:
        cells: Known columns in their storage types, a row for each row to draw.
        known: Which cells of each column are known; the others are drawn.
        references: Row of the lookup for each row, -1 where it is missing, by known relation.
        reference_known: Which rows of each such relation are known.
    """

    cells: Mapping[str, pa.Array]
    known: Mapping[str, Flags]
    references: Mapping[Relation, NDArray[np.int64]] = field(default_factory=dict)
    reference_known: Mapping[Relation, Flags] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return len(next(iter(self.cells.values())))

    def written_over(self, column: str, drawn: pa.Array, first: int) -> pa.Array:
        """Put the known cells of a column in the place of drawn ones, from the given row on."""
        if column not in self.cells:
            return drawn
        cells = self.cells[column].slice(first, len(drawn))
        known = pa.array(self.known[column][first : first + len(drawn)])
        return pc.if_else(known, cells, drawn)

    def all_written_over(self, drawn: Mapping[str, pa.Array], first: int) -> dict[str, pa.Array]:
        """Put all known cells in the place of drawn ones, from the given row on."""
        return {column: self.written_over(column, array, first) for column, array in drawn.items()}

    def reference_over(self, relation: Relation, drawn: NDArray[np.int64], first: int) -> NDArray[np.int64]:
        """Put the known rows of a lookup in the place of drawn ones, from the given row on."""
        if relation not in self.references:
            return drawn
        here = slice(first, first + len(drawn))
        return np.where(self.reference_known[relation][here], self.references[relation][here], drawn)


NOTHING_KNOWN = Known({}, {})
