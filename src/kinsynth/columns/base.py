"""ColumnType and Codec: the promises every column type keeps, and the counts they are made of.

The life of a column: ``fit`` counts the values of one part of the rows, ``merge`` adds such counts up,
``build`` makes a codec of them; the codec encodes and decodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.storage import as_array
from kinsynth.encoded import FloatArray, IntArray, SubColumn
from kinsynth.privacy.protection import Holders, Numbered, OwnRoots, Roots, all_units
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

Values = tuple[pa.ChunkedArray | pa.Array, ...]
Rows = NDArray[np.int64]
Uniforms = NDArray[np.float64]
_STRETCH = 1 << 20


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


@dataclass(frozen=True)
class Part:
    """The values of some rows, counted: what a codec is built from.

    Attributes:
        pairs: One line for each distinct pair of value and root, sorted: the value in columns ``v0``
            (``v1``), its ``root`` and how many ``rows`` hold it. A missing value is a value here. Without a
            column ``root`` each row has a root of its own, and there is one line for each distinct value.
            Roots by further units of protection stand in ``root1`` and so on.

    Guarantees:
        Merging is associative and equal to counting all rows at once.
    """

    pairs: pa.Table

    @property
    def values(self) -> tuple[pa.Array, ...]:
        """The value of each pair."""
        return tuple(as_array(self.pairs[name]) for name in self.pairs.column_names if name.startswith("v"))

    @property
    def roots(self) -> Roots:
        """The root of each pair, shape (P,)."""
        units = tuple(self.pairs[name].to_numpy() for name in self._root_names)
        if not units:
            return OwnRoots(self.rows)
        return units[0] if len(units) == 1 else Holders(units)

    @property
    def _root_names(self) -> list[str]:
        return [name for name in self.pairs.column_names if name.startswith("root")]

    def select(self, names: Iterable[str]) -> Part:
        """Keep some of the columns of values."""
        return Part(self.pairs.select([*names, *self._root_names, "rows"]))

    def by_root(self) -> Part:
        """Give the same counts with numbered roots: where each row has its own, one line a row."""
        if self._root_names:
            return self
        each = self.pairs.take(pa.array(np.repeat(np.arange(len(self.rows)), self.rows)))
        numbers = pa.array(np.arange(each.num_rows, dtype=np.int64))
        ones = pa.array(np.ones(each.num_rows, dtype=np.int64))
        return Part(each.drop_columns("rows").append_column("root", numbers).append_column("rows", ones))

    @property
    def rows(self) -> Rows:
        """How many rows hold each pair, shape (P,)."""
        rows: Rows = self.pairs["rows"].to_numpy()
        return rows


def count_part(values: Values, root_R: Numbered | None) -> Part:
    """Count the values of some rows.

    Args:
        values: One or two columns.
        root_R: Number of each row's root, by one unit or more; None where each row is a root of its own: so
            much less is kept.

    Guarantees:
        Memory beyond the columns themselves grows with the distinct pairs, not with the rows.
    """
    rows = len(values[0])
    stretches = [slice(start, start + _STRETCH) for start in range(0, max(rows, 1), _STRETCH)]
    return merge_parts(_count_stretch(values, root_R, stretch) for stretch in stretches)


def _count_stretch(values: Values, root_R: Numbered | None, stretch: slice) -> Part:
    columns = {f"v{place}": as_array(array[stretch]) for place, array in enumerate(values)}
    for unit, unit_R in enumerate(() if root_R is None else all_units(root_R)):
        columns[f"root{unit or ''}"] = pa.array(unit_R[stretch], pa.int64())
    ones = np.ones(len(columns["v0"]), dtype=np.int64)
    return _counted(pa.table({**columns, "rows": pa.array(ones)}))


def merge_parts(parts: Iterable[Part]) -> Part:
    """Add up the counts of several parts of the rows."""
    several = [part.pairs for part in parts]
    return Part(several[0]) if len(several) == 1 else _counted(pa.concat_tables(several))


def _counted(pairs: pa.Table) -> Part:
    keys = [name for name in pairs.column_names if name != "rows"]
    if len(keys) == 1 and _is_number(pairs.schema.field(0).type):
        return Part(_count_numbers(pairs))
    grouped = pairs.group_by(keys, use_threads=False).aggregate([("rows", "sum")])
    grouped = grouped.rename_columns([*keys, "rows"])
    return Part(grouped.sort_by([(key, "ascending") for key in keys]).combine_chunks())


def _is_number(kind: pa.DataType) -> bool:
    """Tell whether values lie in memory as numbers of their own order."""
    return pa.types.is_primitive(kind) and not pa.types.is_boolean(kind)


def _count_numbers(pairs: pa.Table) -> pa.Table:
    """Count by sorting: Arrow's hashes of amounts collide, which took ten times as long."""
    values, rows_P = as_array(pairs["v0"]), pairs["rows"].to_numpy()
    valid_P = values.is_valid().to_numpy(zero_copy_only=False)
    stored = values.drop_null()
    whole = pa.types.is_floating(stored.type) or pa.types.is_integer(stored.type)
    number_P = (stored if whole else stored.view(f"int{stored.type.bit_width}")).to_numpy()
    order = np.argsort(number_P, kind="stable")
    number_P, held_P = number_P[order], rows_P[valid_P][order]
    first_D = np.flatnonzero(np.concatenate([[True], number_P[1:] != number_P[:-1]])[: len(number_P)])
    rows_D = np.add.reduceat(held_P, first_D) if len(first_D) else held_P
    value_D = pa.array(number_P[first_D]).view(stored.type)
    if not valid_P.all():
        value_D = pa.concat_arrays([value_D, pa.nulls(1, stored.type)])
        rows_D = np.append(rows_D, rows_P[~valid_P].sum())
    return pa.table({"v0": value_D, "rows": pa.array(rows_D)})


