"""Writing and reading back: the same values in all five formats, whole files or none, the same bytes."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import fastexcel
import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinsynth.connectors.destination import write
from kinsynth.connectors.file_names import file_names, sheet_names
from kinsynth.connectors.files import read
from kinsynth.connectors.headers import name_key
from kinsynth.connectors.read_back import read_back
from kinsynth.errors import UserError
from kinsynth.schema.database import Database
from kinsynth.schema.table import Column, Schema, Table, TextFormat
from kinsynth.settings.destination import Destination
from kinsynth.settings.source import Source

FORMATS = ["csv", "tsv", "parquet", "xlsx", "ods"]
COLUMN_TYPE = {
    "string": "categorical",
    "bool": "boolean",
    "date32[day]": "date",
    "time64[us]": "time",
    "timestamp[us]": "datetime",
    "int64": "integer",
}


def database(tables: dict[str, pa.Table], formats: dict[str, TextFormat] | None = None) -> Database:
    """A synthetic database whose schema is read off the tables."""
    schema = {
        name: Table(
            name,
            tuple(
                Column(
                    field.name,
                    COLUMN_TYPE.get(str(field.type), "numeric"),
                    str(field.type),
                    text=(formats or {}).get(field.name),
                )
                for field in table.schema
            ),
        )
        for name, table in tables.items()
    }
    return Database(Schema(schema), tables, "synthetic")


def round_trip(data: Database, file_format: str) -> dict[str, pa.Table]:
    """Write and read back."""
    with TemporaryDirectory() as folder:
        return read_back(write(data, Destination(format=file_format), Path(folder)), data.schema)


def assert_same(data: Database, file_format: str) -> None:
    """Every table comes back with the same values and types."""
    tables = round_trip(data, file_format)
    assert set(tables) == set(data.tables)
    for name, table in data.tables.items():
        assert tables[name].schema.types == table.schema.types
        assert tables[name].to_pydict() == table.to_pydict(), name


NOON = dt.datetime(2024, 2, 29, 12, 0, 0, 123000)
TYPED = pa.table(
    {
        "whole": pa.array([1, -(2**63), 2**63 - 1, None, 2**53 + 1]),
        "unsigned": pa.array([0, 2**64 - 1, 2**53, None, 7], pa.uint64()),
        "small": pa.array([-128, 127, 0, None, 7], pa.int8()),
        "real": pa.array([0.1, 0.30000000000000004, 1e300, None, 5e-324]),
        "decimal": pa.array(
            [
                Decimal("0.10"),
                Decimal("-12345678901234567890.12"),
                Decimal("123456789012.34"),
                None,
                Decimal(0),
            ],
            pa.decimal128(38, 2),
        ),
        "flag": pa.array([True, False, True, None, False]),
        "text": pa.array(["", " a  b ", '"quoted", comma;\ttab\r\nline\rreturn\n', None, "00123"]),
        "formula": pa.array(["=1+1", "+1", "-x", None, "@a"]),
        "xml": pa.array(["<a>&amp;", "]]>", "_x0041_x0042_", None, "a_x b_x0"]),
        "unicode": pa.array(["größe", "e\u0301", "\u202eabc\u200b", None, "😀\ufeff"]),
        "day": pa.array(
            [dt.date(1, 1, 1), dt.date(1900, 2, 28), dt.date(1900, 3, 1), None, dt.date(9999, 12, 31)]
        ),
        "moment": pa.array(
            [
                dt.datetime(1850, 1, 1),
                NOON,
                dt.datetime(2024, 1, 1),
                None,
                dt.datetime(2024, 1, 1, 0, 0, 0, 1),
            ],
            pa.timestamp("us"),
        ),
        "clock": pa.array(
            [dt.time(0), dt.time(23, 59, 59, 999999), dt.time(12, 30), None, dt.time(0, 0, 0, 1000)],
            pa.time64("us"),
        ),
    }
)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_type_comes_back_the_same(file_format: str) -> None:
    assert_same(database({"typed": TYPED}), file_format)


@pytest.mark.parametrize("file_format", FORMATS)
def test_source_formats_are_written_and_read(file_format: str) -> None:
    table = pa.table({"day": [dt.date(2024, 2, 29), None], "amount": [1.5, 2.0], "flag": [True, False]})
    formats = {
        "day": TextFormat(pattern="%d.%m.%Y"),
        "amount": TextFormat(decimals=2, decimal_mark=","),
        "flag": TextFormat(true="yes", false="no"),
    }
    data = database({"t": table}, formats)
    assert_same(data, file_format)
    if file_format == "csv":
        with TemporaryDirectory() as folder:
            (written,) = write(data, Destination(), Path(folder))
            assert written.file.read_bytes() == b'day,amount,flag\n29.02.2024,"1,50",yes\n,"2,00",no\n'


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("values", [[None], ["a", None, None], [None, "", None], [], ["", ""]])
def test_missing_and_empty_differ_in_a_single_column(file_format: str, values: list[str | None]) -> None:
    assert_same(database({"t": pa.table({"a": pa.array(values, pa.string())})}), file_format)


HARD_NAMES = [
    'a"b', "a'b", "a]b", "`", "%s", ":x", "{}", ";drop", "--", "line\nbreak", "$1", "select", " x", "x ",
    "\u202ertl", "=1+1", "BZh9", "%PDF-1", "<html>", "\ufeffmark", "a,b", "a\tb", "x" * 300, 'public"."x',
]  # fmt: skip


@pytest.mark.parametrize("file_format", FORMATS)
def test_b1_columns_with_hard_names(file_format: str) -> None:
    for first in HARD_NAMES:
        table = pa.table([pa.array(["v"])] * 2, names=[first, "other"])
        assert_same(database({"t": table}), file_format)


@pytest.mark.parametrize("file_format", FORMATS)
def test_b6_tables_with_hard_names(file_format: str) -> None:
    names = [
        *HARD_NAMES,
        "CON",
        "..",
        ".",
        "a/b",
        "A/b",
        "a\\b",
        "nul.txt",
        "ä" * 200,
        "a\u0308",
        "\u00e4",
        "Orders",
        "orders",
    ]
    data = database({name: pa.table({"a": [name]}) for name in names})
    assert_same(data, file_format)
    with TemporaryDirectory() as folder:
        written = write(data, Destination(format=file_format), Path(folder, "inside"))
        assert {one.file.resolve().parent for one in written} == {Path(folder, "inside").resolve()}
        assert sorted(path.name for path in Path(folder).iterdir()) == ["inside"]
        assert len({(name_key(one.file.name), name_key(one.sheet)) for one in written}) == len(names)


FORBIDDEN = {chr(code) for code in range(0x20)} - set("\t\n\r") | {"\ufffe", "\uffff"}


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(FORMATS),
)
def test_any_text_comes_back_or_is_refused(cells: list[str | None], file_format: str) -> None:
    data = database({"t": pa.table({"a": pa.array(cells, pa.string()), "b": pa.array(cells, pa.string())})})
    if file_format == "ods" and any(character in FORBIDDEN for cell in cells for character in cell or ""):
        with pytest.raises(UserError, match=re.escape("[destination.character]")):
            assert_same(data, file_format)
    else:
        assert_same(data, file_format)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=6),
    st.lists(st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)), min_size=1, max_size=6),
    st.sampled_from(FORMATS),
)
def test_any_number_and_moment_comes_back(
    numbers: list[tuple[float, int]], moments: list[dt.datetime], file_format: str
) -> None:
    reals, wholes = zip(*numbers, strict=True)
    tables = {
        "numbers": pa.table({"real": pa.array(reals, pa.float64()), "whole": pa.array(wholes, pa.int64())}),
        "moments": pa.table({"moment": pa.array(moments, pa.timestamp("us"))}),
    }
    assert_same(database(tables), file_format)


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_same_rows_give_the_same_bytes(file_format: str, tmp_path: Path) -> None:
    data = database({"typed": TYPED, "other": TYPED.slice(1)})
    first = write(data, Destination(format=file_format), tmp_path / "1")
    second = write(data, Destination(format=file_format), tmp_path / "2")
    assert [one.sha256 for one in first] == [one.sha256 for one in second]


@pytest.mark.parametrize("file_format", FORMATS)
def test_written_files_are_a_source(file_format: str, tmp_path: Path) -> None:
    tables = {
        "orders": pa.table({"id": ["001", "002"], "note": ["x", None]}),
        "lines": pa.table({"id": ["7"], "amount": ["1.50"]}),
    }
    write(database(tables), Destination(format=file_format), tmp_path / "out")
    listing = read(Source(paths=("out",)), tmp_path / "arrow", base=tmp_path)
    assert {one.name: one.table().to_pydict() for one in listing.tables} == {
        name: table.to_pydict() for name, table in tables.items()
    }
    assert not listing.skipped


def test_originals_are_never_written(tmp_path: Path) -> None:
    data = database({"t": pa.table({"a": [1]})})
    with pytest.raises(ValueError, match="original"):
        write(Database(data.schema, data.tables, "original"), Destination(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_existing_files_stay(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(UserError) as caught:
        write(database({"t": pa.table({"a": [1]}), "u": pa.table({"a": [1]})}), Destination(), tmp_path)
    assert caught.value.code == "destination.exists"
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    assert (tmp_path / "t.csv").read_text() == "mine"


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    tables = {"good": pa.table({"a": ["x"]}), "bad": pa.table({"a": ["\x01"]})}
    with pytest.raises(UserError):
        write(database(tables), Destination(format="ods"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file_format", ["xlsx", "ods"])
def test_tables_beyond_a_sheet_are_refused(file_format: str, tmp_path: Path) -> None:
    long = pa.table({"a": pa.nulls(1_048_576, pa.int8())})
    wide = pa.table([pa.array([1])] * 16_385, names=[f"c{n}" for n in range(16_385)])
    for table in (long, wide):
        with pytest.raises(UserError) as caught:
            write(database({"t": table}), Destination(format=file_format), tmp_path)
        assert caught.value.code == "destination.too_large"


def test_a_text_beyond_an_xlsx_cell_is_refused(tmp_path: Path) -> None:
    data = database({"t": pa.table({"a": ["x" * 32_768]})})
    with pytest.raises(UserError) as caught:
        write(data, Destination(format="xlsx"), tmp_path)
    assert caught.value.code == "destination.too_large"


def test_other_programs_read_the_workbooks(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": [1, 2],
            "real": [0.1, 2.5],
            "flag": [True, False],
            "text": ["=1+1", "00123"],
            "day": [dt.date(2024, 2, 29), dt.date(1900, 3, 1)],
            "moment": pa.array([NOON, NOON], pa.timestamp("us")),
        }
    )
    (xlsx,) = write(database({"t": table}), Destination(format="xlsx"), tmp_path)
    (ods,) = write(database({"t": table}), Destination(format="ods"), tmp_path)
    rows = list(openpyxl.load_workbook(xlsx.file)["t"].values)
    assert rows[0] == tuple(table.column_names)
    assert rows[1] == (1, 0.1, True, "=1+1", dt.datetime(2024, 2, 29), NOON)
    assert rows[2][3] == "00123"
    for file in (xlsx.file, ods.file):
        frame = fastexcel.read_excel(str(file)).load_sheet("t").to_arrow().to_pydict()
        assert frame["whole"] == [1, 2]
        assert frame["real"] == [0.1, 2.5]
        assert frame["flag"] == [True, False]
        assert frame["text"] == ["=1+1", "00123"]
        assert [str(day)[:10] for day in frame["day"]] == ["2024-02-29", "1900-03-01"]
        assert frame["moment"] == [NOON, NOON]


@pytest.mark.parametrize("file_format", ["csv", "tsv", "xlsx"])
def test_f28_formulas_are_neutralised_on_choice(file_format: str, tmp_path: Path) -> None:
    active = ["=1", "+1", "-1", "@x", "\tx", "\rx", "＝1", '"=1', ",=1"]
    table = pa.table({"=name": active, "number": list(range(-5, 4))})
    data = database({"t": table})
    written = write(data, Destination(format=file_format, neutralise_formulas=True), tmp_path)
    if file_format == "xlsx":
        assert list(openpyxl.load_workbook(written[0].file)["t"].values)[1][1] == -5
    else:
        assert written[0].file.read_text().startswith("'=name")
    back = read_back(written, data.schema) if file_format == "xlsx" else None
    if back is not None:
        assert back["t"].column(0).to_pylist() == ["'" + text for text in active]
        assert back["t"].column("number").to_pylist() == list(range(-5, 4))


def test_archives_carry_no_time(tmp_path: Path) -> None:
    for file_format in ("xlsx", "ods"):
        (written,) = write(database({"t": pa.table({"a": [1]})}), Destination(format=file_format), tmp_path)
        with zipfile.ZipFile(written.file) as archive:
            assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_names_on_disk_and_in_workbooks() -> None:
    tables = ["CON", "con", "a:b", "a?b", "", "x" * 300, "x" * 299, "😀" * 100, "'q'", "History", "."]
    files, sheets = file_names(tables), sheet_names(tables)
    assert len({name_key(name) for name in files.values()}) == len(tables)
    assert len({name_key(name) for name in sheets.values()}) == len(tables)
    assert all(len(name.encode()) <= 200 for name in files.values())
    assert all(0 < len(name.encode("utf-16-le")) // 2 <= 31 for name in sheets.values())
