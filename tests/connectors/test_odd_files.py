"""Odd and hostile files, row by row of the threat model: exactly right, or refused with a code."""

from __future__ import annotations

import datetime as dt
import time
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workbook_bytes import (
    DATE,
    DATETIME,
    ERROR,
    TIME,
    archive,
    encrypted_workbook,
    ods,
    xls,
    xlsb,
    xlsx,
    xlsx_parts,
)

from kinsynth.connectors.base import Listing
from kinsynth.connectors.files import parse, read
from kinsynth.connectors.headers import name_key
from kinsynth.errors import KinsynthError, SourceError
from kinsynth.settings.source import Source
from kinsynth.system.child import revive

Cells = dict[str, list[Any]]


class Reader:
    """Reads one file in this process: cells by column, or the code it was refused with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables: list[dict[str, Any]] = []
        self.skipped: list[dict[str, str]] = []
        self.message = ""

    def __call__(self, name: str, content: bytes | str, **settings: Any) -> Cells | str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        document = Source(**settings).model_dump(mode="json")
        (answer,) = parse([str(path)], document, [str(self.folder / "0001")])
        if "error" in answer:
            self.message = str(revive(answer["error"]))
            return str(answer["error"]["code"])
        self.tables, self.skipped = answer["tables"], answer["skipped"]
        return self.cells(0)

    def cells(self, number: int) -> Cells:
        with pa.memory_map(str(self.folder / self.tables[number]["path"])) as mapped:
            table = pa.ipc.open_file(mapped).read_all()
            assert table.num_rows == self.tables[number]["rows"]
            return table.to_pydict()

    @property
    def notes(self) -> dict[str, int]:
        return dict(self.tables[0]["notes"])

    @property
    def dialect(self) -> dict[str, str]:
        return dict(self.tables[0]["dialect"])


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def listing(folder: Path, *paths: str, **settings: Any) -> Listing:
    """Read files in child processes."""
    return read(Source(paths=paths or ("in",), **settings), folder / "arrow", base=folder)


# F1 encodings

LETTERS = "Größe,Straße\nMüller,Ørsted\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_f01_encodings_are_found(reader: Reader, encoding: str) -> None:
    assert reader("t.csv", LETTERS.encode(encoding)) == {"Größe": ["Müller"], "Straße": ["Ørsted"]}
    assert reader.dialect["encoding"] == encoding


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_f01_utf_16_with_a_mark(reader: Reader, mark: bytes) -> None:
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert reader("t.csv", mark + LETTERS.encode(encoding)) == {"Größe": ["Müller"], "Straße": ["Ørsted"]}


@pytest.mark.parametrize("cell", ["\0x\0y\0z", "x\0", "1\0\0\0"])
def test_f01_cells_full_of_nul_are_not_utf_16(reader: Reader, cell: str) -> None:
    assert reader("t.csv", "a,b\n" + f"{cell},11\n" * 31) == {"a": [cell] * 31, "b": ["11"] * 31}
    assert reader.dialect["encoding"] == "utf-8"
    assert reader.tables[0]["notes"] == {"NUL_characters": 31 * cell.count("\0")}


def test_f01_declared_encodings_are_used(reader: Reader) -> None:
    content = "price\n5 €,\n".replace(",", "").encode("iso8859-15")
    assert reader("t.csv", content, encoding="iso-8859-15") == {"price": ["5 €"]}
    assert reader("t.csv", content) == {"price": ["5 ¤"]}


def test_f01_mixed_encodings_are_refused_at_their_byte(reader: Reader) -> None:
    content = "a\nMüller\n".encode() + "Müller\n".encode("cp1252")
    assert reader("t.csv", content) == "source.encoding_mixed"
    assert f"{content.index(bytes([0xFC])):,}" in reader.message


@pytest.mark.parametrize(
    ("content", "encoding", "code"),
    [
        (b"a\n\x81\n", "auto", "source.encoding"),
        (b"a\n\xff\n", "utf-8", "source.encoding"),
        (b"a\nb\xc3", "utf-8", "source.encoding"),
        (b"a\nb\n", "klingon", "source.encoding_unknown"),
        (b"a\nb\n", "rot13", "source.encoding_unknown"),
        (b"a\nb\n", "unicode_escape", "source.encoding_unknown"),
        (b"\xef\xbb\xbfa\nb\n", "windows-1252", "source.encoding"),
    ],
)
def test_f01_what_does_not_fit_is_refused(reader: Reader, content: bytes, encoding: str, code: str) -> None:
    assert reader("t.csv", content, encoding=encoding) == code


# F2 ragged rows


@pytest.mark.parametrize("row", ["1", "1,2,3", "1,2,", ""])
def test_f02_ragged_rows_are_refused_with_their_numbers(reader: Reader, row: str) -> None:
    rows = ["1,2"] * 5 + [row] * 30 + ["3,4"]
    assert reader("t.csv", "a,b\n" + "\n".join(rows)) == "source.ragged_rows"
    assert "rows 6, 7, 8" in reader.message
    assert "25, ..." in reader.message
    assert "30 of 36" in reader.message


def test_f02_short_rows_are_padded_on_choice(reader: Reader) -> None:
    assert reader("t.csv", "a,b,c\n1\n1,2\n\n1,2,3\n", ragged_rows="pad") == {
        "a": ["1", "1", None, "1"],
        "b": [None, "2", None, "2"],
        "c": [None, None, None, "3"],
    }
    assert reader.notes == {"padded_rows": 3}


def test_f02_padding_never_drops_a_cell(reader: Reader) -> None:
    assert reader("t.csv", "a,b\n1,2,3\n", ragged_rows="pad") == "source.ragged_rows"


@pytest.mark.parametrize("header", ["a,b", "a,b,"])
def test_f02_a_delimiter_after_every_row(reader: Reader, header: str) -> None:
    content = f"{header}\n1,2,\n3,4,\n"
    assert reader("t.csv", content) in {"source.ragged_rows", "source.headers"}
    if header == "a,b":
        assert "All 2 rows end with one delimiter more" in reader.message
    assert reader("t.csv", content, ragged_rows="pad") == {"a": ["1", "3"], "b": ["2", "4"]}


# F3 to F6


def test_f03_nul_is_a_character(reader: Reader) -> None:
    assert reader("t.csv", "a,b\nx\0y,\0\n") == {"a": ["x\0y"], "b": ["\0"]}


@pytest.mark.parametrize("columns", [10_000, 100_000])
def test_f04_too_many_columns_are_refused_at_once(reader: Reader, columns: int) -> None:
    header = ",".join(f"c{n}" for n in range(columns))
    start = time.monotonic()
    assert reader("t.csv", header + "\n" + ",".join("1" * columns)) == "source.too_many_columns"
    assert time.monotonic() - start < 2


def test_f04_five_thousand_columns_are_read(reader: Reader) -> None:
    header = [f"c{n}" for n in range(5_000)]
    cells = reader("t.csv", ",".join(header) + "\n" + ",".join(header))
    assert cells == {name: [name] for name in header}


@pytest.mark.parametrize(
    "header", ["a,a", "a,A", "a, a", "a  b,a b", "a,", ",a", " ,a", "\u00e4,a\u0308", "straße,STRASSE"]
)
def test_f05_equal_and_empty_headers(reader: Reader, header: str) -> None:
    assert reader("t.csv", f"{header}\n1,2\n", duplicate_headers="refuse") == "source.headers"
    proposal = reader.message.partition("which gives: ")[2]
    cells = reader("t.csv", f"{header}\n1,2\n", duplicate_headers="rename")
    assert isinstance(cells, dict)
    assert [*cells.values()] == [["1"], ["2"]]
    assert len({name_key(name) for name in cells}) == 2
    assert all(name.strip() for name in cells)
    assert next(name for name in cells if name not in header.split(",")) in proposal


def test_f05_a_new_name_never_takes_one_that_is_there(reader: Reader) -> None:
    cells = reader("t.csv", "a,a_2,a,A_3\n1,2,3,4\n", duplicate_headers="rename")
    assert cells == {"a": ["1"], "a_2": ["2"], "a_4": ["3"], "A_3": ["4"]}


def test_f06_a_late_text_leaves_all_cells_as_they_are(reader: Reader) -> None:
    cells = reader("t.csv", "a\n" + "1\n" * 200_000 + "x\n")
    assert isinstance(cells, dict)
    assert set(cells["a"][:-1]) == {"1"}
    assert cells["a"][-1] == "x"


# F7 quotes, ends of lines, large cells


def test_f07_large_cells_are_refused(reader: Reader) -> None:
    assert reader("t.csv", "a\nx\n" + "y" * 2_000_000) == "source.cell_too_large"
    assert reader("t.csv", "a\n" + "é" * 600_000) == "source.cell_too_large"
    assert reader("t.csv", "a\n" + "y" * 1_048_576) == {"a": ["y" * 1_048_576]}
    assert reader("t.csv", "a\n" + "y" * 11, max_cell_bytes=10) == "source.cell_too_large"


def test_f07_one_cell_of_100_mb(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'a\n"' + b"y" * 100_000_000 + b'"\n')
    start = time.monotonic()
    with pytest.raises(KinsynthError) as caught:
        listing(tmp_path, "t.csv", parse_memory_bytes=1 << 30)
    assert caught.value.code in {"source.cell_too_large", "source.line_too_long"}
    assert time.monotonic() - start < 10


def test_f07_an_unclosed_quote_is_refused_with_its_line(reader: Reader) -> None:
    assert reader("t.csv", 'a,b\n1,2\n3,"4\n5,6\n7,8\n') == "source.unclosed_quote"
    assert "line 3 " in reader.message


def test_f07_an_unclosed_quote_swallows_no_large_file(reader: Reader) -> None:
    assert reader("t.csv", 'a,b\n1,"2\n' + "3,4\n" * 500_000) == "source.cell_too_large"
    assert "unclosed quote" in reader.message


def test_f07_text_after_a_quote_is_refused(reader: Reader) -> None:
    assert reader("t.csv", 'a,b\n1,2\n"x"y,4\n') == "source.text_after_quote"
    assert "line 3 " in reader.message


def test_f07_a_quote_in_the_middle_is_a_character(reader: Reader) -> None:
    assert reader("t.csv", 'a,b\n5" disk,x"y"\n') == {"a": ['5" disk'], "b": ['x"y"']}


@pytest.mark.parametrize(("end", "name"), [("\n", "LF"), ("\r\n", "CRLF"), ("\r", "CR")])
def test_f07_ends_of_lines(reader: Reader, end: str, name: str) -> None:
    assert reader("t.csv", end.join(["a,b", "1,2", "3,4"]) + end) == {"a": ["1", "3"], "b": ["2", "4"]}
    assert reader.dialect["newline"] == name
    assert reader("t.csv", end.join(["a,b", "1,2", "3,4"])) == {"a": ["1", "3"], "b": ["2", "4"]}


def test_f07_mixed_ends_of_lines_and_ends_in_quotes(reader: Reader) -> None:
    content = 'a,b\r1,2\n3,4\r\n"x\ny","p\r\nq\rr"\n'
    assert reader("t.csv", content) == {"a": ["1", "3", "x\ny"], "b": ["2", "4", "p\r\nq\rr"]}
    assert reader.dialect["newline"] == "mixed"


# F8 to F11 characters, missing values, empty files, delimiters


def test_f08_characters_of_numbers_stay(reader: Reader) -> None:
    cells = [
        "007",
        "+1",
        "1e5",
        "1,000.5",
        "1.000,5",
        "€5",
        "5 %",
        " 5",
        "0x1F",
        "1_0",
        "9" * 38,
        str(2**63),
        "1.10",
    ]
    assert reader("t.csv", "a;b\n" + "\n".join(f"{cell};x" for cell in cells)) == {
        "a": cells,
        "b": ["x"] * len(cells),
    }


def test_f09_only_the_empty_cell_is_missing(reader: Reader) -> None:
    cells = ["NA", "None", "null", "nan", "NULL", "N/A", "#N/A", "-", " ", ""]
    assert reader("t.csv", "a,b\n" + "".join(f"{cell},x\n" for cell in cells))["a"] == [*cells[:-1], None]
    assert reader("t.csv", 'a,b\n"",x\n') == {"a": [None], "b": ["x"]}


def test_f09_missing_tokens_are_the_users_choice(reader: Reader) -> None:
    content = "a,b\nNA,Null\n,na\n"
    assert reader("t.csv", content, null_values=["NA"]) == {"a": [None, ""], "b": ["Null", "na"]}
    assert reader("t.csv", content, null_values=["", "NA", "Null"]) == {"a": [None, None], "b": [None, "na"]}
    assert reader("t.csv", content, null_values=[]) == {"a": ["NA", ""], "b": ["Null", "na"]}


@pytest.mark.parametrize("content", ["", "\n", "\n\r\n\r", "\ufeff"])
def test_f10_files_without_a_header_are_refused(reader: Reader, content: str) -> None:
    assert reader("t.csv", content) == "source.empty"


@pytest.mark.parametrize("content", ["a,b", "a,b\n", "\n\na,b\n\n\n"])
def test_f10_a_header_alone_is_a_table_without_rows(reader: Reader, content: str) -> None:
    assert reader("t.csv", content) == {"a": [], "b": []}


def test_f10_blank_lines_at_the_end_are_counted(reader: Reader) -> None:
    assert reader("t.csv", "a,b\n1,2\n\n\n") == {"a": ["1"], "b": ["2"]}
    assert reader.notes == {"blank_lines": 2}
    assert reader("t.csv", "a\n1\n\n2\n\n") == {"a": ["1", None, "2", None]}


def test_f11_the_delimiter_is_shown_and_can_be_said(reader: Reader) -> None:
    content = 'name,note\n"x;y;z","a\tb"\n"p;q;r","c\td"\n'
    assert reader("t.csv", content) == {"name": ["x;y;z", "p;q;r"], "note": ["a\tb", "c\td"]}
    assert reader.dialect["delimiter"] == "comma"
    assert reader("t.csv", "a;b,c\n1;2,3\n", delimiter="semicolon") == {"a": ["1"], "b,c": ["2,3"]}
    assert reader("t.csv", "a\tb\n1\t2\n") == {"a": ["1"], "b": ["2"]}
    assert reader.dialect["delimiter"] == "tab"


# F12 XML that reaches out

ROWS = "<row><c><v>1</v></c></row>"
BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x"}">' for n in range(10))
OUTSIDE = [
    '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
]
TEXT = '<row><c t="inlineStr"><is><t>{}</t></is></c></row>'


@pytest.mark.parametrize("declaration", [f"<!DOCTYPE a [{BOMB}]>", *OUTSIDE, "<!DOCTYPE a>"])
@pytest.mark.parametrize(
    "member", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "_rels/.rels"]
)
def test_f12_document_types_are_refused_in_xlsx(reader: Reader, declaration: str, member: str) -> None:
    parts = xlsx_parts(TEXT.format("a") + TEXT.format("&e9;" if "e9" in declaration else "b"))
    parts[member] = declaration + parts[member]
    start = time.monotonic()
    assert reader("t.xlsx", archive(parts)) == "source.archive"
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("declaration", [f"<!DOCTYPE a [{BOMB}]>", *OUTSIDE])
def test_f12_document_types_are_refused_in_ods(reader: Reader, declaration: str) -> None:
    assert reader("t.ods", ods("<table:table-row/>", before=declaration)) == "source.archive"


def test_f12_undeclared_entities_are_damage(reader: Reader) -> None:
    assert reader("t.xlsx", xlsx(TEXT.format("&e;"))) == "source.damaged"


# F13 archives


def test_f13_ratio_and_size(reader: Reader) -> None:
    bomb = archive({**xlsx_parts(ROWS), "xl/media/zeros": bytes(50_000_000)})
    assert len(bomb) < 100_000
    assert reader("t.xlsx", bomb) == "source.archive"
    noise = np.random.default_rng(0).bytes(3_000_000)
    large = archive({**xlsx_parts(ROWS), "xl/media/noise": noise})
    assert reader("t.xlsx", large, max_unpacked_bytes=2_000_000) == "source.archive"
    assert isinstance(reader("t.xlsx", large), dict)


@pytest.mark.parametrize("name", ["/abs", "../up", "a/../../up", "c:\\x", "..\\up", "\\abs"])
def test_f13_names_that_lead_outside(reader: Reader, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.parent.iterdir())
    assert reader("t.xlsx", archive({**xlsx_parts(ROWS), name: "x"})) == "source.archive"
    assert sorted(tmp_path.parent.iterdir()) == before


def test_f13_many_members_twins_links_and_archives_inside(reader: Reader) -> None:
    many = {f"m{n}": "" for n in range(10_001)}
    assert reader("t.xlsx", archive({**xlsx_parts(ROWS), **many})) == "source.archive"
    with pytest.warns(UserWarning, match="Duplicate name"):
        twins = archive([*xlsx_parts(ROWS).items(), ("xl/workbook.xml", "<x/>")])
    assert reader("t.xlsx", twins) == "source.archive"
    assert reader("t.xlsx", archive({**xlsx_parts(ROWS), "XL/Workbook.xml": "<x/>"})) == "source.archive"
    nested = archive({**xlsx_parts(ROWS), "xl/inner": archive({"a": "b"})})
    assert reader("t.xlsx", nested) == "source.archive"


def test_f13_a_link(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as handle:
        for name, content in xlsx_parts(ROWS).items():
            handle.writestr(name, content)
        link = zipfile.ZipInfo("xl/link")
        link.external_attr = 0o120777 << 16
        handle.writestr(link, "/etc/passwd")
    assert reader("t.xlsx", path.read_bytes()) == "source.archive"


def test_f13_wrong_sizes_and_damage(reader: Reader) -> None:
    good = xlsx(ROWS)
    entry = good.rindex(b"PK\x01\x02")
    for field in (20, 24, 16):
        wrong = bytearray(good)
        wrong[entry + field] ^= 0x55
        assert reader("t.xlsx", bytes(wrong)) == "source.archive"
    assert reader("t.xlsx", good[:-30]) == "source.archive"
    assert reader("t.xlsx", good[: len(good) // 2]) == "source.archive"


# F14 cells far away


@pytest.mark.parametrize(
    "far",
    ['<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', '<row r="2"><c r="XFD2"><v>1</v></c></row>'],
)
def test_f14_a_far_cell_is_no_table(reader: Reader, far: str) -> None:
    assert reader("t.xlsx", xlsx('<row r="1"><c r="A1"><v>1</v></c></row>' + far)) == "source.ragged_rows"


def test_f14_too_many_cells(reader: Reader) -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>1</v></c></row>'
    assert reader("t.xlsx", xlsx(far), max_cells=1_000_000) == "source.too_many_cells"


@pytest.mark.parametrize("place", ['r="1048577"', 'r="99999999999999999999"', 'r="0"', 'r="-1"', 'r="x"'])
def test_f14_rows_no_sheet_has(reader: Reader, place: str) -> None:
    assert reader("t.xlsx", xlsx(f"<row {place}><c><v>1</v></c></row>")) == "source.damaged"


def test_f14_a_dimension_that_lies_changes_nothing(reader: Reader) -> None:
    content = xlsx(
        "<row><c><v>1</v></c></row><row><c><v>2</v></c></row>", after='<dimension ref="A1:XFD1048576"/>'
    )
    assert reader("t.xlsx", content) == {"1": ["2"]}


def test_f14_far_cells_in_xlsb_end_in_bounds(tmp_path: Path) -> None:
    rows: list[list[object]] = [["a"], ["b"]]
    (tmp_path / "t.xlsb").write_bytes(xlsb(rows, last=(1_048_575, 16_383)))
    start = time.monotonic()
    (table,) = listing(tmp_path, "t.xlsb", parse_memory_bytes=1 << 30, parse_timeout_s=30).tables
    assert table.table().to_pydict() == {"a": ["b"]}
    assert time.monotonic() - start < 30


# F15 what else a workbook may hold


def test_f15_formulas_give_their_stored_value(reader: Reader) -> None:
    rows = (
        '<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row>'
        '<row><c><f>1+1</f><v>2</v></c><c t="str"><f>"x"</f><v>x</v></c></row>'
        "<row><c><f>2+2</f></c><c><f>[1]Sheet1!A1</f><v>7</v></c></row>"
    )
    assert reader("t.xlsx", xlsx(rows)) == {"a": ["2", None], "b": ["x", "7"]}
    assert reader.notes == {"formulas": 3, "formulas_without_value": 1}


def test_f15_error_cells_are_missing_and_counted(reader: Reader, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["a", "b"])
    sheet.append(["#N/A", "x"])
    sheet.append(["N/A", "y"])
    sheet["A2"].data_type, sheet["A3"].data_type = "e", "s"
    book.save(tmp_path / "made.xlsx")
    assert reader("t.xlsx", (tmp_path / "made.xlsx").read_bytes()) == {"a": [None, "N/A"], "b": ["x", "y"]}
    assert reader.notes == {"error_cells": 1}
    error: list[list[object]] = [["a", "b"], [ERROR, "x"]]
    for name, content in (("t.xls", xls(error)), ("t.xlsb", xlsb(error))):
        assert reader(name, content) == {"a": [None], "b": ["x"]}
        assert reader.notes == {"error_cells": 1}


def test_f15_hidden_sheets_are_named(reader: Reader, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a"])
    book.worksheets[0].append(["1"])
    for state in ("hidden", "veryHidden"):
        aside = book.create_sheet(state)
        aside.append(["secret"])
        aside.sheet_state = state
    book.create_sheet("Empty")
    book.save(tmp_path / "made.xlsx")
    assert reader("t.xlsx", (tmp_path / "made.xlsx").read_bytes()) == {"a": ["1"]}
    assert [one["file"] for one in reader.skipped] == [
        "t.xlsx: hidden",
        "t.xlsx: veryHidden",
        "t.xlsx: Empty",
    ]
    assert reader("t.xls", xls([["a"], ["1"]], hidden=True)) == {"a": ["1"]}
    assert [one["file"] for one in reader.skipped] == ["t.xls: Aside"]
    styles = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    assert reader("t.ods", ods(ODS_ROWS, styles=styles)) == {"a": ["1"]}
    with pytest.raises(IndexError):
        reader("t.ods", ods(ODS_ROWS, styles=styles, table='table:style-name="ta2"'))
    assert [one["file"] for one in reader.skipped] == ["t.ods: Data"]


def test_f15_merged_cells_hold_their_value_once(reader: Reader, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["a", "b"], ["x", None], [None, "y"]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    book.save(tmp_path / "made.xlsx")
    assert reader("t.xlsx", (tmp_path / "made.xlsx").read_bytes()) == {"a": ["x", None], "b": [None, "y"]}
    assert reader.notes == {"merged_cells": 1}


@pytest.mark.parametrize("flag", ["1", "true"])
def test_f15_1904_dates(reader: Reader, flag: str) -> None:
    rows = '<row><c t="str"><v>d</v></c></row><row><c s="1"><v>1</v></c></row>'
    rows += '<row><c s="1"><v>42370</v></c></row>'
    content = xlsx(rows, book=f'<workbookPr date1904="{flag}"/>')
    assert reader("t.xlsx", content) == {"d": ["1904-01-02", "2020-01-02"]}
    assert reader("t.xls", xls([["d"], [(1.0, DATE)], [(42370.0, DATE)]], epoch_1904=True)) == {
        "d": ["1904-01-02", "2020-01-02"]
    }


def test_f15_macros_are_never_run(reader: Reader) -> None:
    parts = {**xlsx_parts(ROWS + ROWS), "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + bytes(100)}
    assert reader("t.xlsm", archive(parts)) == {"1": ["1"]}


def test_f15_encrypted_workbooks_are_named_so(reader: Reader) -> None:
    for name in ("t.xlsx", "t.xlsm", "t.xlsb"):
        assert reader(name, encrypted_workbook()) == "source.encrypted"
    assert (
        reader("t.ods", ods("", manifest="<manifest:encryption-data/>".replace(":", "-")))
        == "source.encrypted"
    )


# F16 repetitions in ods

ODS_CELL = '<table:table-cell office:value-type="string" {}><text:p>{}</text:p></table:table-cell>'
ODS_ROWS = (
    f"<table:table-row>{ODS_CELL.format('', 'a')}</table:table-row>"
    f"<table:table-row>{ODS_CELL.format('', '1')}</table:table-row>"
)


def test_f16_empty_repetitions_at_the_end_are_dropped(reader: Reader) -> None:
    empty = '<table:table-cell table:number-columns-repeated="16383"/>'
    rows = (
        f"<table:table-row>{ODS_CELL.format('', 'a')}{empty}</table:table-row>"
        f'<table:table-row table:number-rows-repeated="3">{ODS_CELL.format("", "1")}{empty}</table:table-row>'
        f'<table:table-row table:number-rows-repeated="2">{empty}</table:table-row>'
        f"<table:table-row>{ODS_CELL.format('', '2')}</table:table-row>"
        f'<table:table-row table:number-rows-repeated="1048570">{empty}</table:table-row>'
    )
    assert reader("t.ods", ods(rows)) == {"a": ["1", "1", "1", None, None, "2"]}


MANY_COLUMNS = ODS_CELL.format('table:number-columns-repeated="999999999"', "x")
MANY_ROWS = '<table:table-row table:number-rows-repeated="{}">{}</table:table-row>'


@pytest.mark.parametrize(
    "rows",
    [
        f"{ODS_ROWS}<table:table-row>{MANY_COLUMNS}</table:table-row>",
        ODS_ROWS + MANY_ROWS.format(1_000_000, ODS_CELL.format("", "x") * 20),
        MANY_ROWS.format(2_000_000, ODS_CELL.format("", "x")),
    ],
)
def test_f16_repeated_cells_are_capped(reader: Reader, rows: str) -> None:
    start = time.monotonic()
    assert reader("t.ods", ods(rows)) in {"source.too_many_cells", "source.damaged"}
    assert time.monotonic() - start < 5


def test_f16_types_and_white_space_of_ods(reader: Reader) -> None:
    cells = [
        ('office:value-type="float" office:value="5"', "5,00 €", "5"),
        ('office:value-type="percentage" office:value="0.10000000000000001"', "10 %", "0.1"),
        ('office:value-type="boolean" office:boolean-value="true"', "WAHR", "true"),
        ('office:value-type="date" office:date-value="2024-02-29"', "29.2.24", "2024-02-29"),
        (
            'office:value-type="date" office:date-value="2024-02-29T13:00:00.5000"',
            "",
            "2024-02-29 13:00:00.5",
        ),
        ('office:value-type="time" office:time-value="PT30H04M05S"', "", "30:04:05"),
        (
            'office:value-type="string"',
            "a<text:s text:c='2'/>b<text:tab/>c <text:span>d</text:span>",
            "a  b\tc d",
        ),
        ('office:value-type="string"', "x</text:p><text:p>y", "x\ny"),
        ('office:value-type="string"', "00123", "00123"),
        ('office:value-type="string" calcext:value-type="error"', "#N/A", None),
    ]
    typed = ODS_CELL.replace('office:value-type="string" ', "")
    rows = "".join(
        f"<table:table-row>{typed.format(*cell[:2])}{ODS_CELL.format('', 'z')}</table:table-row>"
        for cell in cells
    )
    header = f"<table:table-row>{ODS_CELL.format('', 'a')}{ODS_CELL.format('', 'b')}</table:table-row>"
    assert reader("t.ods", ods(header + rows)) == {"a": [cell[2] for cell in cells], "b": ["z"] * len(cells)}
    assert reader.notes == {"error_cells": 1}


# F17 day numbers


@pytest.mark.parametrize(
    ("style", "serial", "text"),
    [
        (1, "1", "1900-01-01"),
        (1, "59", "1900-02-28"),
        (1, "60", "60"),
        (1, "61", "1900-03-01"),
        (1, "-1", "-1"),
        (1, "0", "0"),
        (1, "2958465", "9999-12-31"),
        (1, "2958466", "2958466"),
        (1, "45351.5", "2024-02-29 12:00:00"),
        (2, "45351", "2024-02-29 00:00:00"),
        (2, "45351.000011574", "2024-02-29 00:00:01"),
        (2, "45351.999999999", "2024-03-01 00:00:00"),
        (2, "0.5", "12:00:00"),
        (3, "0.99999", "23:59:59.136"),
        (3, "1.25", "30:00:00"),
        (4, "1.25", "30:00:00"),
    ],
)
def test_f17_day_numbers_of_xlsx(reader: Reader, style: int, serial: str, text: str) -> None:
    rows = f'<row><c t="str"><v>d</v></c></row><row><c s="{style}"><v>{serial}</v></c></row>'
    assert reader("t.xlsx", xlsx(rows)) == {"d": [text]}


def test_f17_day_numbers_of_xls(reader: Reader) -> None:
    days = [1.0, 59.0, 60.0, 61.0, -1.0, 43832.0]
    cells = reader("t.xls", xls([["d"], *[[(day, DATE)] for day in days]]))
    assert cells == {"d": ["1900-01-01", "1900-02-28", "60", "1900-03-01", "-1", "2020-01-02"]}
    moments = reader(
        "t.xls", xls([["d", "t"], [(43832.5, DATETIME), (0.5, TIME)], [(43833.0, DATETIME), (0.25, TIME)]])
    )
    assert moments == {"d": ["2020-01-02 12:00:00", "2020-01-03 00:00:00"], "t": ["12:00:00", "06:00:00"]}


@pytest.mark.parametrize("suffix", ["xls", "xlsb"])
def test_binary_workbooks_keep_numbers_and_text_apart(reader: Reader, suffix: str) -> None:
    make: Callable[[Any], bytes] = xls if suffix == "xls" else xlsb
    column = [
        1 / 3,
        "0.333333333",
        5.0,
        "5.0",
        "007",
        -1e-12,
        0.1,
        2.0**53,
        True,
        "true",
        "nan",
        "é😀",
        " x ",
        None,
        "end",
    ]
    shown = ["0.3333333333333333", "0.333333333", "5", "5.0", "007", "-1e-12", "0.1", "9007199254740992"]
    shown += ["true", "true", "nan", "é😀", " x "]
    assert reader(f"t.{suffix}", make([["a"], *[[cell] for cell in column]])) == {"a": [*shown, None, "end"]}


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
    ],
    ids=["list", "struct", "map", "binary", "duration"],
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


# F20, F21 wrong and compressed kinds


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("t.csv", b"%PDF-1.7\n", "source.wrong_type"),
        ("t.csv", b"<!DOCTYPE html><html>", "source.wrong_type"),
        ("t.csv", b"\xef\xbb\xbf  <HTML>", "source.wrong_type"),
        ("t.csv", b"PK\x03\x04xxxx", "source.wrong_type"),
        ("t.csv", b"PAR1xxxx", "source.wrong_type"),
        ("t.xlsx", b"a,b\n1,2\n", "source.wrong_type"),
        ("t.xls", b"a,b\n1,2\n", "source.wrong_type"),
        ("t.ods", b"%PDF-1.7\nPK\x03\x04", "source.wrong_type"),
        ("t.parquet", b"a,b\n1,2\n", "source.wrong_type"),
        ("t.csv", b"\x1f\x8b\x08\0", "source.compressed"),
        ("t.tsv", b"BZh91AY", "source.compressed"),
        ("t.csv", b"\x28\xb5\x2f\xfd\0", "source.compressed"),
        ("t.xls", encrypted_workbook()[:600], "source.damaged"),
    ],
)
def test_f20_the_content_must_be_what_the_ending_says(
    reader: Reader, name: str, content: bytes, code: str
) -> None:
    assert reader(name, content) == code


def test_f20_one_workbook_under_the_ending_of_another(reader: Reader) -> None:
    assert reader("t.ods", xlsx(ROWS)) == "source.wrong_type"
    assert reader("t.xlsb", xlsx(ROWS)) == "source.wrong_type"
    assert reader("t.xlsx", xlsb([["a"]])) == "source.wrong_type"


def test_f21_compressed_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(b"\x1f\x8b\x08\0")
    with pytest.raises(SourceError) as caught:
        listing(tmp_path, "t.csv.gz")
    assert caught.value.code == "source.compressed"


# damaged workbooks die in the child


@pytest.mark.parametrize("name", ["t.xls", "t.xlsb"])
def test_cut_binary_workbooks_are_refused(tmp_path: Path, name: str) -> None:
    rows: list[list[object]] = [["a"], ["b"]]
    whole = xls(rows) if name == "t.xls" else xlsb(rows)
    (tmp_path / name).write_bytes(whole[: len(whole) // 3])
    with pytest.raises(SourceError) as caught:
        listing(tmp_path, name)
    assert caught.value.code in {"source.damaged", "source.parser_died", "source.archive"}


def test_no_message_holds_a_cell(reader: Reader) -> None:
    secret = "Zyzzyva"
    for name, content in [
        ("t.csv", f"a,b\n{secret}\n"),
        ("t.csv", f'a,b\n"{secret}"x,1\n'),
        ("t.csv", f'a,b\n"{secret}'),
        ("t.csv", f"a\n{secret}\0\n".encode() + b"\x81"),
        ("t.csv", f"a\n{secret * 10}\n"),
        ("t.xlsx", xlsx(TEXT.format("a") + f"<row><c><v>1</v></c><c><v>{secret}</v></c></row>")),
        ("t.xlsx", xlsx(TEXT.format("a") + f"<row><c s='1'><v>{secret}</v></c></row>")),
    ]:
        assert isinstance(reader(name, content, max_cell_bytes=60), str)
        assert secret not in reader.message
