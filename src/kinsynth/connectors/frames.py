"""Arrow tables as data frames of the library a user works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl
import pyarrow as pa

Flavour = Literal["polars", "pandas", "pyarrow"]


def flavour_of(data: Mapping[str, Any]) -> Flavour:
    """Tell which library most of the tables come from; plain columns count as polars."""
    names = [type(table).__module__.partition(".")[0] for table in data.values()]
    flavours: tuple[Flavour, ...] = ("polars", "pandas", "pyarrow")
    return max(flavours, key=names.count)


def as_frame(table: pa.Table, flavour: Flavour) -> Any:
    """Give a table as a frame of a library."""
    if flavour == "pandas":
        return table.to_pandas(types_mapper=_pandas_type, date_as_object=False)
    return table if flavour == "pyarrow" else pl.from_arrow(table)


def _pandas_type(kind: pa.DataType) -> Any:
    """Keep whole numbers and booleans whole where values are missing."""
    import pandas as pd

    return {
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }.get(kind)
