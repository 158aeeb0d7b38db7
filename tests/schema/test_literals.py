"""The law of text: what is read can be written again unchanged, or it stays text."""

from __future__ import annotations

import string
import time
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kinsynth.columns.detect import detect
from kinsynth.errors import SchemaError
from kinsynth.schema.literals import format_text, parse_text, reads_back, unparsable_rows
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Column, TextFormat

DATES = st.dates(date(1600, 1, 1), date(2500, 1, 1))
MOMENTS = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
CELLS = {
    "integers": st.integers(-(10**20), 10**20).map(str),
    "small integers": st.integers(-99, 99).map(str),
    "floats": st.floats(allow_nan=False, allow_infinity=False).map(repr),
    "cents": st.decimals(-1000, 1000, places=2).map(str),
    "long decimals": st.decimals(-(10**20), 10**20, places=10).map(str),
    "decimal comma": st.decimals(-1000, 1000, places=2).map(lambda x: str(x).replace(".", ",")),
    "shortest": st.floats(-1e6, 1e6, width=32).map(lambda x: repr(x).removesuffix(".0")),
    "iso dates": DATES.map(str),
    "day first": DATES.map(lambda x: x.strftime("%d/%m/") + f"{x.year:04}"),
    "unpadded": DATES.map(lambda x: f"{x.month}/{x.day}/{x.year:04}"),
    "compact": DATES.map(lambda x: f"{x.year:04}{x.month:02}{x.day:02}"),
    "timestamps": MOMENTS.map(lambda x: x.isoformat(" ")),
    "timestamps in Z": MOMENTS.map(lambda x: x.isoformat("T", "milliseconds") + "Z"),
    "offsets": MOMENTS.map(lambda x: x.isoformat("T", "seconds") + "+05:30"),
    "times": st.times().map(lambda x: x.isoformat("seconds")),
    "booleans": st.sampled_from(["Yes", "No"]),
    "leading zeros": st.integers(0, 99999).map(lambda x: f"{x:05}"),
    "plus": st.integers(-99, 99).map(lambda x: f"{x:+}"),
    "exponents": st.integers(-99, 99).map(lambda x: f"{x}e5"),
    "thousands": st.integers(0, 10**7).map(lambda x: f"{x:,}"),
    "currency": st.integers(0, 100).map(lambda x: f"${x}"),
    "percent": st.integers(0, 100).map(lambda x: f"{x}%"),
    "digits and signs": st.text("0123456789.,-+eE :/TZ", min_size=1, max_size=12),
    "words": st.text(string.ascii_letters + " é\n\x00'\"", min_size=1, max_size=8),
    "nearly numbers": st.sampled_from(
        ["1", "2.5", "NA", "nan", "None", "inf", "null", "-0", "1_000", " 1", "1.", ".5"]
    ),
}


@pytest.mark.parametrize("kind", CELLS)
@given(data=st.data())
def test_detected_text_comes_back_unchanged(kind: str, data: st.DataObject) -> None:
    cells = data.draw(st.lists(st.none() | CELLS[kind], max_size=30))
    values = pa.chunked_array([pa.array(cells, pa.string())])
    column = detect(values, "x").column("x")
    parsed = parse_text(values, column)
    assert str(parsed.type) == column.storage
    assert format_text(parsed, column).to_pylist() == cells


@example([268435456.35972667], 7)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1), st.integers(0, 9))
def test_fixed_decimals_equal_the_slow_way(numbers: list[float], decimals: int) -> None:
    column = Column("x", "numeric", "double", text=TextFormat(decimals=decimals))
    rounded = [float(f"{number:.{decimals}f}") for number in numbers]
    expected = [f"{number:.{decimals}f}" for number in rounded]
    assert format_text(pa.chunked_array([rounded]), column).to_pylist() == expected


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_shortest_form_equals_repr(numbers: list[float]) -> None:
    column = Column("x", "numeric", "double", text=TextFormat())
    written = format_text(pa.chunked_array([pa.array(numbers, pa.float64())]), column).to_pylist()
    assert [float(text) for text in written] == numbers
    inside = [
        (text, repr(number)) for text, number in zip(written, numbers, strict=True) if abs(number) < 1e16
    ]
    assert all(text == form for text, form in inside)


