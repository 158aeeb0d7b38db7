"""Text files: exactly what a slow, obvious parser gives, or refused with a code."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinsynth.connectors.base import DELIMITERS
from kinsynth.connectors.texts.reader import find_delimiter, read_text_file
from kinsynth.errors import SourceError
from kinsynth.settings.source import Source


def parse_slowly(text: str, delimiter: str) -> list[list[str]] | None:
    """The obvious parser, one character after the other; None for a file to refuse."""
    rows: list[list[str]] = []
    row: list[str] = []
    cell, state, at = "", "start", 0
    while at < len(text):
        character = text[at]
        if state == "quoted":
            if character != '"':
                cell += character
            elif text[at + 1 : at + 2] == '"':
                cell += '"'
                at += 1
            else:
                state = "closed"
        elif character == delimiter:
            row.append(cell)
            cell, state = "", "start"
        elif character in "\r\n":
            if character == "\r" and text[at + 1 : at + 2] == "\n":
                at += 1
            rows.append([*row, cell] if row or cell or state != "start" else [])
            row, cell, state = [], "", "start"
        elif state == "closed":
            return None
        elif character == '"' and state == "start":
            state = "quoted"
        else:
            cell += character
            state = "plain"
        at += 1
    if state == "quoted":
        return None
    if row or cell or state != "start":
        rows.append([*row, cell])
    return rows


def expected(text: str, delimiter: str) -> list[list[str | None]] | None:
    """What a file should give: the header and the rows, or None when it is to be refused."""
    rows = parse_slowly(text, delimiter)
    if rows is None or not any(rows):
        return None
    while not rows[0]:
        rows = rows[1:]
    width = len(rows[0])
    if width == 1:
        rows = [row or [""] for row in rows]
    while not rows[-1]:
        rows = rows[:-1]
    if any(len(row) != width for row in rows):
        return None
    return [[cell or None for cell in row] for row in rows]


def read_cells(content: bytes, **settings: object) -> tuple[list[list[str | None]], dict[str, int]]:
    """Read a file; give the header and the rows."""
    with TemporaryDirectory() as folder:
        path, target = Path(folder, "t.csv"), Path(folder, "t.arrow")
        path.write_bytes(content)
        rows, _, notes = read_text_file(path, Source(**settings), target)
        with pa.memory_map(str(target)) as mapped:
            table = pa.ipc.open_file(mapped).read_all()
            columns = [column.to_pylist() for column in table.columns]
    assert rows == table.num_rows
    assert all(column.type == pa.string() for column in table.columns)
    return [list(table.column_names), *[list(cells) for cells in zip(*columns, strict=True)]], notes


PIECES = st.sampled_from(
    ['"', '""', ",", ";", "\t", "\n", "\r", "\r\n", "a", "b1", " ", "\0", "é", "�", "", "😀"]
)


@settings(deadline=None, max_examples=200)
@given(
    header=st.sampled_from(["h", "h,i", '"h","i",j', "h\ti", "h;i"]),
    body=st.lists(PIECES, max_size=30).map("".join),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
    delimiter=st.sampled_from(list(DELIMITERS)),
)
def test_reading_equals_the_obvious_parser(header: str, body: str, end: str, delimiter: str) -> None:
    text = header + end + body
    wanted = expected(text, DELIMITERS[delimiter])
    if wanted is None:
        with pytest.raises(SourceError):
            read_cells(text.encode(), delimiter=delimiter, encoding="utf-8")
    else:
        assert read_cells(text.encode(), delimiter=delimiter, encoding="utf-8")[0] == wanted


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@settings(deadline=None, max_examples=200)
@given(
    rows=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
    delimiter=st.sampled_from(list(DELIMITERS)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
)
def test_quoted_cells_arrive_unchanged(
    rows: list[list[str]], end: str, delimiter: str, encoding: str
) -> None:
    header = [f"c{n}" for n in range(len(rows[0]))]
    text = end.join(
        DELIMITERS[delimiter].join('"' + cell.replace('"', '""') + '"' for cell in row)
        for row in [header, *rows]
    )
    given_rows = read_cells(text.encode(encoding), delimiter=delimiter, encoding=encoding)[0]
    assert given_rows == [header, *[[cell or None for cell in row] for row in rows]]


@pytest.mark.parametrize(
    ("sample", "suffix", "delimiter"),
    [
        ("a,b\n1,2\n", ".csv", "comma"),
        ("a;b\n1,5;2,5\n", ".csv", "semicolon"),
        ("a\tb\n1\t2\n", ".csv", "tab"),
        ("a\tb,c\n1\t2,3\n", ".tsv", "tab"),
        ("a\n1\n", ".csv", "comma"),
        ("a\n1\n", ".tsv", "tab"),
        ('a,b\n"x;y;z",2\n"p;q;r",3\n', ".csv", "comma"),
        ('note,b\n"a\tb\tc",2\n', ".csv", "comma"),
        ('"a;x","b"\n1,2\n', ".csv", "comma"),
    ],
)
def test_the_delimiter_is_the_one_that_makes_rows_alike(sample: str, suffix: str, delimiter: str) -> None:
    assert find_delimiter(sample, suffix) == delimiter


def test_rows_are_kept_over_batches() -> None:
    text = "a,b\n" + "".join(f"{n},x{n}\n" for n in range(100_000))
    cells = read_cells(text.encode())[0]
    assert len(cells) == 100_001
    assert cells[-1] == ["99999", "x99999"]
