"""Odd and hostile workbooks, row by row of the threat model: exactly right, or refused with a code."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from odd_reader import Reader, listing
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

from kinsynth.errors import SourceError

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


@pytest.mark.parametrize("encoding", ["no-such", "rot13", "undefined", "idna", "zip", "Shift_JIS", "utf-7"])
def test_an_encoding_that_xml_does_not_have_is_damage(reader: Reader, encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    assert reader("t.xlsx", xlsx_with(declaration)) == "source.damaged"
    assert reader("t.ods", ods("<table:table-row/>", before=declaration)) == "source.damaged"


def xlsx_with(declaration: str) -> bytes:
    parts = xlsx_parts(TEXT.format("a") + TEXT.format("b"))
    parts["xl/worksheets/sheet1.xml"] = declaration + parts["xl/worksheets/sheet1.xml"]
    return archive(parts)


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


def test_a_workbook_that_names_no_table_of_contents_is_damaged(reader: Reader) -> None:
    parts = xlsx_parts("<row><c><v>1</v></c></row>")
    parts["_rels/.rels"] = parts["_rels/.rels"].replace('officeDocument"', 'thumbnail"')
    assert reader("t.xlsx", archive(parts)) == "source.damaged"


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


# damaged workbooks die in the child


@pytest.mark.parametrize("name", ["t.xls", "t.xlsb"])
def test_cut_binary_workbooks_are_refused(tmp_path: Path, name: str) -> None:
    rows: list[list[object]] = [["a"], ["b"]]
    whole = xls(rows) if name == "t.xls" else xlsb(rows)
    (tmp_path / name).write_bytes(whole[: len(whole) // 3])
    with pytest.raises(SourceError) as caught:
        listing(tmp_path, name)
    assert caught.value.code in {"source.damaged", "source.parser_died", "source.archive"}
