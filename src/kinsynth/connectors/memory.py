"""Tables handed over in Python: pandas, polars, pyarrow, or a dict of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from kinsynth.connectors.arrow_types import kept_column, kept_type
from kinsynth.connectors.headers import check_headers
from kinsynth.errors import SourceError

_MAX_COLUMNS = 5_000


def tables_from_memory(data: Mapping[str, Any]) -> dict[str, pa.Table]:
    """Turn tables of a program into Arrow tables.

    Args:
        data: Table by name: a pandas or polars frame, a pyarrow table, or a dict of columns. The index
            of a pandas frame is left out.

    Returns:
        Arrow table by name, with the types they have; dictionaries and categories decoded.

    Raises:
        SourceError: A table or column cannot be kept.

    Guarantees:
        What was handed over is not changed.

    >>> tables_from_memory({"t": {"a": [1, None]}})["t"].schema.field("a").type
    DataType(int64)
    """
    if not data:
        raise SourceError("source.no_tables", "No table was handed over.", remedy="Name at least one.")
    for name in data:
        if not isinstance(name, str) or not name.strip() or "/" in name or "\0" in name:
            raise SourceError(
                "source.table_name",
                "The name of a table is no text, empty, or has a slash.",
                remedy="Rename it.",
            )
    return {name: _plain(_as_arrow(name, table), name) for name, table in data.items()}


def _plain(table: pa.Table, name: str) -> pa.Table:
    """Check names and types; decode dictionaries."""
    if not table.num_columns:
        raise SourceError(
            "source.no_columns", "The table has no columns.", where=name, remedy="Leave it out."
        )
    check_headers(table.column_names, where=name, duplicates="refuse", max_columns=_MAX_COLUMNS)
    kinds = [kept_type(field, where=name) for field in table.schema]
    columns = [kept_column(column, kind) for column, kind in zip(table.columns, kinds, strict=True)]
    return pa.table(columns, names=table.column_names)


def _as_arrow(name: str, table: Any) -> pa.Table:
    """Turn one table into Arrow, by the library it comes from."""
    if isinstance(table, pa.Table):
        return table
    library = type(table).__module__.partition(".")[0]
    if library == "polars" and hasattr(table, "to_arrow") and hasattr(table, "get_columns"):
        return table.to_arrow()
    if library == "pandas" and hasattr(table, "columns"):
        pairs = [(label, table.iloc[:, position]) for position, label in enumerate(table.columns)]
        return _from_columns(name, pairs)
    if isinstance(table, Mapping):
        return _from_columns(name, list(table.items()))
    raise SourceError(
        "source.unknown_kind",
        f"A {type(table).__name__} is no table.",
        where=name,
        remedy="Hand over a pandas or polars frame, a pyarrow table, or a dict of columns.",
    )


def _from_columns(name: str, columns: list[tuple[Any, Any]]) -> pa.Table:
    """Turn columns into Arrow one by one, so that a message can name the one that cannot be."""
    arrays = [_array(f"{name}.{label}", values) for label, values in columns]
    if len({len(array) for array in arrays}) > 1:
        raise SourceError(
            "source.ragged_rows", "The columns have different lengths.", where=name, remedy="Make them equal."
        )
    return pa.Table.from_arrays(arrays, names=[str(label) for label, _ in columns])


def _array(where: str, values: Any) -> pa.Array | pa.ChunkedArray:
    """Turn one column into Arrow; not-a-number of pandas is missing."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if isinstance(values, str | bytes):
        raise SourceError(
            "source.column_type",
            f"A single {type(values).__name__} is no column.",
            where=where,
            remedy="Give a list with a value for each row.",
        )
    library = type(values).__module__.partition(".")[0]
    if library == "polars":
        return values.to_arrow()
    try:
        return pa.array(values, from_pandas=library == "pandas")
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise SourceError(
            "source.column_type",
            f"The values cannot be kept in one column ({type(error).__name__}).",
            where=where,
            remedy="Give all values of a column the same type.",
        ) from None
