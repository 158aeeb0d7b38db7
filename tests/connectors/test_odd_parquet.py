"""Odd and hostile Parquet files, row by row of the threat model: exactly right, or refused with a code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from odd_reader import Reader

from kinsynth.connectors.files import parse
from kinsynth.settings.source import Source

# F18 damaged Parquet


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., bytes]:
    """Bytes of a Parquet file."""

    def write(table: pa.Table, **options: Any) -> bytes:
        pq.write_table(table, tmp_path / "made.parquet", **options)
        return (tmp_path / "made.parquet").read_bytes()

    return write


def test_f18_damaged_parquet_is_refused(reader: Reader, parquet: Callable[..., bytes]) -> None:
    good = parquet(pa.table({"a": ["x", "y"] * 1000, "b": range(2000)}))
    for wrong in (
        good[:-1],
        good[:100],
        good[:-8] + b"\xff\xff\xff\x7fPAR1",
        good[:-8] + b"\0\0\0\0PAR1",
        b"PAR1",
        b"PAR1" * 3,
    ):
        assert reader("t.parquet", wrong) == "source.damaged"
    assert reader("t.parquet", good[:-4] + b"PARE") == "source.damaged"


def test_f18_flipped_bits_never_crash(parquet: Callable[..., bytes], tmp_path: Path) -> None:
    good = parquet(
        pa.table({"a": ["x", "yy", None] * 500, "b": pa.array(range(1500)).cast(pa.decimal128(38, 2))})
    )
    random = np.random.default_rng(7)
    (tmp_path / "in").mkdir()
    for number in range(60):
        wrong = bytearray(good)
        for place in random.integers(4, len(good) - 4, size=3):
            wrong[place] ^= 1 << int(random.integers(8))
        (tmp_path / "in" / f"{number}.parquet").write_bytes(wrong)
        (tmp_path / "arrow").mkdir(exist_ok=True)
    source = Source(parse_memory_bytes=1 << 30).model_dump(mode="json")
    for path in sorted((tmp_path / "in").iterdir()):
        try:
            (answer,) = parse([str(path)], source, [str(tmp_path / "arrow" / path.stem)])
        except MemoryError:
            continue
        assert "tables" in answer or answer["error"]["code"].startswith("source.")


def test_f18_pickled_extension_types_are_never_loaded(reader: Reader, parquet: Callable[..., bytes]) -> None:
    metadata = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": "cos\nsystem\n(S'x'\ntR.",
    }
    field = pa.field("a", pa.int64(), metadata=metadata)
    assert reader("t.parquet", parquet(pa.table([pa.array([1])], schema=pa.schema([field])))) == {"a": [1]}


# F19 Parquet types


def test_f19_types_are_kept_exactly(reader: Reader, parquet: Callable[..., bytes]) -> None:
    table = pa.table(
        {
            "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
            "decimal": pa.array(
                [Decimal("12345678901234567890.123456789012345678"), None], pa.decimal128(38, 18)
            ),
            "clock": pa.array([86_399_999_999_999, None], pa.time64("ns")),
            "moment": pa.array([1, None], pa.timestamp("ns")),
            "zoned": pa.array([1, None], pa.timestamp("us", tz="Europe/Vienna")),
            "day": pa.array([dt.date(1, 1, 1), None]),
            "flag": pa.array([True, None]),
            "real": pa.array([0.1, None]),
            "text": pa.array(["NA", None]),
            "words": pa.array(["x", None]).dictionary_encode(),
            "wide": pa.array(["x", None], pa.large_string()),
        }
    )
    cells = reader("t.parquet", parquet(table))
    assert cells == table.to_pydict()
    with pa.memory_map(str(reader.folder / reader.tables[0]["path"])) as mapped:
        types = pa.ipc.open_file(mapped).schema.types
    assert types == [*table.schema.types[:-2], pa.string(), pa.string()]


def test_f19_types_that_are_not_computed_with_become_wider_or_narrower_ones(
    reader: Reader, parquet: Callable[..., bytes]
) -> None:
    half = pa.array([0.5, None, -2.0], pa.float32()).cast(pa.float16())
    wide = pa.array([Decimal("1.25"), None, Decimal(-3)], pa.decimal256(20, 2))
    table = pa.table({"half": half, "wide": wide})
    assert reader("t.parquet", parquet(table)) == table.to_pydict()
    with pa.memory_map(str(reader.folder / reader.tables[0]["path"])) as mapped:
        assert pa.ipc.open_file(mapped).schema.types == [pa.float32(), pa.decimal128(20, 2)]


def test_f19_int96_is_exact_or_refused(reader: Reader, parquet: Callable[..., bytes]) -> None:
    near = pa.table({"a": pa.array([1, None, -5], pa.timestamp("ns"))})
    assert reader("t.parquet", parquet(near, use_deprecated_int96_timestamps=True)) == near.to_pydict()
    far = pa.table(
        {
            "a": pa.array(
                [dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime(1, 1, 1)], pa.timestamp("us")
            )
        }
    )
    content = parquet(far, use_deprecated_int96_timestamps=True)
    assert reader("t.parquet", content) == far.to_pydict()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1]]),
        pa.array([{"x": 1}]),
        pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        pa.array([b"\xff"]),
        pa.array([dt.timedelta(1)]),
        pa.array([Decimal(1)], pa.decimal256(39, 0)),
    ],
    ids=["list", "struct", "map", "binary", "duration", "decimal"],
)
def test_f19_what_is_no_cell_is_refused(
    reader: Reader, parquet: Callable[..., bytes], column: pa.Array
) -> None:
    assert reader("t.parquet", parquet(pa.table({"a": [1], "b": column}))) == "source.column_type"
    assert "b" in reader.message


def test_f19_names_and_columns(reader: Reader, parquet: Callable[..., bytes]) -> None:
    twins = parquet(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]))
    assert reader("t.parquet", twins) == "source.headers"
    assert reader("t.parquet", twins, duplicate_headers="rename") == {"a": [1], "a_2": [2]}
    assert reader("t.parquet", parquet(pa.table({}))) == "source.no_columns"


def test_f19_a_dictionary_of_many_values(reader: Reader, parquet: Callable[..., bytes]) -> None:
    table = pa.table({"a": pa.array(np.arange(300_000)).cast(pa.string()).dictionary_encode()})
    assert reader("t.parquet", parquet(table)) == table.to_pydict()
