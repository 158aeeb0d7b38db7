"""Odd and hostile text files, row by row of the threat model: exactly right, or refused with a code."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from odd_reader import Reader, listing

from kinsynth.connectors.headers import name_key
from kinsynth.errors import KinsynthError

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
