"""Conditions on rows, as SQL has them: a row breaks a check when it is false, not when it is unknown.

Texts compare by their characters' numbers. ``like`` tells capitals apart. Regular expressions are RE2's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.schema.check import PATTERNS, Check

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
    "=": pc.equal,
    "!=": pc.not_equal,
}


def broken_rows(check: Check, table: pa.Table) -> NDArray[np.bool_]:
    """Mark the rows of a table that break a check, shape (rows,).

    Raises:
        ValueError: The check cannot be applied to these columns; see ``find_misfit``.
    """
    if misfit := find_misfit(check, table.schema):
        raise ValueError(f"{check}: {misfit}")
    marks = [np.zeros(0, np.bool_)]
    for batch in table.select(list(dict.fromkeys(check.columns))).to_batches():
        kept = _evaluate(check, batch)
        marks.append(pc.fill_null(pc.invert(kept), False).to_numpy(zero_copy_only=False))
    return np.concatenate(marks)


def find_misfit(check: Check, schema: pa.Schema) -> str | None:
    """Say why a check cannot be applied to columns of these types; None when it can. Names no constant."""
    for name in check.columns:
        if name not in schema.names:
            return f"there is no column {name}"
    kind = schema.field(check.column).type
    if check.operator == "null":
        return None
    if check.operator in PATTERNS and not _is_text(kind):
        return f"{check.column} is stored as {kind}, which matches no pattern"
    if check.other is None and _is_text(kind) and not check.quoted:
        return f"{check.column} is a text; write its values in single quotes"
    names = list(dict.fromkeys(check.columns))
    unknown = [pa.nulls(1, schema.field(name).type) for name in names]
    try:
        _evaluate(check, pa.RecordBatch.from_arrays(unknown, names=names))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, InvalidOperation, ValueError):
        against = f"{check.other}, {schema.field(check.other).type}" if check.other else "what is written"
        return f"{check.column} is stored as {kind}, which does not compare with {against}"
    return None


def _evaluate(check: Check, batch: pa.RecordBatch) -> pa.Array:
    """Give for every row whether it keeps the check: true, false or unknown."""
    values = _comparable(batch.column(check.column))
    if check.operator == "null":
        kept = pc.is_null(batch.column(check.column))
    elif pa.types.is_null(values.type):
        kept = pa.nulls(len(values), pa.bool_())
    elif check.operator == "in":
        listed = pa.array([_read(text, values.type) for text in check.constants])
        shared = listed.type if pa.types.is_decimal(listed.type) else values.type
        found = pc.is_in(_cast(values, shared), value_set=listed)
        kept = pc.if_else(pc.is_valid(values), found, pa.scalar(None, pa.bool_()))
    elif check.operator == "like":
        kept = pc.match_like(values, check.constants[0])
    elif check.operator == "matches":
        kept = pc.match_substring_regex(values, check.constants[0])
    else:
        kept = _compare(check, values, batch)
    return pc.invert(kept) if check.negated else kept


def _compare(check: Check, values: pa.Array, batch: pa.RecordBatch) -> pa.Array:
    if check.other is not None:
        return _COMPARE[check.operator](values, _comparable(batch.column(check.other)))
    constant = _read(check.constants[0], values.type)
    return _COMPARE[check.operator](_cast(values, constant.type), constant)


def _comparable(values: pa.Array) -> pa.Array:
    """Let what is not a number be unknown: SQL's systems disagree on how it compares."""
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Give numbers the type of the constant; others have it."""
    if values.type == kind:
        return values
    if pa.types.is_integer(values.type) and pa.types.is_decimal(kind):
        return values.cast(pa.decimal256(76, 38))
    return values.cast(kind)


def _read(text: str, kind: pa.DataType) -> pa.Scalar:
    """Read a constant as a column's values are: exactly, numbers beside whole numbers as decimals.

    Raises:
        pa.ArrowInvalid: It is no value of the type.
        InvalidOperation: It is no number.
        ValueError: It is no time.
    """
    is_ = pa.types
    if is_.is_floating(kind):
        return pa.scalar(float(Decimal(text)), pa.float64())
    if is_.is_integer(kind) or is_.is_decimal(kind):
        return pa.scalar(Decimal(text), pa.decimal256(76, 38))
    if is_.is_time(kind):
        return pa.scalar(time.fromisoformat(text), kind)
    return pa.scalar(text).cast(kind)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
