"""Echoes: columns that mostly repeat a cell of another row, as the town of an order that of its customer.

What is repeated is said by one more code; the value is that of the cell in the other row as it is drawn. So
names that value protection replaces are the same on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Codec, Rows
from kinsynth.columns.detect import is_text
from kinsynth.columns.storage import as_array, read_values
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.privacy.protection import Roots, has_few_roots

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class EchoCodec:
    """Codes of a column that repeats a cell of another row, or has a value of its own.

    Attributes:
        inner: Codec of the column's own values.
        storage: Arrow type of the values.
        own: Whether enough roots have a value of their own; else all rows repeat the cell, without a code.
        missing: Whether a missing cell is repeated.
        refused: Values that are never repeated, as texts.

    Guarantees:
        A decoded value is that of the cell, or one that the inner codec gives.
    """

    kind: ClassVar[str] = "echo"
    inner: Codec
    storage: str
    own: bool
    missing: bool
    refused: tuple[str, ...] = ()

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Those of the inner codec, the first with one more code: as there."""
        if not self.own:
            return ()
        first, *rest = self.inner.sub_columns
        position_K, forbidden_K = first.position_K, first.forbidden_K
        more = replace(
            first,
            cardinality=first.cardinality + 1,
            position_K=None if position_K is None else np.append(position_K, np.nan),
            forbidden_K=None if forbidden_K is None else np.append(forbidden_K, False),
        )
        return (more, *rest)

    @property
    def draws(self) -> int:
        """As many as the inner codec needs."""
        return self.inner.draws

    def encode(self, values: pa.Array, there: pa.Array) -> IntArray:
        """Turn values into codes, given the cells of the other rows."""
        if not self.own:
            return np.zeros((len(values), 0), np.int32)
        codes_RC = self.inner.encode((values,))
        echoed_R = are_equal(values, there)
        codes_RC[echoed_R] = 0
        codes_RC[echoed_R, 0] = self._as_there
        return codes_RC

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any], there: pa.Array) -> pa.Array:
        """Turn codes into values, given the cells of the other rows as they are drawn.

        A cell that must not be repeated gives way to a value of the inner codec.
        """
        inner_RC = np.zeros((len(there), len(self.inner.sub_columns)), dtype=codes_RC.dtype)
        echoed_R = np.ones(len(there), dtype=np.bool_)
        if self.own:
            echoed_R = codes_RC[:, 0] == self._as_there
            inner_RC[~echoed_R] = codes_RC[~echoed_R]
        own = as_array(self.inner.decode(inner_RC, uniform_RD)[0])
        return pc.if_else(pa.array(echoed_R & ~self._barred(there)), there, own)

    @property
    def _as_there(self) -> int:
        return self.inner.sub_columns[0].cardinality

    def _barred(self, there: pa.Array) -> Mask:
        """Mark cells that are not repeated."""
        barred = pc.is_in(there, value_set=read_values(list(self.refused), self.storage))
        if not self.missing:
            barred = pc.or_(barred, there.is_null())
        return _plain(barred)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {
            "kind": self.kind,
            "inner": self.inner.to_json(),
            "storage": self.storage,
            "own": self.own,
            "missing": self.missing,
            "refused": list(self.refused),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any], inner: Codec) -> EchoCodec:
        """Make a codec of ``to_json``'s document, and of the inner codec that was made of its part."""
        own, missing = document["own"], document["missing"]
        return cls(inner, document["storage"], own, missing, tuple(document["refused"]))


def build_echo(inner: Codec, values: pa.Array, there: pa.Array, roots: Roots, *, minimum: int) -> EchoCodec:
    """Let a column repeat the cells of other rows.

    Args:
        inner: Codec of the column by itself.
        values: The column, shape (R,).
        there: The cells, in the column's type, shape (R,).
        roots: The root of each row.
        minimum: Roots needed with values of their own for that to be told.
    """
    own = not has_few_roots(~are_equal(values, there), roots, minimum=minimum)
    return EchoCodec(inner, str(values.type), own, bool(values.null_count))


def are_equal(values: pa.Array, there: pa.Array) -> Mask:
    """Tell which values equal those of other cells; missing equals missing."""
    equal = pc.fill_null(pc.equal(values, there), False)
    return _plain(pc.or_(equal, pc.and_(values.is_null(), there.is_null())))


def can_echo(of: pa.DataType, to: pa.DataType) -> bool:
    """Tell whether cells of one type can be repeated in a column of another one, but for the time of day.

    >>> can_echo(pa.int32(), pa.float64()), can_echo(pa.float64(), pa.int64())
    (True, False)
    """
    whole = pa.types.is_integer(of) and pa.types.is_integer(to)
    if of == to or (is_text(of) and is_text(to)):
        return True
    if whole:
        return bool(pa.types.is_signed_integer(of) == pa.types.is_signed_integer(to)) and bool(
            of.bit_width <= to.bit_width
        )
    if pa.types.is_floating(to):
        return bool(pa.types.is_integer(of) or pa.types.is_floating(of)) and bool(
            of.bit_width <= to.bit_width
        )
    if pa.types.is_timestamp(of) and pa.types.is_timestamp(to):
        return bool(of.tz == to.tz)
    dates = (
        pa.types.is_date(of) or pa.types.is_timestamp(of),
        pa.types.is_date(to) or pa.types.is_timestamp(to),
    )
    return all(dates) and not (getattr(of, "tz", None) or getattr(to, "tz", None))


def as_type(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """Give cells in a type that ``can_echo`` allows."""
    return as_array(cells) if cells.type == kind else as_array(pc.cast(cells, kind, safe=False))


def number_equals(values: pa.Array, there: pa.Array) -> tuple[Rows, Rows]:
    """Number the values of two columns of one type, equal ones alike; missing is a value."""
    both = pa.concat_arrays([values, there]).dictionary_encode(null_encoding="encode")
    number_R = both.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return number_R[: len(values)], number_R[len(values) :]


def _plain(mask: pa.Array) -> Mask:
    plain_R: Mask = as_array(mask).to_numpy(zero_copy_only=False)
    return plain_R