@pytest.mark.parametrize(
    ("kind", "storage", "text", "cells", "expected"),
    [
        ("numeric", "double", TextFormat(decimal_mark=","), ["1,5"], [1.5]),
        (
            "numeric",
            "double",
            TextFormat(decimal_mark=",", point_zero=False),
            ["1.234,5", "+2"],
            [1234.5, 2.0],
        ),
        ("numeric", "double", TextFormat(point_zero=False), ["1,234.5", "1 000"], [1234.5, 1000.0]),
        ("integer", "int64", TextFormat(decimals=1), ["20000.0", "-1.0"], [20000, -1]),
        ("numeric", "decimal128(38, 3)", TextFormat(decimals=3), ["0.100"], [Decimal("0.100")]),
        ("boolean", "bool", TextFormat(true="1", false="0"), ["1", "0", None], [True, False, None]),
        ("date", "date32[day]", TextFormat(pattern="%d.%m.%Y"), ["31.12.1999"], [date(1999, 12, 31)]),
        ("date", "date32[day]", TextFormat(pattern="%b %d, %Y"), ["Feb 03, 2020"], [date(2020, 2, 3)]),
    ],
)
def test_cells_are_read_as_declared(
    kind: str, storage: str, text: TextFormat, cells: list[str], expected: list[object]
) -> None:
    column = Column("x", kind, storage, text=text)
    assert parse_text(pa.chunked_array([pa.array(cells, pa.string())]), column).to_pylist() == expected


@pytest.mark.parametrize("cell", ["12,34.5", "1,23", "x", "", "1.2.3", "nan", "inf"])
def test_grouping_must_be_right(cell: str) -> None:
    column = Column("x", "numeric", "double", text=TextFormat(point_zero=False))
    assert list(unparsable_rows(pa.chunked_array([[cell]]), column)) == [0]


def test_unparsable_cells_are_counted_and_never_shown() -> None:
    cells = pa.chunked_array([["1", "secret", None, "2", "other"]])
    with pytest.raises(SchemaError) as error:
        parse_text(cells, Column("age", "integer", "int64", text=TextFormat()))
    assert error.value.code == "data.unparsable"
    assert "2 of 5" in error.value.message
    assert "rows 2, 5" in error.value.message
    assert "secret" not in str(error.value)


def test_zone_is_kept() -> None:
    cells = pa.chunked_array([["2020-06-01T12:00:00+02:00"]])
    column = detect(cells, "x").column("x")
    assert column.storage == "timestamp[us, tz=+02:00]"
    moment = parse_text(cells, column).to_pylist()[0]
    assert moment.utcoffset().total_seconds() == 7200


def test_mixed_zones_and_leap_seconds_stay_text() -> None:
    for cells in (
        ["2020-06-01T12:00:00+02:00", "2020-12-01T12:00:00+01:00"],
        ["2016-12-31 23:59:60", "2016-12-31 23:59:59"],
    ):
        assert detect(pa.chunked_array([cells]), "x").storage == "string"


def test_reads_back_tells_a_lossy_reading() -> None:
    column = Column("x", "integer", "int64", text=TextFormat())
    assert reads_back(pa.chunked_array([["1", "-20", None]]), column)
    assert not reads_back(pa.chunked_array([["007"]]), column)
    assert not reads_back(pa.chunked_array([["seven"]]), column)


SPELLINGS = (
    "int64 double string bool date32[day] time64[us] timestamp[us] uint64 decimal128(38,_10) "
    "timestamp[ns,_tz=UTC] timestamp[ms,_tz=Europe/Rome] timestamp[us,_tz=+02:00]"
)


@pytest.mark.parametrize(
    "spelling",
    [spelling.replace("_", " ", 1) if "," in spelling else spelling for spelling in SPELLINGS.split()],
)
def test_storage_is_spelled_as_arrow_does(spelling: str) -> None:
    assert str(storage_type(spelling)) == spelling


@pytest.mark.slow
def test_a_million_cells_take_about_a_second() -> None:
    numbers = np.round(np.random.default_rng(0).normal(size=1_000_000) * 1000, 2)
    column = Column("x", "numeric", "double", text=TextFormat(decimals=2))
    start = time.process_time()
    written = format_text(pa.chunked_array([numbers]), column)
    assert parse_text(written, column).to_numpy().tolist() == numbers.tolist()
    assert time.process_time() - start < 5
