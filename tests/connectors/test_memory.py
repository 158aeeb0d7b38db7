"""Tables handed over in Python arrive with their values; what cannot be kept is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kinsynth.connectors.memory import tables_from_memory
from kinsynth.errors import SourceError

COLUMNS: dict[str, list[Any]] = {
    "whole": [1, 2**62, 3],
    "real": [0.1, 1e300, -1.0],
    "text": ["00123", "NA", None],
    "flag": [True, False, True],
    "day": [dt.date(2024, 2, 29), dt.date(1, 1, 1), None],
    "amount": [Decimal("1.10"), Decimal("2.25"), None],
}


@pytest.mark.parametrize(
    "make", [dict, pd.DataFrame, pl.DataFrame, pa.table], ids=["dict", "pandas", "polars", "arrow"]
)
def test_every_library_gives_the_same_values(make: Any) -> None:
    table = tables_from_memory({"t": make(COLUMNS)})["t"]
    assert table.to_pydict() == COLUMNS
    assert table.schema.field("text").type == pa.string()
    assert table.schema.field("day").type == pa.date32()


def test_categories_are_decoded_and_the_index_is_left_out() -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["x", None, "y"]), "b": [1.0, None, 3.0]}, index=[7, 8, 9])
    before = frame.copy(deep=True)
    table = tables_from_memory({"t": frame})["t"]
    assert table.to_pydict() == {"a": ["x", None, "y"], "b": [1.0, None, 3.0]}
    pd.testing.assert_frame_equal(frame, before)
    enumerated = pl.DataFrame({"a": pl.Series(["x", None], dtype=pl.Categorical)})
    assert tables_from_memory({"t": enumerated})["t"].to_pydict() == {"a": ["x", None]}


def test_moments_of_pandas_keep_their_digits() -> None:
    frame = pd.DataFrame({"a": pd.to_datetime(["2024-01-01 00:00:00.000000001", None])})
    assert tables_from_memory({"t": frame})["t"].column("a").cast(pa.int64()).to_pylist() == [
        1704067200000000001,
        None,
    ]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (pd.DataFrame({"a": ["x", 1]}), "source.column_type"),
        (pd.DataFrame({"a": [2**70]}), "source.column_type"),
        ({"a": [object()]}, "source.column_type"),
        ({"a": [[1]]}, "source.column_type"),
        ({"a": [b"x"]}, "source.column_type"),
        ({"a": [1], "b": [1, 2]}, "source.ragged_rows"),
        ({}, "source.no_columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "A"]), "source.headers"),
        ([1, 2], "source.unknown_kind"),
        (None, "source.unknown_kind"),
        ("a,b", "source.unknown_kind"),
        (np.zeros((2, 2)), "source.unknown_kind"),
    ],
)
def test_what_cannot_be_kept_is_refused(table: Any, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        tables_from_memory({"t": table})
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\0", 7])
def test_names_of_tables(name: Any) -> None:
    with pytest.raises(SourceError) as caught:
        tables_from_memory({name: {"a": [1]}})
    assert caught.value.code == "source.table_name"


def test_nothing_is_no_source() -> None:
    with pytest.raises(SourceError) as caught:
        tables_from_memory({})
    assert caught.value.code == "source.no_tables"
