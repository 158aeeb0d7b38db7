"""Conditions: what a user asks of one drawing beside its size: known values, shares, values to keep out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from kinsynth.connectors.memory import tables_from_memory
from kinsynth.errors import SettingsError
from kinsynth.schema.graph import find_structure
from kinsynth.schema.literals import parse_text
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Column, Schema

Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Conditions:
    """What the rows of one drawing must keep to.

    Attributes:
        given: Known cells of root tables by name: a row for each row to draw. An empty cell is unknown.
        fixed: Known values for all rows: table, column, value.
        empty_is_missing: Columns of ``given`` in which an empty cell is known to be missing.
        balance: Shares of values: table, column, value; None is the missing value. Other values share
            the rest as learned.
        never: Values that are not drawn: table, column, values.
        no_missing: Columns in which no missing value is drawn, by table.
        temperature: Above 1 draws more variety than was learned, below 1 less; None for the model's own.

    Values are texts as the source writes them, or values of the column's type.
    """

    given: Mapping[str, pa.Table] = field(default_factory=dict)
    fixed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    empty_is_missing: Names = field(default_factory=dict)
    balance: Mapping[str, Mapping[str, Mapping[Any, float]]] = field(default_factory=dict)
    never: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)
    no_missing: Names = field(default_factory=dict)
    temperature: float | None = None

    @property
    def restricts(self) -> bool:
        """Whether anything is asked of the rows."""
        named = (self.given, self.fixed, self.empty_is_missing, self.balance, self.never, self.no_missing)
        return any(named)

    def __post_init__(self) -> None:
        """Check the temperature, the only number that stands alone."""
        if self.temperature is not None and not 0 < self.temperature <= 5:
            raise SettingsError(
                "condition.temperature",
                f"temperature={self.temperature}: expected a number above 0, at most 5.",
                where="temperature",
                remedy="1 draws as learned.",
            )


def make_conditions(
    schema: Schema,
    *,
    given: Any = None,
    empty_is_missing: Names | None = None,
    balance: Mapping[str, Any] | None = None,
    never: Mapping[str, Any] | None = None,
    no_missing: Names | None = None,
    temperature: float | None = None,
) -> Conditions:
    """Read what a program asks for.

    Args:
        schema: Schema of the model; a table may be left out of ``given`` where there is one root table.
        given: By table, a frame or columns with a row for each row to draw, or one value for each column.
        empty_is_missing: As in ``Conditions``.
        balance: As in ``Conditions``.
        never: As in ``Conditions``.
        no_missing: As in ``Conditions``.
        temperature: As in ``Conditions``.

    Raises:
        KinsynthError: A table is no table.
    """
    tables = given if isinstance(given, Mapping) else {} if given is None else {only_root(schema): given}
    fixed = {name: table for name, table in tables.items() if _is_fixed(table)}
    frames = {name: table for name, table in tables.items() if name not in fixed}
    return Conditions(
        given=tables_from_memory(frames) if frames else {},
        fixed=fixed,
        empty_is_missing=empty_is_missing or {},
        balance=balance or {},
        never=never or {},
        no_missing=no_missing or {},
        temperature=temperature,
    )


def only_root(schema: Schema) -> str:
    """Give the name of the only root table.

    Raises:
        SettingsError: ``condition.table``, there are several.
    """
    roots = find_structure(schema).roots
    if len(roots) != 1:
        raise SettingsError(
            "condition.table",
            f"The model has {len(roots)} root tables: {', '.join(roots)}.",
            where="given",
            remedy="Say which one is meant: TABLE=FILE, or table.column.",
        )
    return roots[0]


def contradiction(where: str) -> SettingsError:
    """Give the error for a column that two conditions decide."""
    return SettingsError(
        "condition.contradiction",
        "The column is fixed to one value, and another condition decides its values too.",
        where=where,
        remedy="Keep one of the conditions.",
    )


def find_column(schema: Schema, name: str) -> tuple[str, str]:
    """Give the table and the column of ``table.column``, or of the column of the only root table.

    Raises:
        SettingsError: ``condition.unknown_column``.
    """
    for table, shape in schema.tables.items():
        if name.startswith(f"{table}.") and name[len(table) + 1 :] in shape.column_names:
            return table, name[len(table) + 1 :]
    root = only_root(schema) if name not in schema.tables else ""
    if root and name in schema.tables[root].column_names:
        return root, name
    raise SettingsError(
        "condition.unknown_column",
        "The model has no such column.",
        where=name,
        remedy="Write table.column, as the result names them.",
    )


def read_column(values: pa.ChunkedArray | pa.Array, column: Column, where: str) -> pa.Array:
    """Give values in the storage type of a column; text is read as the source writes it.

    Raises:
        SettingsError: ``condition.value``, a value is of another type.
        SchemaError: ``data.unparsable``, a text does not read as the type.
    """
    chunked = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    if pa.types.is_dictionary(chunked.type):
        chunked = chunked.cast(chunked.type.value_type)
    kind = storage_type(column.storage)
    if pa.types.is_null(chunked.type):
        return pa.nulls(len(chunked), kind)
    if pa.types.is_string(chunked.type) or pa.types.is_large_string(chunked.type):
        return _one(parse_text(chunked.cast(pa.string()), column))
    refused = SettingsError(
        "condition.value",
        f"Values of type {chunked.type} do not fit the column, which holds {column.storage}.",
        where=where,
        remedy="Give values of the column's type, or texts as the source writes them.",
    )
    if pa.types.is_boolean(kind) != pa.types.is_boolean(chunked.type):
        raise refused
    try:
        return _one(chunked.cast(kind))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise refused from None


def read_values(values: Sequence[Any], column: Column, where: str) -> pa.Array:
    """Give single values in the storage type of a column.

    Raises:
        SettingsError: ``condition.value``.
        SchemaError: ``data.unparsable``.
    """
    return pa.concat_arrays(
        [pa.nulls(0, storage_type(column.storage)), *(_read_value(value, column, where) for value in values)]
    )


def _read_value(value: Any, column: Column, where: str) -> pa.Array:
    try:
        array = pa.array([value])
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise SettingsError(
            "condition.value",
            f"A {type(value).__name__} is no value of the column, which holds {column.storage}.",
            where=where,
            remedy="Give values of the column's type, or texts as the source writes them.",
        ) from None
    return read_column(array, column, where)


def _one(values: pa.ChunkedArray) -> pa.Array:
    whole = values.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _is_fixed(table: Any) -> bool:
    """Tell whether one value stands for each column."""
    return (
        isinstance(table, Mapping)
        and bool(table)
        and all(isinstance(value, str) or not hasattr(value, "__len__") for value in table.values())
    )
