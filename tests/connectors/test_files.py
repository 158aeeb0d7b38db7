"""Reading of folders, files and lists: names, what is skipped, limits, errors all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workbook_bytes import archive, ods, xls, xlsb, xlsx_parts

from kinsynth.connectors.base import Listing
from kinsynth.connectors.files import read
from kinsynth.errors import OutOfMemory, SourceError
from kinsynth.settings.source import Source


def listing(folder: Path, *paths: str, **settings: Any) -> Listing:
    return read(Source(paths=paths, **settings), folder / ".arrow", base=folder)


def test_a_folder_gives_all_kinds_of_tables(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.TSV").write_text("x\ty\n1\t2\n")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "c.parquet")
    book = openpyxl.Workbook()
    for sheet in (book.worksheets[0], book.create_sheet("second")):
        sheet.append(["x"])
        sheet.append([1])
    book.worksheets[0].title = "first"
    book.save(tmp_path / "d.xlsx")
    (tmp_path / "e.xls").write_bytes(xls([["x"], [1.0]]))
    (tmp_path / "f.xlsb").write_bytes(xlsb([["x"], [1.0]]))
    cell = (
        '<table:table-row><table:table-cell office:value-type="{}" office:value="1"><text:p>x</text:p>'
        "</table:table-cell></table:table-row>"
    )
    (tmp_path / "g.ods").write_bytes(ods(cell.format("string") + cell.format("float")))
    (tmp_path / "h.xlsm").write_bytes(
        archive(xlsx_parts("<row><c t='str'><v>x</v></c></row><row><c><v>1</v></c></row>"))
    )
    for name in ("schema.json", "notes.txt", "data.csv.gz", "none"):
        (tmp_path / name).write_text("{}")
    (tmp_path / ".hidden.csv").write_text("x\n1\n")
    (tmp_path / "inside").mkdir()
    found = listing(tmp_path, ".")
    assert [table.name for table in found.tables] == ["a", "b", "c", "e", "f", "first", "g", "h", "second"]
    assert {table.name: table.format for table in found.tables}["b"] == "tsv"
    assert sorted(one.file for one in found.skipped) == [
        "data.csv.gz",
        "inside",
        "none",
        "notes.txt",
        "schema.json",
    ]
    for table in found.tables:
        assert table.rows == table.table().num_rows == 1
        assert [*map(str, table.table().column("x").to_pylist())] == ["1"]


def test_files_lists_and_absolute_paths(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "in" / f"{name}.csv").write_text("x\n1\n")
    assert [one.name for one in listing(tmp_path, "in/b.csv").tables] == ["b"]
    found = listing(tmp_path, str(tmp_path / "in" / "c.csv"), "in/a.csv", "in/a.csv")
    assert [one.name for one in found.tables] == ["a", "c"]


def test_names_taken_twice_name_their_file(tmp_path: Path) -> None:
    (tmp_path / "Orders.csv").write_text("x\n1\n")
    (tmp_path / "orders.tsv").write_text("x\n1\n")
    for name in ("north", "south"):
        book = openpyxl.Workbook()
        book.worksheets[0].title = "sales"
        book.worksheets[0].append(["x"])
        book.create_sheet(f"only {name}").append(["x"])
        book.save(tmp_path / f"{name}.xlsx")
    names = [table.name for table in listing(tmp_path, ".").tables]
    assert names == ["Orders_csv", "north_sales", "only north", "only south", "orders_tsv", "south_sales"]


@pytest.mark.parametrize("sheet", ["a/b", " ", ""])
def test_names_that_cannot_be_kept_are_refused(tmp_path: Path, sheet: str) -> None:
    row = (
        '<table:table-row><table:table-cell office:value-type="string"><text:p>x</text:p>'
        "</table:table-cell></table:table-row>"
    )
    second = f'{row}</table:table><table:table table:name="{sheet}">{row}'
    (tmp_path / "t.ods").write_bytes(ods(second))
    with pytest.raises(SourceError) as caught:
        listing(tmp_path, "t.ods")
    assert caught.value.code == "source.table_name"


def test_all_files_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1\n")
    (tmp_path / "b.csv").write_text("x,x\n1,2\n")
    (tmp_path / "c.csv").write_text("x\n1\n")
    with pytest.raises(SourceError) as caught:
        listing(tmp_path, ".")
    assert [finding.code for finding in caught.value.findings] == ["source.ragged_rows", "source.headers"]
    assert [finding.where for finding in caught.value.findings] == ["a.csv", "b.csv"]
    assert {finding.step for finding in caught.value.findings} == {"data"}


@pytest.mark.parametrize(
    ("path", "code"),
    [("nowhere", "source.not_found"), ("a.txt", "source.unknown_kind"), ("empty", "source.no_tables")],
)
def test_paths_without_a_table(tmp_path: Path, path: str, code: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError) as caught:
        listing(tmp_path, path)
    assert caught.value.code == code


def test_no_path_is_said_as_such(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No path is given") as caught:
        listing(tmp_path)
    assert (caught.value.code, caught.value.where) == ("source.no_tables", "source.paths")


def test_memory_and_time_of_parsing_are_limited(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x\n" + ("y" * 1_000_000 + "\n") * 300)
    with pytest.raises(OutOfMemory) as caught:
        listing(tmp_path, "t.csv", parse_memory_bytes=1 << 28)
    assert caught.value.code == "source.parser_memory"
    assert caught.value.where == "t.csv"
    (tmp_path / "u.csv").write_text("x,y\n" + "1,2\n" * 5_000_000)
    with pytest.raises(SourceError) as late:
        listing(tmp_path, "u.csv", parse_timeout_s=1)
    assert late.value.code == "source.parser_timeout"


def test_the_real_data_is_read(data_root: Path, tmp_path: Path) -> None:
    folder = data_root / "northwind"
    found = read(Source(paths=(str(folder),)), tmp_path, base=folder)
    assert len(found.tables) == 12
    assert sum(table.rows for table in found.tables) == 3_362
    assert [one.file for one in found.skipped] == ["schema.json"]
    assert all(table.dialect is not None and table.dialect.encoding == "utf-8" for table in found.tables)