Build = Callable[[Part, Column, Protection, TextFormat | None], Codec]
Cutter = Callable[[Part, Column, Protection, TextFormat | None, tuple[int, ...]], Codec]


@dataclass(frozen=True)
class ColumnType:
    """A type of columns: how to count values and how to make a codec of the counts.

    Attributes:
        name: Name as in ``settings.treatment.COLUMN_TYPES``.
        builder: Makes the codec.
        cutter: Makes one that tells moments as finely as protection allows; None where values are none.
    """

    name: str
    builder: Build
    cutter: Cutter | None = None

    def fit(self, values: Values, root_R: Numbered | None) -> Part:
        """Count the values of some rows; all rows of one root belong to one part.

        ``root_R`` is None for a root table: each row has a root of its own.
        """
        return count_part(values, root_R)

    def merge(self, parts: Iterable[Part]) -> Part:
        """Add up the counts of several parts."""
        return merge_parts(parts)

    def build(
        self,
        part: Part,
        settings: Column,
        protection: Protection,
        *,
        text: TextFormat | None = None,
        cuts: tuple[int, ...] | None = None,
    ) -> Codec:
        """Make a codec of the counts of all rows.

        Args:
            part: Counts of all rows.
            settings: Treatment of the column.
            protection: How rare and extreme values are protected.
            text: How values are written in the source; values named in the settings are read that way.
            cuts: For moments that others are counted from: last days, since 1970, of states; other types
                leave it unread.

        Raises:
            SettingsError: A value in the settings cannot be read, or no value may be generated.
        """
        if cuts is None or self.cutter is None:
            return self.builder(part, settings, protection, text)
        return self.cutter(part, settings, protection, text, cuts)


__all__ = [
    "Codec",
    "ColumnType",
    "FloatArray",
    "IntArray",
    "Part",
    "Rows",
    "SubColumn",
    "Uniforms",
    "Values",
    "count_part",
    "merge_parts",
]
